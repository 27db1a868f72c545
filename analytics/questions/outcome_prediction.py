"""What a marker adds to a prediction: C index, calibration, time-dependent AUC, decision curve.

Risks are those of models that did not see the patient (ten folds, events spread evenly), so that a model with one more
covariate does not look better for having one more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.questions.answer import (
    Cell,
    Figure,
    Grid,
    Part,
    count_cell,
    estimate_cell,
    interval_cell,
    text_cell,
)
from analytics.questions.outcome_sections import Asked
from analytics.rounding import p_value
from analytics.survival.concordance import compare_concordance, concordance_of
from analytics.survival.decision import survival_decision_curve_of
from analytics.survival.predicted_risk import cross_validated_risk
from analytics.survival.risk_groups import risk_tenths
from analytics.survival.survival_calibration import survival_calibration_of
from analytics.survival.time_roc import time_auc_of

Array = NDArray[np.float64]
MANY_PATIENTS, FEW_FOLDS = 20_000, 5  # from so many patients on half the folds: time grows with both
THRESHOLDS = tuple(float(t) for t in np.round(np.arange(0.005, 0.1001, 0.005), 4))
LEAST_LEVELS = 5
"""A marker with fewer distinct values enters the models as it is."""


@dataclass(frozen=True)
class Predicted:
    """Risks at the horizon of models that did not see the patient.

    known : (n,) patients with marker and covariates · models : name → risks (known,) · reasons : models that failed
    """

    known: NDArray[np.bool_]
    models: Mapping[str, Array]
    reasons: Mapping[str, str]
    folds: int

    def chosen(self, selection: Mapping[str, str]) -> NDArray[np.bool_]:
        """The patients (n,) behind a point of a calibration (``tenth``) or of a net benefit (``risk``) of a ``model``.

        Raises AnalyticsError for a model that there is not.
        """
        if selection["model"] not in self.models:
            raise AnalyticsError(
                f"There is no model {selection['model']!r} here; there are {', '.join(self.models)}."
            )
        risk = self.models[selection["model"]]
        inside = np.ones(len(risk), bool)
        if "tenth" in selection:
            tenths, number = risk_tenths(risk), int(selection["tenth"])
            if not 0 <= number < len(tenths):
                raise AnalyticsError(f"There is no tenth {number}; they count from 0 to {len(tenths) - 1}.")
            inside = np.isin(np.arange(len(risk)), tenths[number])
        if "risk" in selection:
            inside &= risk >= float(selection["risk"])
        keep = self.known.copy()
        keep[self.known] = inside
        return keep


def predicted(a: Asked) -> Predicted:
    """The risks of the models without and with the marker; made once per freeze and choice."""
    choice = (
        a.marker,
        a.horizon,
        a.data.endpoint,
        tuple(c.name for c in a.adjust),
        a.seed,
        a.data.row.tobytes(),
    )
    return a.freeze.derived(("predicted risks", choice), lambda: _predicted(a))


def _predicted(a: Asked) -> Predicted:
    adjust = {c.label: c.values for c in a.adjust}
    missing = np.isnan(np.column_stack([a.values, *adjust.values()]))
    known = np.asarray(~missing.any(axis=1), bool)
    columns = {name: values[known] for name, values in adjust.items()}
    with_marker = {**columns, f"{a.label} (log)": log_marker(a.values)[known]}
    folds = FEW_FOLDS if int(known.sum()) > MANY_PATIENTS else 10
    models: dict[str, Array] = {}
    reasons: dict[str, str] = {}
    for name, covariates in (("without the marker", columns), ("with the marker", with_marker)):
        if not covariates:
            continue
        risk = cross_validated_risk(
            a.data.time[known], a.data.event[known], covariates, horizon=a.horizon, seed=a.seed, number=folds
        )
        if isinstance(risk, str):
            reasons[name] = risk
        else:
            models[name] = risk
    return Predicted(known, models, reasons, folds)


def prediction_part(a: Asked) -> Part:
    """Models with and without the marker, each patient predicted by a model that did not see them."""
    found = predicted(a)
    models, reasons = found.models, found.reasons
    t, e = a.data.time[found.known], a.data.event[found.known]
    times = [float(y) for y in range(1, int(a.horizon) + 1)] or [a.horizon]
    dependent = time_auc_of(a.data.time, a.data.event, a.values, times, marker=a.label, simulated=a.simulated)
    drawn = draw(dependent, link_template=f"{a.link}event=1&until={{time}}")
    figures = [Figure("time_auc", "Time-dependent AUC", drawn, dependent.caption())]
    results: dict[str, Any] = {"time_auc": dependent, "not_predicted": dict(reasons)}
    rows: list[tuple[Cell, ...]] = []
    for name, risk in models.items():
        c = concordance_of(t, e, risk, simulated=a.simulated)
        calibrated = survival_calibration_of(t, e, risk, horizon=a.horizon, simulated=a.simulated)
        results |= {f"concordance {name}": c, f"calibration {name}": calibrated}
        rows.append(
            (text_cell(name), count_cell(c.n), estimate_cell(c, 3), interval_cell(c.interval, 3), Cell("–"))
        )
        figures.append(
            Figure(
                f"calibration_{name.replace(' ', '_')}",
                f"Calibration, {name}",
                draw(calibrated, link_template=f"{a.link}model={quote(name)}&tenth={{group}}"),
                calibrated.caption(),
            )
        )
    if len(models) == 2:
        gain = compare_concordance(
            t,
            e,
            models["without the marker"],
            models["with the marker"],
            names=("without", "with"),
            simulated=a.simulated,
        )
        results["gain"] = gain
        p = text_cell(p_value(gain.test.p)) if gain.test else Cell("–")
        rows.append(
            (
                text_cell("gain"),
                count_cell(gain.n),
                estimate_cell(gain, 3),
                interval_cell(gain.interval, 3),
                p,
            )
        )
    if models:
        benefit = survival_decision_curve_of(
            t, e, dict(models), THRESHOLDS, horizon=a.horizon, simulated=a.simulated
        )
        curves = draw(benefit, link_template=f"{a.link}model={{model}}&risk={{threshold}}")
        results["decision"] = benefit
        figures.append(Figure("decision", f"Net benefit at {a.horizon:g} years", curves, benefit.caption()))
    adjusted = ", ".join(c.label for c in a.adjust) or "nothing"
    caption = (
        f"Harrell's C of predicted risk at {a.horizon:g} years from Cox models of {adjusted}, without and with the logarithm of "
        f"{a.label.lower()} plus one unit; every patient is predicted by a model fitted without them ({found.folds} folds)."
    )
    if reasons:
        caption += " Not estimable: " + "; ".join(f"{name}: {why}" for name, why in reasons.items()) + "."
    grid = Grid("prediction", "Gain in prediction", ("Model", "n", "C", "95 % CI", "p"), tuple(rows), caption)
    return Part(tuple(figures), (grid,), results)


def log_marker(values: Array) -> Array:
    """log(1 + value) of a marker that is skewed and never negative; the value itself of others."""
    known = values[~np.isnan(values)]
    if not len(known) or known.min() < 0 or len(np.unique(known)) < LEAST_LEVELS:
        return values
    return np.log1p(values)
