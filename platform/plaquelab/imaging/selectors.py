"""Who may see which exam, import and query: one queryset each, for lists, details and tests alike."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from plaquelab.imaging.models import CtSlab, Exam, ImportJob, Instance, Quarantine, Query
from plaquelab.storage import store
from plaquelab.studies.models import Role, Site, Study
from plaquelab.studies.selectors import roles_of, sites_of

if TYPE_CHECKING:
    from inference.scan import Volume

SEES_ALL = frozenset({Role.MANAGER, Role.TECHNICIAN, Role.AUDITOR})
CONTROLS = frozenset({Role.MANAGER, Role.TECHNICIAN})


def _sites(user: Any, study: Study) -> QuerySet[Site] | None:
    """Return the sites whose images the user may see; None means all of them."""
    if roles_of(user, study) & SEES_ALL:
        return None
    return Site.objects.filter(pk__in=[site.pk for site in sites_of(user, study, Role.COORDINATOR)])


def visible_exams(user: Any, study: Study) -> QuerySet[Exam]:
    """Exams that this user may open: manager, technician and auditor all, a coordinator those of the own site.

    Readers and adjudicators open cases, not exams (``reading.selectors``).
    """
    exams = Exam.objects.filter(study=study).select_related("subject", "site", "study")
    sites = _sites(user, study)
    return exams if sites is None else exams.filter(site__in=sites)


def visible_imports(user: Any, study: Study) -> QuerySet[ImportJob]:
    """Imports that this user may see, by the same rule as exams."""
    jobs = ImportJob.objects.filter(study=study).select_related("session__site", "session__subject", "study")
    sites = _sites(user, study)
    return jobs if sites is None else jobs.filter(session__site__in=sites)


def visible_queries(user: Any, study: Study) -> QuerySet[Query]:
    """Queries about exams that this user may open."""
    queries = Query.objects.filter(study=study).select_related("exam__subject", "exam__site", "study")
    sites = _sites(user, study)
    return queries if sites is None else queries.filter(exam__site__in=sites)


def visible_quarantine(user: Any, study: Study) -> QuerySet[Quarantine]:
    """Held objects: for manager, technician and auditor only."""
    held = Quarantine.objects.filter(study=study).select_related(
        "job__session__site", "job__session__subject"
    )
    return held if roles_of(user, study) & SEES_ALL else held.none()


def may_control(user: Any, study: Study) -> bool:
    """Tell whether the user does quality control (accept, refuse, query, quarantine)."""
    return bool(roles_of(user, study) & CONTROLS)


def may_answer(user: Any, query: Query) -> bool:
    """Tell whether the user may answer this query: the site's coordinator, the manager, the technician."""
    if may_control(user, query.study):
        return True
    return any(site.pk == query.exam.site_id for site in sites_of(user, query.study, Role.COORDINATOR))


def dicom_paths(exam: Exam) -> list[str]:
    """Storage paths of the exam's de-identified images, in their order."""
    return list(
        Instance.objects.filter(series__exam=exam).order_by("number", "pk").values_list("path", flat=True)
    )


def ct_slabs(exam: Exam) -> list[CtSlab]:
    """Return the exam's CT slabs in order."""
    return list(CtSlab.objects.filter(volume__exam=exam))


_loading = threading.Lock()


@lru_cache(maxsize=2)
def _volume(path: str) -> Volume:
    from inference.scan import Volume

    return Volume.from_bytes(store().get(path))


def volume_of(exam: Exam) -> Volume:
    """Return the exam's HU volume. The last two are kept in memory: a page asks for several planes of one."""
    with _loading:  # Three planes are asked for at once: read the volume once.
        return _volume(exam.volume.path)
