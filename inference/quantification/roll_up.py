"""Lesions and vessels → territories → patient: the one place where rows of parts become rows of what they make up.

A measured vessel has rows of its own, and these count. Of a vessel whose lesions alone were told (an outside read) the
lesions count: their plaque adds up, the worst of them decides. Patient rows sum lesions, never territories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from inference.composition_profiles import CompositionProfile
from inference.grading import cadrads, plaque_stage, plaque_stage_by_pav
from inference.quantification.types import Measurement
from inference.vocabulary import METRICS, TERRITORIES, UNITS, Metric, rolling, territory_of

Rows = Mapping[str, Measurement]
"""Metric → row, of one place."""
STAYS_WITH_THE_LESION = frozenset({"diameter_stenosis_feret", "high_risk_features"})
"""Of lesions alone these roll up no further: nobody knows whether an outside reader means by them what we measure."""


@dataclass
class _Vessel:
    """What is told of one vessel: of all of it, and of each lesion."""

    name: str
    whole: dict[str, Measurement] = field(default_factory=dict)
    lesions: dict[int | None, dict[str, Measurement]] = field(default_factory=dict)


def roll_up(
    tables: Sequence[Iterable[Measurement]],
    profile: CompositionProfile | None = None,
    *,
    without_lesion: Iterable[str] = (),
) -> list[Measurement]:
    """Return territory and patient rows from the vessels' tables.

    Parameters
    ----------
    tables : rows of levels ``vessel`` and ``lesion``, a vessel a table; where a vessel has no row of a metric, its
        lesions' rows are asked. A row without a value says that nothing could be measured there and is passed over;
        a lesion without the row is not told of, and makes what it belongs to unknown (None).
    profile : composition profile of the measured vessels; None for an outside read.
    without_lesion : vessels that were read and in which no lesion was found, for a read that tells of lesions alone.

    Returns
    -------
    list of Measurement
        Sums, ratios of sums, the worst lesion's stenosis, area, CAD-RADS and high-risk features, and for the patient
        the plaque stage, each where something of it was told. A territory with no vessel has no rows. Of lesions alone
        neither the vessel's and lumen's volume nor what is a share of them is known.
    """
    vessels = _by_vessel(tables)
    for name in without_lesion:
        vessels.setdefault(name, _Vessel(name))
    read = list(vessels.values())
    label = "" if profile is None else profile.name
    out: list[Measurement] = []
    for territory in TERRITORIES:
        if mine := [vessel for vessel in read if territory_of(vessel.name) == territory]:
            out += _level("territory", territory, mine, read, label)
    return out + (_level("patient", "", read, read, label) if read else [])


def worst_of(lesions: Iterable[Measurement]) -> dict[str, float | str | None]:
    """Return the worst lesion's stenosis, minimal luminal area (where there is a lesion), CAD-RADS and high-risk count."""
    vessels = list(_by_vessel([lesions]).values())
    return _worst(vessels, _extremes("vessel"))


def _by_vessel(tables: Sequence[Iterable[Measurement]]) -> dict[str, _Vessel]:
    """Sort rows by vessel, in the order in which vessels come; other levels are left out."""
    vessels: dict[str, _Vessel] = {}
    for table in tables:
        for row in table:
            if row.level not in ("vessel", "lesion"):
                continue
            vessel = vessels.get(row.vessel)
            if vessel is None:
                vessel = vessels[row.vessel] = _Vessel(row.vessel)
            if row.level == "vessel":
                vessel.whole[row.metric] = row
            else:
                vessel.lesions.setdefault(row.lesion, {})[row.metric] = row
    return vessels


def _extremes(level: str) -> list[Metric]:
    """Return the metrics of which the worst lesion counts, as far as our own measurements have them at a level."""
    return [m for m in METRICS.values() if m.roll_up in ("highest", "lowest") and level in m.levels]


def _level(
    level: str, name: str, vessels: Sequence[_Vessel], read: Sequence[_Vessel], profile: str
) -> list[Measurement]:
    """Return the rows of one place from its vessels. ``read`` : all vessels of the read, which say what is told."""

    def row(
        metric: str, value: float | str | None, low: float | None = None, high: float | None = None
    ) -> Measurement:
        return Measurement(level, name, "", None, metric, value, UNITS[metric], low, high, profile)

    of_vessels = {metric for vessel in read for metric in vessel.whole}
    of_lesions = {metric for vessel in read for lesion in vessel.lesions.values() for metric in lesion}
    out = []
    for metric in rolling("sum", level):
        if metric.name in of_vessels or (metric.zero_when_absent and metric.name in of_lesions):
            parts = _summands(vessels, metric)
            out.append(row(metric.name, *(_total(parts, part) for part in ("value", "low", "high"))))
    out += [row(metric, share) for metric, share in _shares(vessels, level, of_vessels).items()]
    known = of_vessels | of_lesions | {"cadrads"}
    if of_vessels:
        extremes = [m for m in _extremes(level) if m.name in known]
    else:
        extremes = [m for m in _extremes("lesion") if m.name in known - STAYS_WITH_THE_LESION]
    out += [row(metric, worst) for metric, worst in _worst(vessels, extremes).items()]
    if level == "patient" and "vessel_volume" in of_vessels:
        stage = plaque_stage(_total(_summands(vessels, METRICS["total_plaque_volume"]), "value") or 0.0)
        # low and high carry the stage by PAV when it disagrees: both are shown.
        pav = _shares(vessels, level, of_vessels)["percent_atheroma_volume"]
        by_pav = plaque_stage_by_pav(pav) if pav is not None else stage
        out.append(row("plaque_stage", float(stage), float(min(stage, by_pav)), float(max(stage, by_pav))))
    return out


def _summands(vessels: Iterable[_Vessel], metric: Metric) -> list[Measurement | None]:
    """Return the rows that add up to a metric of these vessels, None for each that is not told."""
    parts: list[Measurement | None] = []
    for vessel in vessels:
        if metric.name in vessel.whole:
            parts.append(vessel.whole[metric.name])
        elif not metric.zero_when_absent or (vessel.whole and not vessel.lesions):
            parts.append(None)  # vessel lies outside lesions too, or is told of without its lesions
        else:
            parts += [lesion.get(metric.name) for lesion in vessel.lesions.values()]
    return parts


def _total(parts: Iterable[Measurement | None], part: str) -> float | None:
    """Return the sum of values (or of ``low``, ``high``), or None where one is not known."""
    found = [None if row is None else getattr(row, part) for row in parts]
    numbers = [float(x) for x in found if isinstance(x, int | float)]
    return float(sum(numbers)) if len(numbers) == len(found) else None


def _shares(vessels: Sequence[_Vessel], level: str, of_vessels: set[str]) -> dict[str, float | None]:
    """Return every ratio of two sums over the vessels whose denominator is told, %."""
    out: dict[str, float | None] = {}
    for metric in rolling("ratio", level):
        part, whole = metric.ratio or ("", "")
        if whole not in of_vessels:
            continue
        above, below = (_total(_summands(vessels, METRICS[name]), "value") for name in (part, whole))
        out[metric.name] = 100 * above / below if above is not None and below else None
    return out


def _worst(vessels: Sequence[_Vessel], extremes: Iterable[Metric]) -> dict[str, float | str | None]:
    """Return the worst of each metric over the vessels' own rows, or their lesions'; None where a lesion is not told of."""
    out: dict[str, float | str | None] = {}
    for metric in extremes:
        grades = metric.unit == "category"
        parts: list[float | str | None] = []
        untold = False
        for vessel in vessels:
            if metric.name in vessel.whole:
                parts.append(vessel.whole[metric.name].value)
            elif vessel.lesions:
                rows = [_grade(x) if grades else x.get(metric.name) for x in vessel.lesions.values()]
                untold |= None in rows
                parts += [row.value for row in rows if row is not None]
            else:
                untold |= bool(vessel.whole) and metric.roll_up == "highest"
        if untold:
            out[metric.name] = None
        elif grades:
            out[metric.name] = max(
                (str(x) for x in parts if x is not None), default=cadrads(0.0, has_lesion=False)
            )
        else:
            numbers = [float(x) for x in parts if isinstance(x, int | float)]
            if numbers or metric.zero_when_absent:
                out[metric.name] = (max if metric.roll_up == "highest" else min)(numbers or [0.0])
    return out


def _grade(lesion: Rows) -> Measurement | None:
    """Return a lesion's CAD-RADS as it was given, else as its stenosis tells; None where neither is told."""
    given, stenosis = lesion.get("cadrads"), lesion.get("diameter_stenosis")
    if given is not None or stenosis is None:
        return given
    value = stenosis.value if isinstance(stenosis.value, int | float) else None
    return Measurement(
        "lesion",
        stenosis.vessel,
        stenosis.segment,
        stenosis.lesion,
        "cadrads",
        None if value is None else cadrads(value),
        UNITS["cadrads"],
    )
