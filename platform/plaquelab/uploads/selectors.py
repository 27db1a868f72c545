"""Where a person may upload to, and whose uploads a person may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.models import Site, Study, Subject
from plaquelab.studies.permissions import Capability, sites_where
from plaquelab.uploads.models import UploadSession

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


def upload_sites(user: User, study: Study) -> QuerySet[Site]:
    """Sites that the user may upload for, by name."""
    return sites_where(user, study, Capability.UPLOAD).order_by("name")


def known_subjects(user: User, study: Study) -> QuerySet[Subject]:
    """Subjects that the user may add an exam to; none whose exam waits for the user's own read."""
    subjects = Subject.objects.filter(study=study, site__in=upload_sites(user, study))
    return subjects.exclude(exams__in=hidden_exams(user, study)).select_related("site", "cohort")


def own_sessions(user: User, study: Study) -> QuerySet[UploadSession]:
    """The user's own uploads: nobody sends files into another person's.

    An upload whose exam waits for the user's own read is closed until it is read.
    """
    sessions = UploadSession.objects.filter(study=study, by=user, site__in=upload_sites(user, study))
    hidden = hidden_exams(user, study)
    return sessions.exclude(import_job__exam__in=hidden).select_related("site", "subject", "study")
