"""What waits for a person's own read or decision; ``studies.blinding`` closes it everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from plaquelab.reading.models import Read, ReadCase
from plaquelab.reading.transitions import C, R
from plaquelab.studies.models import Study

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from plaquelab.accounts.models import User


def exams_in_hand(user: User | AnonymousUser, study: Study) -> QuerySet[ReadCase, int]:
    """Return the keys of exams in whose case the person has a part that is not over.

    A case is in hand from its assignment until it is final, for reader and adjudicator alike: who has signed may not
    learn what the other reader says while the case can still come back. A hidden second reading puts a final case in
    hand again, until it is signed. Roles do not matter: a role that ends for an hour opens nothing.
    """
    if not user.is_authenticated:
        return ReadCase.objects.none().values_list("exam", flat=True)
    own = Q(assignments__reader_id=user.pk) & ~Q(state=C.FINAL)
    reading = Read.objects.filter(assignment__reader_id=user.pk).exclude(state=R.SIGNED).values("case")
    return ReadCase.objects.filter(own | Q(pk__in=reading), study=study).values_list("exam", flat=True)
