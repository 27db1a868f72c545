"""What a marker adds to a prediction: C index, calibration, time-dependent AUC, decision curve.

Risks are those of models that did not see the patient (ten folds, events spread evenly), so that a model with one more
covariate does not look better for having one more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from analytics.survival.survival_calibration import survival_calibration_of
from analytics.survival.time_roc import time_auc_of

Array = NDArray[np.float64]
MANY_PATIENTS, FEW_FOLDS = 20_000, 5
THRESHOLDS = tuple(float(t) for t in np.round(np.arange(0.005, 0.1001, 0.005), 4))
LEAST_LEVELS = 5
"""A marker with fewer distinct values enters the models as it is."""


def prediction_part(a: Asked) -> Part:
    """Models with and without the marker, each patient predicted by a model that did not see them."""
    time, event = a.data.time, a.data.event
    adjust = {c.label: c.values for c in a.adjust}
    marker = {f"{a.label} (log)": log_marker(a.values)}
    known = ~np.isnan(np.column_stack([a.values, *adjust.values()])).any(axis=1)
    columns = {k: v[known] for k, v in adjust.items()}
    with_marker = {**columns, **{k: v[known] for k, v in marker.items()}}
    t, e = time[known], event[known]
    common: dict[str, Any] = {"horizon": a.horizon, "seed": a.seed}
    common["number"] = FEW_FOLDS if len(t) > MANY_PATIENTS else 10
    models: dict[str, Array] = {}
    reasons: dict[str, str] = {}
    for name, covariates in (("without the marker", columns), ("with the marker", with_marker)):
        if not covariates:
            continue
        risk = cross_validated_risk(t, e, covariates, **common)
        if isinstance(risk, str):
            reasons[name] = risk
        else:
            models[name] = risk
    times = [float(y) for y in range(1, int(a.horizon) + 1)] or [a.horizon]
    dependent = time_auc_of(time, event, a.values, times, marker=a.label, simulated=a.simulated)
    figures = [Figure("time_auc", "Time-dependent AUC", dependent.drawing(), dependent.caption())]
    results: dict[str, Any] = {"time_auc": dependent, "not_predicted": reasons}
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
                calibrated.drawing(),
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
            t, e, models, THRESHOLDS, horizon=a.horizon, simulated=a.simulated
        )
        results["decision"] = benefit
        figures.append(
            Figure("decision", f"Net benefit at {a.horizon:g} years", benefit.drawing(), benefit.caption())
        )
    adjusted = ", ".join(columns) or "nothing"
    caption = (
        f"Harrell's C of predicted risk at {a.horizon:g} years from Cox models of {adjusted}, without and with the logarithm of "
        f"{a.label.lower()} plus one unit; every patient is predicted by a model fitted without them ({common['number']} folds)."
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
