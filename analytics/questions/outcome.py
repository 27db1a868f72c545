"""What a marker means for outcome: incidence by a cut-off, ROC, Cox models, shape, prediction, competing death, subgroups.

The page asks for one section at a time (``section``), or for all of them; each stands on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.freeze import Freeze
from analytics.freeze.schema import END_OF_FOLLOW_UP
from analytics.metrics import METRICS
from analytics.profiles import PROFILES, profile
from analytics.questions import filters as shared
from analytics.questions import outcome_models as models
from analytics.questions import outcome_sections as sections
from analytics.questions.answer import Answer, Part, joined
from analytics.questions.filters import NO_FILTERS, Filters, query_of
from analytics.questions.outcome_data import (
    PUBLISHED_CUT_OFFS,
    FollowUp,
    covariate,
    covariates_of,
    follow_up,
    marker_values,
    markers_of,
)
from analytics.questions.outcome_prediction import predicted, prediction_part
from analytics.questions.outcome_sections import Asked
from analytics.questions.steps import Steps
from analytics.result import plural

SECTIONS: dict[str, tuple[str, Callable[[Asked], Part]]] = {
    "incidence": ("Cumulative incidence by the cut-off", sections.incidence_part),
    "roc": ("ROC and cut-offs", sections.roc_part),
    "cox": ("Cox models", models.cox_part),
    "shape": ("Shape of the relation", models.shape_part),
    "prediction": ("Gain in prediction, calibration, benefit", prediction_part),
    "competing": ("Competing events", models.competing_part),
    "subgroups": ("Subgroups and sites", models.subgroups_part),
}


@dataclass(frozen=True)
class OutcomeParameters:
    """What the outcome page shows.

    cut : None for the published cut-off, or Youden's where there is none · horizon : years · knots : of the spline
    endpoint : empty for the freeze's · adjust : covariates of the adjusted models · section : empty for all
    """

    marker: str = "total_plaque_volume"
    cut: float | None = None
    horizon: float = 5.0
    endpoint: str = ""
    adjust: tuple[str, ...] = ("diameter_stenosis_at_cut_off", "assign_score")
    knots: int = 4
    section: str = ""
    profile: str = "recommended"
    filters: Filters = NO_FILTERS


def choices(freeze: Freeze, parameters: OutcomeParameters) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each parameter may be in this freeze: name → (value, label)."""
    outcomes = freeze.table("outcomes")
    events = (
        [str(e) for e in outcomes["event"].cat.categories if e != END_OF_FOLLOW_UP] if len(outcomes) else []
    )
    own = {
        "marker": tuple(markers_of(freeze).items()),
        "endpoint": tuple((e, e.replace("_", " ")) for e in events),
        "adjust": tuple(covariates_of(freeze).items()),
        "section": tuple((name, label) for name, (label, _) in SECTIONS.items()),
        "profile": tuple((p.name, p.label) for p in PROFILES.values()),
    }
    return shared.choices(freeze) | own


def asked(
    freeze: Freeze,
    parameters: OutcomeParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Asked:
    """The data and choices that every section starts from."""
    p = parameters
    if not p.horizon > 0:
        raise AnalyticsError(f"The horizon must be above 0 years, not {p.horizon:g}.")
    data = follow_up(freeze, endpoint=p.endpoint or freeze.about.endpoint, filters=p.filters)
    values = marker_values(freeze, data, p.marker)
    cut, origin = cut_off_asked(data, values, p)
    there = covariates_of(freeze)
    own = {f"{p.marker}_at_cut_off", p.marker}
    adjust = [covariate(freeze, data, name) for name in p.adjust if name in there and name not in own]
    metric = METRICS.get(p.marker)
    return Asked(
        freeze=freeze,
        data=data,
        marker=p.marker,
        label=metric.label if metric else "ASSIGN score",
        unit=metric.unit if metric else "%",
        values=values,
        cut=cut,
        cut_origin=origin,
        horizon=p.horizon,
        knots=p.knots,
        adjust=tuple(adjust),
        profile=profile(p.profile),
        replicates=replicates,
        link=link,
        steps=steps or Steps(),
    )


def cut_off_asked(data: FollowUp, values: np.ndarray, p: OutcomeParameters) -> tuple[float, str]:
    """The cut-off and where it comes from: given, published, Youden's, or the median where nobody had an event."""
    if p.cut is not None:
        return p.cut, "given"
    if p.marker in PUBLISHED_CUT_OFFS:
        return PUBLISHED_CUT_OFFS[p.marker], "published (Lin et al. 2022)"
    found = sections.youden(values, data.event)
    if found is not None:
        return found, "Youden's on these data"
    known = values[~np.isnan(values)]
    return (float(np.median(known)) if len(known) else 0.0), "median"


def answer(
    freeze: Freeze,
    parameters: OutcomeParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Answer:
    """Answer the question.

    Parameters
    ----------
    replicates : bootstrap resamples for optimism and for the cut-off's interval, permutations of the search; without,
        a few hundred resamples are drawn where that is quick
    link : what stands before the selection in every link
    """
    p = parameters
    if p.section and p.section not in SECTIONS:
        raise AnalyticsError(f"There is no section {p.section!r}; there are {', '.join(SECTIONS)}.")
    given = asked(freeze, p, replicates=replicates, link=link, steps=steps)
    wanted = [p.section] if p.section else list(SECTIONS)
    given.steps.total = len(wanted)
    parts = [
        given.steps.run(f"{name} {p.marker} {given.cut!r} {replicates}", partial(SECTIONS[name][1], given))
        for name in wanted
    ]
    whole = joined(parts)
    event = given.data.endpoint.replace("_", " ")
    return Answer(
        question="outcome",
        title=f"{given.label} and {event}",
        parameters=query_of(p),
        freeze=freeze.hash,
        simulated=freeze.simulated,
        figures=whole.figures,
        grids=whole.grids,
        results=whole.results,
        notes=_notes(given, p),
    )


def _notes(given: Asked, p: OutcomeParameters) -> tuple[str, ...]:
    notes = [f"Cut-off {given.cut:g} {given.unit}: {given.cut_origin}."]
    if given.cut_origin.startswith(("published", "Youden")):
        notes.append(
            "A cut-off chosen and tested on the same data looks too good: the corrected figure stands beside."
        )
    notes += [f"{number:,} patients left out: {why}." for why, number in given.data.lost]
    if words := p.filters.words():
        notes.append(f"Only {words}.")
    events = int(given.data.event.sum())
    if events < 20:
        notes.append(
            f"Only {events} {plural('event', events)}: intervals that rest on normal approximations are too narrow."
        )
    return tuple(notes)


def has_covariate(given: Asked, name: str) -> np.ndarray:
    """Patients (n,) with a covariate of the models: those who have it where it is yes or no, else all where it is known."""
    values = next((c.values for c in given.adjust if c.name == name), None)
    if values is None:
        raise AnalyticsError(f"The models are not adjusted for {name!r}.")
    known = values[~np.isnan(values)]
    result: np.ndarray = values == 1 if np.isin(known, (0, 1)).all() else ~np.isnan(values)
    return result


def _by_follow_up(given: Asked, selection: Mapping[str, str]) -> NDArray[np.bool_]:
    """Patients (n,) by their time and event."""
    data, keep = given.data, np.ones(len(given.data), bool)
    if float(selection.get("time", "0")) > 0:  # a curve's start is the whole group
        keep &= np.isclose(data.time, float(selection["time"])) & (data.event == 1)
    if "at_risk" in selection:
        keep &= data.time >= float(selection["at_risk"])
    if "event" in selection:
        keep &= data.event == float(selection["event"])
    until = float(selection.get("until", "0"))
    if until > 0:
        keep &= data.time <= until
        keep &= data.cause == float(selection["cause"]) if "cause" in selection else True
    return keep


def _by_marker(given: Asked, selection: Mapping[str, str]) -> NDArray[np.bool_]:
    """Patients (n,) by their marker."""
    keep, high = np.ones(len(given.data), bool), given.values >= given.cut
    if "group" in selection:
        keep &= (high if selection["group"] == "1" else ~high) & ~np.isnan(given.values)
    if "from" in selection:
        keep &= given.values >= float(selection["from"])
    if "below" in selection:
        keep &= given.values < float(selection["below"])
    return keep


def _by_group(given: Asked, selection: Mapping[str, str]) -> NDArray[np.bool_]:
    """Patients (n,) by a tenth of predicted risk, a covariate, or a level of a subgroup."""
    keep = np.ones(len(given.data), bool)
    if "model" in selection:
        keep &= predicted(given).chosen(selection)
    if "covariate" in selection:
        keep &= has_covariate(given, selection["covariate"])
    if "by" in selection and "level" in selection:
        labels = models.subgroup_labels(given).get(selection["by"], [""] * len(given.data))
        keep &= np.array([label == selection["level"] for label in labels], bool)
    return keep


def cases(freeze: Freeze, parameters: OutcomeParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    """The patients behind what was clicked: a step (``group``, ``time``), a point (``from``), a subgroup, a tenth of risk."""
    given = asked(freeze, parameters)
    data, people = given.data, freeze.table("patients")
    keep = _by_follow_up(given, selection) & _by_marker(given, selection) & _by_group(given, selection)
    if "row" in selection:
        keep &= data.row == int(selection["row"])
    if "site" in selection:
        keep &= (people["site"] == selection["site"]).to_numpy(bool)[data.row]
    people = people.iloc[data.row[keep]]
    return pd.DataFrame(
        {
            "row": data.row[keep],
            "patient": people["patient"].astype(str).to_numpy(),
            "exam": people["exam"].to_numpy(),
            "site": people["site"].to_numpy(),
            "cohort": people["cohort"].to_numpy(),
            given.marker: given.values[keep],
            "years": data.time[keep],
            "outcome": [
                ("end of follow-up", *data.outcomes)[int(c)].replace("_", " ") for c in data.cause[keep]
            ],
        }
    )
