"""The row behind a point, where no images are or where the role may not open them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from plaquelab.dashboards import live, simulated
from plaquelab.dashboards import outcome as statistics
from plaquelab.dashboards.filters import MARKERS
from plaquelab.dashboards.metrics import METRICS
from plaquelab.dashboards.pairs import PAIRS
from plaquelab.dashboards.selectors import may_open_images, open_study


@login_required
@require_GET
def exam(request: HttpRequest, study: str, number: int) -> HttpResponse:
    """All metrics of one lesion, vessel or patient in both reads of a pair."""
    found = open_study(request, study)
    pair = request.GET.get("pair") or "network-expert"
    if pair not in PAIRS:
        raise Http404("No such pair of reads.")
    vessel = request.GET.get("vessel", "")
    lesion_text = request.GET.get("lesion", "")
    lesion = int(lesion_text) if lesion_text.isdecimal() and len(lesion_text) < 6 else None
    entries = [e for e in live.comparisons(study=found, pair=pair).entries if e.number == number]
    if not entries:
        raise Http404("This exam has no two reads to compare.")
    tables = live.exam_table(study=found, entry=entries[0], pair=pair, vessel=vessel, lesion=lesion)
    context = {
        "study": found,
        "entry": entries[0],
        "pair": PAIRS[pair],
        "vessel": vessel,
        "lesion": lesion,
        "tables": tables,
        "images_link": live.row_link(found, entries[0], pair, vessel, lesion, True)
        if may_open_images(request.user, found, pair)  # type: ignore[arg-type]
        else "",
    }
    return render(request, "dashboards/exam_rows.html", context)


@login_required
@require_GET
def lesion(request: HttpRequest, study: str, patient: str, lesion: int) -> HttpResponse:
    """One simulated lesion: every read's values."""
    found = open_study(request, study)
    drawn = simulated.reader_study()
    rows = [
        i for i, (p, number) in enumerate(zip(drawn.patient, drawn.lesion.tolist(), strict=True))
        if p == patient and number == lesion
    ]  # fmt: skip
    if not rows:
        raise Http404("No such simulated lesion.")
    i = rows[0]
    facts = [("Patient", patient), ("Territory", drawn.territory[i]), ("Lesion", lesion)]
    return _simulated(request, found, f"Simulated lesion {patient} / {lesion}", facts, _reads([i]))


@login_required
@require_GET
def patient(request: HttpRequest, study: str, patient: str) -> HttpResponse:
    """One simulated patient of the reader study: every lesion."""
    found = open_study(request, study)
    drawn = simulated.reader_study()
    if patient not in drawn.patients:
        raise Http404("No such simulated patient.")
    indices = [i for i, p in enumerate(drawn.patient) if p == patient]
    facts = [("Patient", patient), ("Lesions", len(indices))]
    return _simulated(request, found, f"Simulated patient {patient}", facts, _reads(indices))


@login_required
@require_GET
def cohort_patient(request: HttpRequest, study: str, patient: str) -> HttpResponse:
    """One simulated patient of the outcome cohort."""
    found = open_study(request, study)
    cohort = simulated.cohort()
    if patient not in cohort.patient:
        raise Http404("No such simulated patient.")
    row = statistics.patient_at(cohort, cohort.patient.index(patient))
    facts: list[tuple[str, Any]] = [("Patient", row.name)]
    facts += [(f"{m.label} ({m.unit})", f"{getattr(row, m.name):.1f}") for m in MARKERS.values()]
    facts += [
        ("ASSIGN score (%)", f"{row.assign:.1f}"),
        ("Follow-up (years)", f"{row.follow_up:.2f}"),
        ("Myocardial infarction", "yes, at the end of follow-up" if row.event else "no"),
        ("Source", cohort.note),
    ]
    return _simulated(request, found, f"Simulated patient {patient}", facts, [])


def _reads(indices: list[int]) -> list[dict[str, Any]]:
    """Rows of a table: lesion, read, values."""
    drawn = simulated.reader_study()
    return [
        {
            "lesion": int(drawn.lesion[i]),
            "vessel": drawn.territory[i],
            "read": read.replace("_", " "),
            "values": [float(drawn.volume[read][i]), float(drawn.stenosis[read][i])],
        }
        for i in indices
        for read in drawn.volume
    ]


def _simulated(
    request: HttpRequest, study: Any, title: str, facts: list[tuple[str, Any]], reads: list[dict[str, Any]]
) -> HttpResponse:
    heads = [f"{METRICS[name].label} ({METRICS[name].unit})" for name in simulated.SIMULATED_METRICS]
    context = {
        "study": study,
        "is_simulated": True,
        "title": title,
        "facts": facts,
        "reads": reads,
        "heads": heads,
    }
    return render(request, "dashboards/simulated_row.html", context)
