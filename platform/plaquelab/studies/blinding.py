"""The one rule of blinding: what waits for a person's own read is closed to that person, whatever other roles she holds.

``reading`` knows what waits and says so here, because the applications beneath it must close their doors too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from plaquelab.studies.models import Study

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from plaquelab.accounts.models import User

Rule = Callable[["User | AnonymousUser", Study], "QuerySet[Any, Any]"]
_rules: list[Rule] = []


def register(rule: Rule) -> None:
    """Register what gives the keys of the exams that wait for a person's own read or decision."""
    if rule not in _rules:
        _rules.append(rule)


def hidden_exams(user: User | AnonymousUser, study: Study) -> QuerySet[Any, Any]:
    """Return the keys of the exams about which this person may learn nothing but on the own work list.

    Every selector that lists, counts, opens or exports anything of an exam leaves these out.

    Raises
    ------
    RuntimeError
        Nobody has said what waits: nothing may be shown then.
    """
    if len(_rules) != 1:
        raise RuntimeError(f"{len(_rules)} rules of blinding are registered: there must be one.")
    return _rules[0](user, study)
