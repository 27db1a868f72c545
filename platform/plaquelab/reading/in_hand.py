"""What waits for a person's own read or decision, and what the person has seen too much of to be given it.

``studies.blinding`` closes the first everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from plaquelab.audit.models import AuditEvent
from plaquelab.audit.services import chain_of
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


def exams_overseen(person: User, study: Study) -> frozenset[int]:
    """Return the numbers of the exams that the person has opened in the viewer with another role than a reading one.

    The viewer's API shows an exam only to whom this names (``api.opened.check_opened``).
    """
    opened = AuditEvent.objects.filter(
        chain=chain_of(study), actor=person.username, verb="case.open_images", after__mode="view"
    )
    return frozenset(opened.values_list("after__exam", flat=True))
