"""The simulated reader study and cohort as the dashboards' second data set, labelled simulated everywhere."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from django.urls import reverse

from plaquelab.dashboards.metrics import METRICS
from plaquelab.dashboards.pairs import Pair, PairedRows, Row

if TYPE_CHECKING:
    from analytics.simulation import Cohort, ReaderStudy

SIMULATED_PAIRS = {
    "network-expert": (
        Pair("network-expert", "Network and expert", "expert", "network"),
        "expert",
        "network",
    ),
    "reader-reader": (
        Pair("reader-reader", "Second expert and expert", "second expert", "expert"),
        "second_expert",
        "expert",
    ),
}
SIMULATED_METRICS = ("total_plaque_volume", "diameter_stenosis")
SIMULATED_LEVELS = ("lesion", "territory", "patient")
TERRITORIES = ("LAD", "LCx", "RCA")


@lru_cache(maxsize=1)
def reader_study() -> ReaderStudy:
    """The demonstration's simulated reader study, drawn once per process."""
    from analytics.simulation import simulate_reader_study

    return simulate_reader_study()


@lru_cache(maxsize=1)
def cohort() -> Cohort:
    """The demonstration's simulated cohort, drawn once per process."""
    from analytics.simulation import demonstration_cohort

    return demonstration_cohort()


@lru_cache(maxsize=32)
def simulated_rows(*, study_slug: str, pair: str, metric: str, level: str) -> PairedRows:
    """Paired values of the simulated reader study; volumes add up, of stenoses the worst counts."""
    drawn = reader_study()
    described, first_name, second_name = SIMULATED_PAIRS[pair]
    values = drawn.volume if metric == "total_plaque_volume" else drawn.stenosis
    first, second = values[first_name].tolist(), values[second_name].tolist()
    rows: list[Row] = []
    if level == "lesion":
        rows = [
            Row(
                patient,
                None,
                "simulated",
                territory,
                int(lesion),
                int(lesion),
                a,
                b,
                lesion_link(study_slug, patient, int(lesion)),
            )
            for patient, territory, lesion, a, b in zip(
                drawn.patient, drawn.territory, drawn.lesion.tolist(), first, second, strict=True
            )
        ]
    else:
        rows = _rolled_up(drawn, first, second, study_slug, metric, level)
    return PairedRows(
        pair=described,
        metric=metric,
        level=level,
        unit=METRICS[metric].unit,
        rows=tuple(rows),
        is_simulated=True,
        source="the simulated reader study",
        extents="given extents" if level == "lesion" else "",
    )


def _rolled_up(
    drawn: ReaderStudy, first: list[float], second: list[float], slug: str, metric: str, level: str
) -> list[Row]:
    places = TERRITORIES if level == "territory" else ("",)
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for patient, territory, a, b in zip(drawn.patient, drawn.territory, first, second, strict=True):
        cell = sums[patient, territory if level == "territory" else ""]
        if metric == "total_plaque_volume":
            cell[0], cell[1] = cell[0] + a, cell[1] + b
        else:
            cell[0], cell[1] = max(cell[0], a), max(cell[1], b)
    return [
        Row(patient, None, "simulated", place, None, None, a, b, patient_link(slug, patient))
        for patient in drawn.patients
        for place in places
        for a, b in [sums[patient, place]]
    ]


@lru_cache(maxsize=8)
def simulated_categories(*, study_slug: str, pair: str, level: str) -> PairedRows:
    """CAD-RADS of both reads from their worst stenosis (profile ``lin2022``)."""
    from inference.coronary import cadrads

    stenoses = simulated_rows(study_slug=study_slug, pair=pair, metric="diameter_stenosis", level=level)
    rows = tuple(
        Row(
            r.patient,
            r.exam,
            r.site,
            r.vessel,
            None,
            None,
            None if r.first is None else int(cadrads(r.first)),
            None if r.second is None else int(cadrads(r.second)),
            r.link,
        )
        for r in stenoses.rows
    )
    return PairedRows(
        pair=stenoses.pair,
        metric="cadrads",
        level=level,
        unit="",
        rows=rows,
        is_simulated=True,
        source=stenoses.source,
    )


def lesion_link(slug: str, patient: str, lesion: int) -> str:
    """Page of a simulated lesion's row: there are no images behind it."""
    return f"{_rows_address(slug)}lesions/{patient}/{lesion}/"


def cohort_link(slug: str, patient: str) -> str:
    """Page of a simulated cohort patient's row."""
    return f"{_rows_address(slug)}cohort/{patient}/"


def patient_link(slug: str, patient: str) -> str:
    """Page of a simulated patient's rows."""
    return f"{_rows_address(slug)}patients/{patient}/"


@lru_cache(maxsize=16)
def _rows_address(slug: str) -> str:
    """Common start of the addresses above: reversed once, not for each of two thousand points."""
    address = reverse("dashboards:simulated_patient", kwargs={"study": slug, "patient": "x"})
    return address.removesuffix("patients/x/")
