"""The outcome page: what a marker of the simulated cohort says about later events."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from plaquelab.dashboards import outcome as statistics
from plaquelab.dashboards import simulated
from plaquelab.dashboards.downloads import csv_response, json_response
from plaquelab.dashboards.filters import HORIZON_LIMITS, MARKERS, outcome_filters
from plaquelab.dashboards.selectors import open_study

LISTED = 200


@login_required
@require_GET
def page(request: HttpRequest, study: str) -> HttpResponse:
    """Cumulative incidence at one cut-off, accuracy, ROC, Cox: on the simulated cohort."""
    found = open_study(request, study)
    filters = outcome_filters(request.GET)
    cohort = simulated.cohort()
    result = statistics.outcome(cohort, filters)
    patients_url = reverse("dashboards:outcome_patients", kwargs={"study": found.slug})
    context = {
        "study": found,
        "is_simulated": True,
        "tab": "outcome",
        "filters": filters,
        "query": filters.query(),
        "markers": MARKERS.values(),
        "horizons": HORIZON_LIMITS,
        "result": result,
        "at_risk": _at_risk(result),
        "models": (("Alone", result.univariable), ("Adjusted", result.multivariable)),
        "figures": statistics.figures(result, patients_url),
        "events": [
            (statistics.patient_at(cohort, i), simulated.cohort_link(found.slug, cohort.patient[i]))
            for i in range(len(cohort.patient))
            if cohort.event[i]
        ],
    }
    return render(request, "dashboards/outcome.html", context)


@login_required
@require_GET
def patients(request: HttpRequest, study: str) -> HttpResponse:
    """Who stands behind a step or a cut-off; a single patient's row opens at once."""
    found = open_study(request, study)
    filters = outcome_filters(request.GET)
    cohort = simulated.cohort()
    group = request.GET.get("group")
    chosen = statistics.patients_behind(
        cohort,
        filters,
        group=int(group) if group in {"0", "1"} else None,
        time=_float(request.GET.get("time")),
        value=_float(request.GET.get("value")),
    )
    if len(chosen) == 1:
        return redirect(simulated.cohort_link(found.slug, cohort.patient[chosen[0]]))
    context = {
        "study": found,
        "is_simulated": True,
        "query": filters.query(),
        "total": len(chosen),
        "patients": [
            (statistics.patient_at(cohort, i), simulated.cohort_link(found.slug, cohort.patient[i]))
            for i in chosen[:LISTED]
        ],
    }
    return render(request, "dashboards/patients.html", context)


@login_required
@require_GET
def rows_csv(request: HttpRequest, study: str) -> HttpResponse:
    """The simulated cohort, labelled in every row."""
    open_study(request, study)
    table = simulated.cohort().table()
    columns = [column.tolist() if hasattr(column, "tolist") else column for column in table.values()]
    return csv_response("outcome-simulated-cohort", list(table), zip(*columns, strict=True))


@login_required
@require_GET
def result_json(request: HttpRequest, study: str) -> HttpResponse:
    """Every number of the page."""
    found = open_study(request, study)
    filters = outcome_filters(request.GET)
    result = statistics.outcome(simulated.cohort(), filters)
    return json_response(
        f"outcome-simulated-{filters.marker.name}", {"study": found.slug, **result.to_dict()}
    )


def _at_risk(result: statistics.Outcome) -> list[dict[str, object]]:
    """Incidence at the horizon and numbers at risk per group, for the table."""
    return [
        {
            "name": curve.name,
            "n": curve.n,
            "events": curve.total_events,
            "incidence_text": _incidence(curve, result.filters.horizon),
            "at_risk": curve.at_risk_at(result.filters.horizon),
        }
        for curve in result.incidence.curves
    ]


def _incidence(curve: Any, horizon: float) -> str:
    from analytics.rounding import percent

    value, interval = curve.incidence_at(horizon)
    if interval is None:
        return f"{percent(value)} % (no interval: {'no event yet' if value == 0 else 'nobody is left'})"
    return f"{percent(value)} % ({percent(interval.low)}–{percent(interval.high)})"


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
