"""Predicted risks against lifelines, cross-validation without the patient, and residuals over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.survival.hazard_over_time import hazard_over_time_of
from analytics.survival.predicted_risk import cross_validated_risk, fit_risk, folds


def sample(seed=1, n=400, change=0.0):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    early = rng.exponential(1, n) / (0.15 * np.exp(0.8 * x + 0.3 * z))
    # After 2 years the effect of x changes by ``change``.
    rest = rng.exponential(1, n) / (0.15 * np.exp((0.8 + change) * x + 0.3 * z))
    event_at = np.where(early < 2, early, 2 + rest)
    censored = rng.uniform(3, 7, n)
    return np.minimum(event_at, censored), (event_at <= censored).astype(float), {"x": x, "z": z}


def test_risk_agrees_with_lifelines_without_ties():
    time, event, covariates = sample()
    horizon = time[(event == 1) & (time <= 3)].max()  # lifelines draws straight lines between event times
    model = fit_risk(time, event, covariates, horizon=horizon)
    table = pd.DataFrame({"time": time, "event": event, **covariates})
    other = CoxPHFitter().fit(table, "time", "event")
    expected = 1 - other.predict_survival_function(table[["x", "z"]].head(5), times=[horizon]).to_numpy()[0]
    assert model.risk(covariates)[:5] == pytest.approx(expected, rel=1e-4)


def test_folds_spread_the_events():
    event = np.r_[np.ones(20), np.zeros(181)]
    fold = folds(event, 10, 1)
    assert np.bincount(fold[:20]).tolist() == [2] * 10
    assert set(np.bincount(fold[20:]).tolist()) == {18, 19}
    assert (fold == folds(event, 10, 1)).all()
    assert (fold != folds(event, 10, 2)).any()


def test_cross_validated_risk_does_not_see_the_patient():
    time, event, covariates = sample()
    risk = cross_validated_risk(time, event, covariates, horizon=3.0, seed=4)
    fold = folds(event, 10, 4)
    inside = fold == fold[0]
    model = fit_risk(
        time[~inside], event[~inside], {k: v[~inside] for k, v in covariates.items()}, horizon=3.0
    )
    assert risk[0] == pytest.approx(model.risk({k: v[:1] for k, v in covariates.items()})[0])


def test_what_cannot_be_fitted_says_why():
    time, event, covariates = sample(n=60)
    assert fit_risk(time, event * 0, covariates, horizon=3.0) == "no events"
    assert "collinear" in fit_risk(time, event, {"x": covariates["x"], "y": 2 * covariates["x"]}, horizon=3.0)
    few = event * (np.arange(60) == np.flatnonzero(event)[0])
    assert "without fold" in cross_validated_risk(time, few, covariates, horizon=3.0)
    with pytest.raises(AnalyticsError, match="horizon must be above 0"):
        fit_risk(time, event, covariates, horizon=0)


def test_the_smooth_follows_a_changing_effect():
    steady = hazard_over_time_of(*sample(n=3000), covariate="x")
    falling = hazard_over_time_of(*sample(n=3000, change=-0.8), covariate="x")
    assert steady.coefficient == pytest.approx(0.8, abs=0.1)
    assert np.abs(steady.smooth - steady.coefficient).max() < 0.35
    late = falling.smooth[falling.grid > 3.5].mean()
    early = falling.smooth[falling.grid < 1].mean()
    assert early - late > 0.5
    assert falling.residuals.mean() == pytest.approx(falling.coefficient, abs=1e-6), (
        "they average to the coefficient"
    )
    assert draw(falling).data[-1]["x"] == falling.times.tolist()


def test_events_of_dropped_rows_keep_their_place():
    time, event, covariates = sample(n=200)
    covariates["z"] = covariates["z"].copy()
    covariates["z"][:50] = np.nan
    found = hazard_over_time_of(time, event, covariates, covariate="x")
    assert (found.rows >= 50).all()
    assert (event[found.rows] == 1).all()
    assert time[found.rows] == pytest.approx(found.times)
    assert (
        "events; 8 are needed"
        in hazard_over_time_of(time, event * (time < 0.3), covariates, covariate="x").reason
    )
