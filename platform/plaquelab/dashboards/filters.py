"""The filters of the outcome page: they live in the URL, so that a page can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


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
