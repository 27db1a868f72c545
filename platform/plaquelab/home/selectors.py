"""What the first screens of coordinator and manager show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.utils import timezone

from plaquelab.analysis.selectors import visible_runs
from plaquelab.imaging.models import Exam, Query
from plaquelab.imaging.selectors import visible_exams, visible_imports, visible_queries
from plaquelab.reading.models import Assignment, ReadCase
from plaquelab.reading.selectors import visible_cases
from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.models import Site, Study, Subject
from plaquelab.studies.permissions import Capability, sites_where

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

EXAM_STATES = tuple(Exam.State.choices)
CASE_STATES = tuple(ReadCase.State.choices)


def coordinator_page(user: User, study: Study) -> dict[str, Any]:
    """Return the coordinator's own sites, their subjects with exam states, and open queries with their age."""
    sites = list(sites_where(user, study, Capability.SEE_OWN_SITE))
    subjects = (
        Subject.objects.filter(study=study, site__in=sites)
        .exclude(exams__in=hidden_exams(user, study))
        .select_related("site", "cohort")
        .prefetch_related("exams")
    )
    queries = visible_queries(user, study).filter(state=Query.State.OPEN).select_related("exam__subject")
    now = timezone.now()
    return {
        "sites": sites,
        "subjects": [
            {"subject": subject, "exams": [e for e in subject.exams.all() if e.study_id == study.pk]}
            for subject in subjects
        ],
        "queries": [{"query": q, "days": (now - q.opened_at).days} for q in queries.order_by("opened_at")],
    }


def _states(rows: Any, choices: tuple[tuple[str, str], ...], sites: list[Site]) -> list[dict[str, Any]]:
    found: Counter[tuple[int, str]] = Counter({(row["site"], row["state"]): row["n"] for row in rows})
    return [
        {
            "site": site,
            "counts": [found[(site.pk, state)] for state, _ in choices],
            "total": sum(found[(site.pk, s)] for s, _ in choices),
        }
        for site in sites
    ]


def manager_page(user: User, study: Study) -> dict[str, Any]:
    """Return study progress (sites × states), queues, overdue reads, discordance rate and open queries."""
    sites = list(Site.objects.filter(study_sites__study=study).order_by("name"))
    exams = visible_exams(user, study).order_by().values("site", "state").annotate(n=Count("pk"))
    cases = visible_cases(user, study)
    by_case = cases.order_by().values("exam__site", "state").annotate(n=Count("pk"))
    judged = cases.filter(discordance__isnull=False)
    discordant = judged.filter(discordance__is_discordant=True).count()
    today = timezone.now().date()
    open_assignments = Assignment.objects.filter(case__in=cases.order_by().values("pk")).filter(
        Q(read__isnull=True, adjudication__decided_at__isnull=True)
        | Q(read__state__in=("assigned", "in_progress", "submitted"))
    )
    return {
        "exam_states": [label for _, label in EXAM_STATES],
        "exam_rows": _states(exams, EXAM_STATES, sites),
        "case_states": [label for _, label in CASE_STATES],
        "case_rows": _states(
            [{"site": r["exam__site"], "state": r["state"], "n": r["n"]} for r in by_case], CASE_STATES, sites
        ),
        "judged": judged.count(),
        "discordant": discordant,
        "discordance_percent": 100 * discordant / judged.count() if judged.exists() else None,
        "open_assignments": open_assignments.count(),
        "overdue": open_assignments.filter(due_on__lt=today).count(),
        "unassigned": cases.filter(state=ReadCase.State.WAITING).count(),
        "unadjudicated": cases.filter(state=ReadCase.State.DISCORDANT).count(),
        "open_queries": visible_queries(user, study).exclude(state=Query.State.CLOSED).count(),
        "failed_runs": visible_runs(user=user, study=study).filter(state__in=("failed", "timed_out")).count(),
        "failed_imports": visible_imports(user, study)
        .filter(state__in=("failed", "rejected", "partial"))
        .count(),
    }
