"""The table of quality: failures, evaluability, uncertainty and queries, an exam and a vessel a row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inference.section_grid import SPACING_ALONG
from plaquelab.analysis.models import AnalysisRun, Artefact, ContourSet
from plaquelab.freezes.gathering import Case
from plaquelab.freezes.reading_tables import Days, Rows
from plaquelab.imaging.models import Exam, QualityReview, Query
from plaquelab.storage import store
from plaquelab.studies.models import Study

WHOLLY_EXCLUDED = 0.9
S = AnalysisRun.State


def quality(*, study: Study, cases: Sequence[Case], days: Days) -> Rows:
    """Return one row an exam that quality control has decided on, and one a vessel that was analysed."""
    queries = Counter(Query.objects.filter(study=study).values_list("exam_id", flat=True))
    bad = _not_evaluable(study)
    failed = _newest_failures(study)
    rows: Rows = []
    for case in cases:
        if case.subject.cohort is None or case.exam.state != Exam.State.ACCEPTED:
            continue
        why = bad.get(case.exam.pk, "")
        shares = uncertainties(case.run) if case.run is not None else {}
        failure = "" if case.run is not None else failed.get(case.exam.pk, "")
        base = {"patient": case.patient, "day": days(case.exam.received_at)}
        whole = [share for vessel in shares.values() for share in vessel]
        rows.append(_row(base, None, failure, why, whole, queries[case.exam.pk]))
        excluded = _excluded_vessels(case)
        for vessel, share in sorted(shares.items()):
            rows.append(_row(base, vessel, "", why or excluded.get(vessel, ""), share, None))
    known = {case.subject.pk for case in cases}
    refused = Exam.objects.filter(study=study, state=Exam.State.REFUSED, subject__cohort__isnull=False)
    for exam in refused.exclude(subject__in=known).select_related("subject").order_by("subject", "number"):
        known.add(exam.subject_id)
        if any(row["patient"] == exam.subject.pseudonym for row in rows):
            continue
        base = {"patient": exam.subject.pseudonym, "day": days(exam.received_at)}
        rows.append(_row(base, None, "", bad.get(exam.pk) or "refused", [], queries[exam.pk]))
    return rows


def _row(
    base: Mapping[str, Any],
    vessel: str | None,
    failure: str,
    why: str,
    shares: Sequence[float],
    queries: int | None,
) -> dict[str, Any]:
    return {
        **base,
        "vessel": vessel,
        "failed": bool(failure),
        "failure_reason": failure or None,
        "evaluable": not why,
        "not_evaluable_reason": why or None,
        "uncertainty": _mean_percent(shares),
        "queries": queries,
    }


def _mean_percent(shares: Sequence[float]) -> float | None:
    return 100.0 * sum(shares) / len(shares) if shares else None


def uncertainties(run: AnalysisRun) -> dict[str, list[float]]:
    """Return vessel → expected share of wrong labels of each section, as the run stored it."""
    artefact = Artefact.objects.filter(run=run, kind__in=Artefact.KINDS_OF_RECORD).first()
    if artefact is None:
        return {}
    found: Mapping[str, Iterable[Any]] = json.loads(store().get(artefact.path)).get("uncertainty") or {}
    return {vessel: [float(x) for x in shares if x is not None] for vessel, shares in found.items()}


def _not_evaluable(study: Study) -> dict[int, str]:
    """Exam → why quality control called it not evaluable (its newest word counts)."""
    found: dict[int, str] = {}
    reviews = QualityReview.objects.filter(exam__study=study).order_by("at", "pk")
    for exam, decision, image_quality, note in reviews.values_list(
        "exam_id", "decision", "image_quality", "note"
    ):
        if image_quality == 1:
            found[exam] = "non-diagnostic"
        elif decision == "refused":
            found[exam] = note or "refused"
        else:
            found.pop(exam, None)
    return found


def _newest_failures(study: Study) -> dict[int, str]:
    rows = AnalysisRun.objects.filter(
        study=study, purpose=AnalysisRun.Purpose.MAIN, state__in=(S.FAILED, S.TIMED_OUT)
    ).order_by("pk")
    return {
        exam: refusal or str(state)
        for exam, refusal, state in rows.values_list("exam_id", "refusal", "state")
    }


def _excluded_vessels(case: Case) -> dict[str, str]:
    """Vessel → reason, where the final read leaves out (nearly) all of it."""
    if case.final is None:
        return {}
    found: dict[str, str] = {}
    sets = ContourSet.objects.filter(revisions=case.final.owner[1]).select_related("vessel")
    for contour_set in sets:
        length = (contour_set.vessel.sections - 1) * SPACING_ALONG
        out = sum(end - start for start, end, _ in contour_set.excluded)
        if contour_set.excluded and out >= WHOLLY_EXCLUDED * length:
            found[contour_set.vessel.name] = str(contour_set.excluded[0][2]) or "excluded"
    return found
