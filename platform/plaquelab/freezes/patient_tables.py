"""Tables of patients: who they are and how far they came, their covariates, markers and outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.metrics import METRICS
from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes.gathering import Case
from plaquelab.freezes.measured import Owner, Values, category
from plaquelab.imaging.models import Exam, QualityReview, Series
from plaquelab.reading.models import ReadRevision
from plaquelab.references.selectors import assign_score
from plaquelab.references.vocabulary import COVARIATES, DEATHS, END_OF_FOLLOW_UP, CovariateKind
from plaquelab.studies.models import Study, Subject

DAYS_A_YEAR = 365.25
S = AnalysisRun.State
IN_PATIENTS = {"age", "sex", "assign_score", "symptom"}
Rows = list[dict[str, Any]]
Facts = Mapping[int, Mapping[str, float | str]]


def patients(
    *, study: Study, cases: Sequence[Case], values: Mapping[Owner, Values], covariates: Facts
) -> tuple[Rows, int]:
    """Return one row a subject of a cohort, analysed or not, and how many subjects have no cohort."""
    by_subject = {case.subject.pk: case for case in cases}
    refused = _refusals(study)
    failed = _failures(study)
    headers = _headers(study)
    quality = _image_quality(study)
    forms = _forms(cases)
    rows: Rows = []
    without = 0
    for subject in Subject.objects.filter(study=study).select_related("site", "cohort").order_by("pseudonym"):
        if subject.cohort is None:
            without += 1
            continue
        case = by_subject.get(subject.pk)
        exam = case.exam.pk if case else None
        reason = refused.get(subject.pk, "") if case is None else failed.get(case.exam.pk, "")
        facts = covariates.get(subject.pk, {})
        score = assign_score(facts)
        header = headers.get(exam, {}) if exam else {}
        reference = case.final or next(iter(case.imports("expert")), None) if case else None
        rows.append(
            {
                "patient": subject.pseudonym,
                "site": subject.site.code,
                "cohort": subject.cohort.name,
                "purpose": subject.cohort.purpose,
                "state": _state(case) if case else "refused" if reason else "expected",
                "excluded": bool(reason),
                "exclusion_reason": reason or None,
                "exam": case.exam.number if case else None,
                "lesions": len(values[reference.owner].lesions) if reference else None,
                "image_quality": (forms.get(case.patient) or quality.get(exam or 0)) if case else None,
                "vendor": _text(header.get("manufacturer")),
                "scanner": _text(header.get("model")),
                "tube_voltage": _number(header.get("kvp")),
                "kernel": _text(header.get("kernel")),
                "slice_thickness": _number(header.get("slice_thickness_mm")),
                "age": facts.get("age"),
                "sex": facts.get("sex"),
                "assign_score": score.value,
                "assign_version": score.version or None,
                "presentation": facts.get("symptom"),
            }
        )
    return rows, without


def _state(case: Case) -> str:
    if case.case is not None:
        return str(case.case.state)
    return "analysed" if case.run is not None else str(case.exam.state)


def _text(value: object) -> str | None:
    text = str(value).strip() if value is not None else ""
    return text or None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _refusals(study: Study) -> dict[int, str]:
    """Subject → why its exam was refused."""
    notes = dict(
        QualityReview.objects.filter(exam__study=study, decision="refused")
        .order_by("at")
        .values_list("exam_id", "note")
    )
    refused = Exam.objects.filter(study=study, state=Exam.State.REFUSED).values_list("pk", "subject_id")
    return {subject: f"refused in quality control: {notes.get(pk) or 'no reason'}" for pk, subject in refused}


def _failures(study: Study) -> dict[int, str]:
    """Exam → why its newest main run failed, where no run of it succeeded."""
    runs = AnalysisRun.objects.filter(study=study, purpose=AnalysisRun.Purpose.MAIN).order_by("pk")
    found: dict[int, str] = {}
    succeeded: set[int] = set()
    for exam, state, refusal in runs.values_list("exam_id", "state", "refusal"):
        if state == S.SUCCEEDED:
            succeeded.add(exam)
        if state in (S.FAILED, S.TIMED_OUT):
            found[exam] = f"the analysis failed: {refusal or state}"
    return {exam: why for exam, why in found.items() if exam not in succeeded}


def _headers(study: Study) -> dict[int, dict[str, Any]]:
    rows = Series.objects.filter(study=study).order_by("-pk").values_list("exam_id", "header")
    return dict(rows)


def _image_quality(study: Study) -> dict[int, int]:
    reviews = QualityReview.objects.filter(exam__study=study, image_quality__isnull=False).order_by(
        "at", "pk"
    )
    return {exam: int(q) for exam, q in reviews.values_list("exam_id", "image_quality") if q is not None}


def _forms(cases: Sequence[Case]) -> dict[str, int]:
    """Patient → image quality as the final read's reader called it."""
    owners = {case.final.owner[1]: case.patient for case in cases if case.final is not None}
    forms = ReadRevision.objects.filter(pk__in=owners).values_list("pk", "form")
    return {owners[pk]: int(form["image_quality"]) for pk, form in forms if form.get("image_quality")}


def covariates_table(*, facts: Facts, names: Mapping[int, str], own: Mapping[str, CovariateKind]) -> Rows:
    """Return every characteristic that is no column of the table of patients."""
    kinds = {**COVARIATES, **own}
    rows: Rows = []
    for subject, found in facts.items():
        for name, value in sorted(found.items()):
            if name in IN_PATIENTS or subject not in names or name not in kinds:
                continue
            is_text = isinstance(value, str)
            rows.append(
                {
                    "patient": names[subject],
                    "name": name,
                    "value": None if is_text else value,
                    "category": value if is_text else None,
                    "unit": kinds[name].unit or None,
                }
            )
    return sorted(rows, key=lambda row: (row["patient"], row["name"]))


def outcomes_table(
    *,
    outcomes: Mapping[int, Mapping[str, float]],
    origins: Mapping[tuple[int, str], str],
    names: Mapping[int, str],
) -> Rows:
    """Return events and the end of follow-up in years from the CT.

    Where no end is known, follow-up ends with death, or else with the last event.
    """
    rows: Rows = []
    for subject, events in outcomes.items():
        if subject not in names:
            continue
        ends = dict(events)
        if END_OF_FOLLOW_UP not in ends:
            deaths = [days for event, days in events.items() if event in DEATHS]
            ends[END_OF_FOLLOW_UP] = min(deaths) if deaths else max(events.values())
        for event, days in sorted(ends.items()):
            rows.append(
                {
                    "patient": names[subject],
                    "event": event,
                    "years": days / DAYS_A_YEAR,
                    "source": origins.get((subject, event)) or None,
                }
            )
    return sorted(rows, key=lambda row: (row["patient"], row["event"]))


def markers(*, cases: Sequence[Case], values: Mapping[Owner, Values]) -> Rows:
    """Return the network's own numbers of every analysed patient: from the run that was read on, else the newest."""
    rows: Rows = []
    for case in cases:
        if case.run is None or case.subject.cohort is None:
            continue
        found = values[("run", case.run.pk)]
        if not found.patient:
            continue
        row: dict[str, Any] = {
            "patient": case.patient,
            "cadrads": category(found.grades.get(("patient", ""), "")),
        }
        for name, metric in METRICS.items():
            if "patient" in metric.levels and name in found.patient:
                row[name] = found.patient[name]
        rows.append(row)
    return rows
