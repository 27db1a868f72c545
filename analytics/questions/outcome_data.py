"""Follow-up, markers and covariates of the patients whose outcome is known: what the outcome question analyses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.freeze import Freeze
from analytics.freeze.schema import END_OF_FOLLOW_UP
from analytics.metrics import METRICS
from analytics.questions.filters import Filters, patient_index

Array = NDArray[np.float64]

PUBLISHED_CUT_OFFS = {
    "total_plaque_volume": 238.5,
    "diameter_stenosis": 50.0,
    "low_attenuation_plaque_burden": 4.0,
}
"""Lin et al. 2022."""

YES_NO = "yes/no"
ABBREVIATIONS = ("hdl", "ica", "ivus", "simd", "ldl", "egfr", "crp", "ct", "ecg")


@dataclass(frozen=True)
class Covariate:
    """A covariate of the models: its name in figures, and values (n,) with NaN where it is not known."""

    name: str
    label: str
    values: Array
    unit: str


@dataclass(frozen=True)
class FollowUp:
    """Patients with follow-up, in the order of the table of patients.

    time : (n,) years to the first event or the end · cause : (n,) 0 end of follow-up, 1 the endpoint, 2 … competing
    row : (n,) row of the table of patients · marker_row : (n,) row of the table of markers, −1 without one
    lost : patients left out, by reason
    """

    time: Array
    cause: Array
    row: NDArray[np.int64]
    marker_row: NDArray[np.int64]
    endpoint: str
    outcomes: tuple[str, ...]
    lost: tuple[tuple[str, int], ...]

    @property
    def event(self) -> Array:
        """1 where the endpoint came first: (n,)."""
        first: Array = (self.cause == 1).astype(float)
        return first

    def __len__(self) -> int:
        return len(self.time)


def follow_up(freeze: Freeze, *, endpoint: str, filters: Filters) -> FollowUp:
    """Time to the first of endpoint, competing event and end of follow-up.

    At equal times the endpoint comes before a competing event, and both before the end (a censoring). Raises
    AnalyticsError when the freeze has no outcomes, or none of that name and it is not the study's endpoint.
    """
    table = freeze.table("outcomes")
    known = [str(e) for e in table["event"].cat.categories] if len(table) else []
    if not len(table):
        raise AnalyticsError("This freeze has no outcomes: import them, then make the next freeze.")
    # The study's own endpoint may not have happened yet; another name is a mistake.
    if endpoint not in known and endpoint != freeze.about.endpoint:
        there = ", ".join(e for e in known if e != END_OF_FOLLOW_UP) or "none"
        raise AnalyticsError(f"There is no event {endpoint!r} in this freeze; its events are {there}.")
    competing = tuple(c for c in freeze.about.competing if c in known and c != endpoint)
    people = freeze.table("patients")
    n = len(people)
    first, cause = np.full(n, np.inf), np.zeros(n)
    owner = patient_index(freeze, "outcomes")
    event, years = table["event"].astype(object).to_numpy(), table["years"].to_numpy(float)
    end = np.full(n, np.nan)
    rows = event == END_OF_FOLLOW_UP
    end[owner[rows]] = years[rows]
    for code, name in [(i + 2, c) for i, c in enumerate(competing)][::-1] + [(1, endpoint)]:
        rows = event == name
        at = np.full(n, np.inf)
        at[owner[rows]] = years[rows]
        sooner = at <= first
        first, cause = (
            np.where(sooner & np.isfinite(at), at, first),
            np.where(sooner & np.isfinite(at), code, cause),
        )
    time = np.where(cause > 0, first, end)
    wanted = filters.patients(freeze)
    measured = marker_rows(freeze)
    # Patients of other cohorts have neither markers nor outcomes: only those with one of them are missing something.
    concerned = wanted & ((measured >= 0) | np.isfinite(np.where(np.isnan(time), np.inf, time)))
    keep = concerned & ~np.isnan(time) & (measured >= 0)
    lost = (
        ("follow-up is not known", int((concerned & np.isnan(time)).sum())),
        ("no whole-patient measurement", int((concerned & ~np.isnan(time) & (measured < 0)).sum())),
    )
    row = np.flatnonzero(keep)
    return FollowUp(
        time=time[row],
        cause=cause[row],
        row=row,
        marker_row=measured[row],
        endpoint=endpoint,
        outcomes=(endpoint, *competing),
        lost=tuple(item for item in lost if item[1]),
    )


def marker_rows(freeze: Freeze) -> NDArray[np.int64]:
    """For each patient the row of the table of markers, −1 without one."""

    def found() -> NDArray[np.int64]:
        result = np.full(len(freeze.table("patients")), -1, np.int64)
        index = patient_index(freeze, "markers")
        result[index] = np.arange(len(index))
        return result

    return freeze.derived("marker rows", found)


def markers_of(freeze: Freeze) -> dict[str, str]:
    """Continuous markers that the freeze has: name → heading, the network's metrics first, then the score."""
    table = freeze.table("markers")
    there = {n: m.heading for n, m in METRICS.items() if n in table and table[n].notna().any()}
    if freeze.table("patients")["assign_score"].notna().any():
        there["assign_score"] = "ASSIGN score (%)"
    return there


def marker_values(freeze: Freeze, data: FollowUp, name: str) -> Array:
    """Values (n,) of a marker. Raises AnalyticsError for one that the freeze lacks."""
    if name not in markers_of(freeze):
        raise AnalyticsError(
            f"There is no marker {name!r} in this freeze; there are {', '.join(markers_of(freeze))}."
        )
    if name == "assign_score":
        return freeze.table("patients")["assign_score"].to_numpy(float)[data.row]
    return freeze.table("markers")[name].to_numpy(float)[data.marker_row]


def covariates_of(freeze: Freeze) -> dict[str, str]:
    """What models may be adjusted for: name → label."""
    found = {}
    markers = markers_of(freeze)
    for name, cut in PUBLISHED_CUT_OFFS.items():
        if name in markers:
            metric = METRICS[name]
            found[f"{name}_at_cut_off"] = f"{metric.label} ≥ {cut:g} {metric.unit}"
    people = freeze.table("patients")
    for name, label in (("assign_score", "ASSIGN score (per %)"), ("age", "Age (per year)")):
        if people[name].notna().any():
            found[name] = label
    if people["sex"].notna().any():
        found["male"] = "Male sex"
    table = freeze.table("covariates")
    for name in table["name"].cat.categories if len(table) else []:
        rows = table["name"] == name
        if table.loc[rows, "value"].notna().any():
            unit = _unit(table, rows)
            per = "" if unit in (YES_NO, "") else f" (per {unit})"
            found[str(name)] = f"{in_words(str(name))}{per}"
    return found


def in_words(name: str) -> str:
    """``hdl_cholesterol`` gives ``HDL cholesterol``."""
    words = [w.upper() if w in ABBREVIATIONS else w for w in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _unit(table: pd.DataFrame, rows: pd.Series) -> str:
    units = table.loc[rows, "unit"].dropna().unique()
    if len(units) > 1:
        row = int(np.flatnonzero(rows.to_numpy() & (table["unit"] == units[1]).to_numpy())[0])
        name = table["name"].iloc[row]
        raise AnalyticsError(
            f"Table covariates: column 'unit', row {row + 1}: {name!r} is in {units[1]}, elsewhere in {units[0]}: give one unit."
        )
    return str(units[0]) if len(units) else ""


def covariate(freeze: Freeze, data: FollowUp, name: str) -> Covariate:
    """One covariate of the models. Raises AnalyticsError for one that the freeze lacks."""
    labels = covariates_of(freeze)
    if name not in labels:
        raise AnalyticsError(f"There is no covariate {name!r} in this freeze; there are {', '.join(labels)}.")
    people = freeze.table("patients")
    if name.endswith("_at_cut_off"):
        values = marker_values(freeze, data, name.removesuffix("_at_cut_off"))
        cut = PUBLISHED_CUT_OFFS[name.removesuffix("_at_cut_off")]
        return Covariate(
            name, labels[name], np.where(np.isnan(values), np.nan, (values >= cut).astype(float)), YES_NO
        )
    if name in ("assign_score", "age"):
        return Covariate(
            name,
            labels[name],
            people[name].to_numpy(float)[data.row],
            "%" if name == "assign_score" else "years",
        )
    if name == "male":
        sex = people["sex"].iloc[data.row]
        values = np.where(sex.isna().to_numpy(), np.nan, (sex == "male").to_numpy(float))
        return Covariate(name, labels[name], values, YES_NO)
    table = freeze.table("covariates")
    rows = (table["name"] == name).to_numpy()
    values = np.full(len(people), np.nan)
    values[patient_index(freeze, "covariates")[rows]] = table["value"].to_numpy(float)[rows]
    return Covariate(name, labels[name], values[data.row], _unit(table, table["name"] == name))
