"""The agreement page: two reads of the same lesions, territories or patients."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from plaquelab.dashboards import agreement as statistics
from plaquelab.dashboards import live, simulated
from plaquelab.dashboards.downloads import csv_response, json_response
from plaquelab.dashboards.filters import DATA_SETS, ICC_FORMS, AgreementFilters, agreement_filters
from plaquelab.dashboards.metrics import LEVELS, METRICS
from plaquelab.dashboards.pairs import PAIRS, PairedRows
from plaquelab.dashboards.selectors import may_open_images, open_study
from plaquelab.studies.models import Cohort, Site, Study

FEW_UNITS = 30
LISTED = 100


@login_required
@require_GET
def home(request: HttpRequest, study: str) -> HttpResponse:
    """The first dashboard."""
    open_study(request, study)
    return redirect("dashboards:agreement", study=study)


@login_required
@require_GET
def page(request: HttpRequest, study: str) -> HttpResponse:
    """Scatter, Bland–Altman, ICC; CAD-RADS with κ; accuracy at 50 and 70 %; the rows behind them."""
    found = open_study(request, study)
    filters = _filters(request, found)
    rows = _rows(request, found, filters)
    result = statistics.agreement(rows, form=filters.form)
    categories = statistics.category_agreement(*_categories(request, found, filters))
    cases_url = reverse("dashboards:agreement_cases", kwargs={"study": found.slug})
    complete = rows.complete()
    context = {
        "study": found,
        "is_simulated": rows.is_simulated,
        "tab": "agreement",
        "filters": filters,
        "query": filters.query(),
        "rows": rows,
        "listed": sorted(complete, key=_distance, reverse=True)[:LISTED],
        "complete": len(complete),
        "few": len(complete) < FEW_UNITS and filters.data == "study",
        "simulated_query": AgreementFilters(data="simulated", pair=filters.pair).query(),
        "result": result,
        "lines": statistics.lines(result),
        "categories": categories,
        "figures": statistics.figures(result, categories, filters, cases_url),
        "metric": METRICS[filters.metric],
        **_choices(found, filters),
    }
    return render(request, "dashboards/agreement.html", context)


@login_required
@require_GET
def cases(request: HttpRequest, study: str) -> HttpResponse:
    """The cases of one cell of the CAD-RADS matrix."""
    found = open_study(request, study)
    filters = _filters(request, found)
    categories, _ = _categories(request, found, filters)
    first, second = (_grade(request.GET.get(name)) for name in ("first", "second"))
    context = {
        "study": found,
        "is_simulated": categories.is_simulated,
        "query": filters.query(),
        "pair": categories.pair,
        "level": LEVELS[categories.level],
        "first": first,
        "second": second,
        "rows": statistics.cases_of(categories.rows, first, second),
    }
    return render(request, "dashboards/cases.html", context)


@login_required
@require_GET
def rows_csv(request: HttpRequest, study: str) -> HttpResponse:
    """The paired values that the page shows."""
    found = open_study(request, study)
    filters = _filters(request, found)
    rows = _rows(request, found, filters)
    unit = f" ({rows.unit})" if rows.unit else ""
    heading = ["data", "subject", "exam", "site", "vessel", "lesion (first)", "lesion (second)", "metric"]
    return csv_response(
        f"agreement-{filters.data}-{filters.pair}-{filters.metric}-{filters.level}",
        [*heading, f"{rows.pair.first}{unit}", f"{rows.pair.second}{unit}"],
        (
            [
                "simulated" if rows.is_simulated else "study", r.patient, r.exam, r.site, r.vessel,
                r.lesion_first, r.lesion_second, rows.metric, r.first, r.second,
            ]
            for r in rows.rows
        ),
    )  # fmt: skip


@login_required
@require_GET
def result_json(request: HttpRequest, study: str) -> HttpResponse:
    """Every number of the page."""
    found = open_study(request, study)
    filters = _filters(request, found)
    result = statistics.agreement(_rows(request, found, filters), form=filters.form)
    categories = statistics.category_agreement(*_categories(request, found, filters))
    return json_response(
        f"agreement-{filters.data}-{filters.pair}-{filters.metric}-{filters.level}",
        {"study": found.slug, "query": filters.query(), **result.to_dict(), "cadrads": categories.to_dict()},
    )


def _filters(request: HttpRequest, study: Study) -> AgreementFilters:
    return agreement_filters(request.GET, sites=_sites(study), cohorts=_cohorts(study), default_data="study")


def _sites(study: Study) -> dict[str, str]:
    return dict(Site.objects.filter(study_sites__study=study).order_by("name").values_list("code", "name"))


def _cohorts(study: Study) -> list[str]:
    return list(Cohort.objects.filter(study=study).order_by("name").values_list("name", flat=True))


def _rows(request: HttpRequest, study: Study, filters: AgreementFilters) -> PairedRows:
    if filters.data == "simulated":
        return simulated.simulated_rows(
            study_slug=study.slug, pair=filters.pair, metric=filters.metric, level=filters.level
        )
    return live.paired_rows(
        study=study,
        pair=filters.pair,
        metric=filters.metric,
        level=filters.level,
        site=filters.site,
        cohort=filters.cohort,
        images=may_open_images(request.user, study, filters.pair),  # type: ignore[arg-type]
    )


def _categories(
    request: HttpRequest, study: Study, filters: AgreementFilters
) -> tuple[PairedRows, PairedRows]:
    """CAD-RADS and diameter stenosis at the level where CAD-RADS exists."""
    level = filters.cadrads_level
    if filters.data == "simulated":
        return (
            simulated.simulated_categories(study_slug=study.slug, pair=filters.pair, level=level),
            simulated.simulated_rows(
                study_slug=study.slug, pair=filters.pair, metric="diameter_stenosis", level=level
            ),
        )
    images = may_open_images(request.user, study, filters.pair)  # type: ignore[arg-type]
    where = {"site": filters.site, "cohort": filters.cohort}
    return (
        live.paired_categories(study=study, pair=filters.pair, level=level, images=images, **where),
        live.paired_rows(
            study=study, pair=filters.pair, metric="diameter_stenosis", level=level, images=images, **where
        ),
    )


def _choices(study: Study, filters: AgreementFilters) -> dict[str, object]:
    is_simulated = filters.data == "simulated"
    metrics = [METRICS[name] for name in (simulated.SIMULATED_METRICS if is_simulated else METRICS)]
    levels = [
        lv for lv in METRICS[filters.metric].levels if not is_simulated or lv in simulated.SIMULATED_LEVELS
    ]
    pairs = (
        [entry[0] for entry in simulated.SIMULATED_PAIRS.values()] if is_simulated else list(PAIRS.values())
    )
    return {
        "data_sets": DATA_SETS.items(),
        "pairs": pairs,
        "metrics": metrics,
        "levels": [(name, LEVELS[name]) for name in levels],
        "forms": ICC_FORMS.items(),
        "sites": [] if is_simulated else _sites(study).items(),
        "cohorts": [] if is_simulated else _cohorts(study),
    }


def _distance(row: object) -> float:
    return abs(row.second - row.first)  # type: ignore[attr-defined]


def _grade(text: str | None) -> int | None:
    return int(text) if text in {"0", "1", "2", "3", "4", "5"} else None
