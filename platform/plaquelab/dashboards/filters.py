"""The filters of the pages: they live in the URL, so that a page can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from plaquelab.dashboards.metrics import METRICS
from plaquelab.dashboards.pairs import PAIRS
from plaquelab.dashboards.simulated import SIMULATED_LEVELS, SIMULATED_METRICS

DATA_SETS = {"study": "This study's reads", "simulated": "Simulated reader study"}
ICC_FORMS = {
    "A,1": "ICC(A,1): absolute agreement, single read",
    "C,1": "ICC(C,1): consistency, single read",
    "A,k": "ICC(A,2): absolute agreement, mean of two",
    "C,k": "ICC(C,2): consistency, mean of two",
    "1,1": "ICC(1,1): one-way, single read",
    "1,k": "ICC(1,2): one-way, mean of two",
}


@dataclass(frozen=True)
class AgreementFilters:
    """What the agreement page shows."""

    data: str = "study"
    pair: str = "network-expert"
    metric: str = "total_plaque_volume"
    level: str = "lesion"
    form: str = "A,1"
    site: str = ""
    cohort: str = ""
    problems: tuple[str, ...] = ()

    def query(self, **changes: str) -> str:
        """The URL's query, without what is empty; ``changes`` replace single filters."""
        given = replace(self, **changes) if changes else self  # type: ignore[arg-type]
        names = ("data", "pair", "metric", "level", "form", "site", "cohort")
        return urlencode([(name, getattr(given, name)) for name in names if getattr(given, name)])

    @property
    def cadrads_level(self) -> str:
        """CAD-RADS exists per territory and per patient."""
        return "patient" if self.level == "patient" else "territory"


def agreement_filters(
    given: Mapping[str, str], *, sites: Mapping[str, str], cohorts: list[str], default_data: str
) -> AgreementFilters:
    """Read the filters of a request; an unknown choice is replaced by the first one and named."""
    problems: list[str] = []

    def choice(name: str, allowed: list[str], default: str) -> str:
        value = given.get(name) or default
        if value in allowed:
            return value
        problems.append(f"There is no {name} “{value[:40]}” here: showing “{default or 'all'}”.")
        return default

    data = choice("data", list(DATA_SETS), default_data)
    simulated = data == "simulated"
    metric = choice("metric", list(SIMULATED_METRICS if simulated else METRICS), "total_plaque_volume")
    levels = [lv for lv in METRICS[metric].levels if not simulated or lv in SIMULATED_LEVELS]
    return AgreementFilters(
        data=data,
        pair=choice("pair", list(PAIRS), "network-expert"),
        metric=metric,
        level=choice("level", levels, "lesion"),
        form=choice("form", list(ICC_FORMS), "A,1"),
        site="" if simulated else choice("site", ["", *sites], ""),
        cohort="" if simulated else choice("cohort", ["", *cohorts], ""),
        problems=tuple(problems),
    )


@dataclass(frozen=True)
class Marker:
    """A marker of the outcome page with the cut-off of the publication."""

    name: str
    label: str
    unit: str
    cut_off: float


MARKERS = {
    marker.name: marker
    for marker in (
        Marker("total_plaque_volume", "Total plaque volume", "mm³", 238.5),
        Marker("diameter_stenosis", "Diameter stenosis", "%", 50.0),
        Marker("low_attenuation_plaque_burden", "Low-attenuation plaque burden", "%", 4.0),
    )
}
HORIZON_LIMITS = (0.5, 7.0)


@dataclass(frozen=True)
class OutcomeFilters:
    """What the outcome page shows."""

    marker: Marker
    cut: float
    horizon: float = 5.0
    problems: tuple[str, ...] = ()

    def query(self) -> str:
        """The URL's query."""
        return urlencode({"marker": self.marker.name, "cut": repr(self.cut), "horizon": repr(self.horizon)})


def outcome_filters(given: Mapping[str, str]) -> OutcomeFilters:
    """Read the filters of a request; what cannot be read is replaced and named."""
    problems: list[str] = []
    name = given.get("marker") or "total_plaque_volume"
    if name not in MARKERS:
        problems.append(f"There is no marker “{name[:40]}”: showing total plaque volume.")
        name = "total_plaque_volume"
    marker = MARKERS[name]
    cut = _number(given.get("cut"), marker.cut_off, 0.0, 1e6, "cut-off", problems)
    horizon = _number(given.get("horizon"), 5.0, *HORIZON_LIMITS, "horizon", problems)
    return OutcomeFilters(marker, cut, horizon, tuple(problems))


def _number(
    text: str | None, default: float, low: float, high: float, name: str, problems: list[str]
) -> float:
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        problems.append(f"The {name} “{text[:20]}” is not a number: showing {default:g}.")
        return default
    if not low <= value <= high:  # also refuses NaN
        problems.append(f"The {name} must lie between {low:g} and {high:g}: showing {default:g}.")
        return default
    return value
