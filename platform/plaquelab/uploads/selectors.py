"""Where a person may upload to, and whose uploads a person may touch."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from plaquelab.studies.models import Role, Site, Study, Subject
from plaquelab.studies.selectors import roles_of, sites_of
from plaquelab.uploads.models import UploadSession

UPLOAD_ROLES = (Role.MANAGER, Role.TECHNICIAN, Role.COORDINATOR)


def upload_sites(user: Any, study: Study) -> QuerySet[Site]:
    """Sites that the user may upload for: every one for manager and technician, a coordinator's own."""
    sites = Site.objects.filter(study_sites__study=study).order_by("name")
    if roles_of(user, study) & {Role.MANAGER, Role.TECHNICIAN}:
        return sites
    return sites.filter(pk__in=[site.pk for site in sites_of(user, study, Role.COORDINATOR)])


def known_subjects(user: Any, study: Study) -> QuerySet[Subject]:
    """Subjects that the user may add an exam to."""
    return Subject.objects.filter(study=study, site__in=upload_sites(user, study)).select_related(
        "site", "cohort"
    )


def own_sessions(user: Any, study: Study) -> QuerySet[UploadSession]:
    """The user's own uploads: nobody sends files into another person's."""
    sessions = UploadSession.objects.filter(study=study, by=user, site__in=upload_sites(user, study))
    return sessions.select_related("site", "subject", "study")
