"""Calibration, Brier score, decision curve and reclassification."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.survival.calibration import calibration_of
from analytics.survival.decision import (
    decision_curve_of,
    reclassification_of,
    survival_decision_curve_of,
)
from analytics.survival.survival_calibration import brier_at, survival_calibration_of
from analytics.tables import on_table


def predictions(n=400, seed=1, slope=1.0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1, 1.2, n)
    return 1 / (1 + np.exp(-logit)), (rng.random(n) < 1 / (1 + np.exp(-slope * logit))) * 1.0


def follow_up(n=500, seed=6):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    rate = 0.15 * np.exp(0.8 * x)
    time, censor = rng.exponential(1 / rate), rng.uniform(1, 10, n)
    return np.minimum(time, censor), (time <= censor) * 1.0, 1 - np.exp(-5 * rate)


def test_slope_is_the_maximum_likelihood():
    p, y = predictions(slope=0.6)
    logit = np.log(p / (1 - p))

    def minus(beta):
        eta = beta[0] + beta[1] * logit
        return (np.logaddexp(0, eta) - y * eta).sum()

    best = minimize(minus, [0, 1], method="BFGS", options={"gtol": 1e-9})
    result = calibration_of(p, y)
    assert [result.joint_intercept, result.estimate] == pytest.approx(best.x, abs=1e-5)
    assert result.interval.low < 0.6 < result.interval.high
    assert result.interval.high < 1
    assert result.test.p < 0.05


def test_good_predictions_are_calibrated():
    p, y = predictions(4000)
    result = calibration_of(p, y)
    assert abs(result.estimate - 1) < 0.1
    assert abs(result.intercept) < 0.1
    assert result.test.p > 0.01
    assert result.spiegelhalter.p > 0.01
    assert 0 < result.brier_scaled < 1
    assert len(draw(result).to_figure().data) == 2


def test_brier_by_hand():
    result = calibration_of(np.array([0.2, 0.8, 0.5, 0.4]), np.array([0, 1, 1, 0.0]))
    assert result.brier == pytest.approx((0.04 + 0.04 + 0.25 + 0.16) / 4)


def test_calibration_refuses_with_reasons():
    p, y = predictions(50)
    assert calibration_of(p, 0 * y).reason == "the outcome has one value only"
    p[0] = 1
    assert "exactly 0 or 1" in calibration_of(p, y).reason
    p[0], y[1] = np.nan, np.nan
    assert on_table(calibration_of, {"p": p, "y": y}, probability="p", outcome="y").dropped_count == 2
    with pytest.raises(AnalyticsError, match="row 3: 7 lies outside"):
        calibration_of(np.array([0.1, 0.2, 7]), np.array([0, 1, 1.0]))
    with pytest.raises(AnalyticsError, match="row 1: 2 is neither"):
        calibration_of(np.array([0.1]), np.array([2.0]))


def test_survival_calibration_of_the_truth():
    time, event, risk = follow_up(4000)
    result = survival_calibration_of(time, event, risk, horizon=5)
    assert result.interval.low < 1 < result.interval.high
    assert 0.05 < result.brier_scaled < 0.5
    assert all(g.interval.low - 0.06 < g.predicted < g.interval.high + 0.06 for g in result.groups)
    assert len(draw(result).to_figure().data) == 2
    assert result.to_dict()["brier_scaled"] == result.brier_scaled


def test_brier_without_censoring_is_the_mean_square():
    time, _, risk = follow_up()
    everyone = np.ones(500, bool)
    assert brier_at(time, everyone, risk, 5) == pytest.approx((((time <= 5) - risk) ** 2).mean())


def test_brier_with_censoring_estimates_the_uncensored_one():
    rng = np.random.default_rng(8)
    n = 20_000
    x = rng.standard_normal(n)
    rate = 0.15 * np.exp(0.8 * x)
    time, censor, risk = rng.exponential(1 / rate), rng.uniform(1, 10, n), 1 - np.exp(-5 * rate)
    full = brier_at(time, np.ones(n, bool), risk, 5)
    assert brier_at(np.minimum(time, censor), time <= censor, risk, 5) == pytest.approx(full, rel=0.03)


def test_survival_calibration_beyond_follow_up():
    time, event, risk = follow_up(50)
    assert "followed up" in survival_calibration_of(time, event, risk, horizon=99).reason


def test_net_benefit_by_hand_and_equality_counts_as_positive():
    curve = decision_curve_of(np.array([1, 0, 1, 0.0]), {"m": np.array([0.5, 0.2, 0.1, 0.6])}, [0.2])
    assert curve.models[0][1][0] == pytest.approx((1 - 2 * 0.25) / 4)
    assert curve.treat_all[0] == pytest.approx((2 - 2 * 0.25) / 4)
    assert len(draw(curve).to_figure().data) == 3
    with pytest.raises(AnalyticsError, match="Threshold 1 lies outside"):
        decision_curve_of(np.array([1, 0.0]), {"m": np.array([0.5, 0.2])}, [1.0])


def test_survival_net_benefit_without_censoring_is_the_plain_one():
    time, _, risk = follow_up()
    plain = decision_curve_of((time <= 5) * 1.0, {"m": risk}, [0.1, 0.3])
    by_time = survival_decision_curve_of(time, np.ones(500), {"m": risk}, [0.1, 0.3], horizon=5)
    assert by_time.models[0][1] == pytest.approx(plain.models[0][1])
    assert by_time.treat_all == pytest.approx(plain.treat_all)
    assert by_time.to_dict()["horizon"] == 5
    with pytest.raises(AnalyticsError, match="Nobody is followed"):
        survival_decision_curve_of(time, np.ones(500), {"m": risk}, [0.1], horizon=1e6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5000))
def test_reclassification_is_antisymmetric(seed):
    p, y = predictions(60, seed)
    q, _ = predictions(60, seed + 1)
    forth, back = reclassification_of(p, q, y), reclassification_of(q, p, y)
    assert forth.estimate == pytest.approx(-back.estimate)
    assert -2 <= forth.estimate <= 2
    assert forth.idi.estimate == pytest.approx(-back.idi.estimate)
    same = reclassification_of(p, p, y, categories=(0.1, 0.3))
    assert (same.estimate, same.test) == (0, None)
