"""Who may see which exam, import and query: one queryset each, for lists, details and tests alike."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from plaquelab.imaging.models import CtSlab, Exam, ImportJob, Instance, Quarantine, Query
from plaquelab.storage import store
from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may, sites_where

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from inference.scan import Volume
    from plaquelab.accounts.models import User


def visible_exams(user: User | AnonymousUser, study: Study) -> QuerySet[Exam]:
    """Exams that this user may open: by role and site, and none that waits for the user's own read.

    Readers and adjudicators open cases, not exams (``reading.selectors``).
    """
    exams = Exam.objects.filter(study=study).select_related("subject", "site", "study")
    sites = sites_where(user, study, Capability.SEE_EXAMS)
    return exams.filter(site__in=sites).exclude(pk__in=hidden_exams(user, study))


def visible_imports(user: User | AnonymousUser, study: Study) -> QuerySet[ImportJob]:
    """Imports that this user may see, by the same rule as exams."""
    jobs = ImportJob.objects.filter(study=study).select_related("session__site", "session__subject", "study")
    sites = sites_where(user, study, Capability.SEE_EXAMS)
    return jobs.filter(session__site__in=sites).exclude(exam__in=hidden_exams(user, study))


def visible_queries(user: User | AnonymousUser, study: Study) -> QuerySet[Query]:
    """Queries about exams that this user may open."""
    queries = Query.objects.filter(study=study).select_related("exam__subject", "exam__site", "study")
    return queries.filter(exam__in=visible_exams(user, study).values("pk"))


def visible_quarantine(user: User | AnonymousUser, study: Study) -> QuerySet[Quarantine]:
    """Held objects of imports that this user may see."""
    held = Quarantine.objects.filter(study=study).select_related(
        "job__session__site", "job__session__subject"
    )
    if not may(user, study, Capability.SEE_QUARANTINE):
        return held.none()
    return held.exclude(job__exam__in=hidden_exams(user, study))


def may_answer(user: User | AnonymousUser, query: Query) -> bool:
    """Tell whether the user may answer this query: for the core lab, or for the exam's own site."""
    return may(user, query.study, Capability.ANSWER_QUERIES, site=query.exam.site)


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
    from inference.scan import Volume  # noqa: PLC0415  loads SciPy and numba, which few pages need

    return Volume.from_bytes(store().get(path))


def volume_of(exam: Exam) -> Volume:
    """Return the exam's HU volume. The last two are kept in memory: a page asks for several planes of one."""
    with _loading:  # Three planes are asked for at once: read the volume once.
        return _volume(exam.volume.path)
