"""Deming and Passing–Bablok against closed forms, brute force and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from analytics.agreement.regression import deming_of, passing_bablok_of
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.tables import on_table


def methods(n=80, seed=0, slope=1.2, noise=4.0, patients=20):
    """Simulated reads with error in both and, per patient, a shared error of the second."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(20, 200, n)
    patient = np.arange(n) % patients
    first = truth + noise * rng.normal(size=n)
    second = 5 + slope * truth + noise * rng.normal(size=n)
    return first.round(1), second.round(1), patient


@pytest.mark.parametrize("ratio", [1.0, 4.0])
def test_deming_minimises_the_weighted_distance(ratio):
    x, y, _ = methods()
    result = deming_of(x, y, error_ratio=ratio)
    best = optimize.minimize(
        lambda line: ((y - line[1] - line[0] * x) ** 2).sum() / (ratio + line[0] ** 2),
        [1.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000},
    )
    assert (result.estimate, result.intercept) == pytest.approx(tuple(best.x), rel=1e-5)


def test_deming_jackknife_equals_leaving_out_by_hand():
    x, y, patient = methods(n=40)
    result = deming_of(x, y, clusters=patient)
    left = np.array([deming_of(np.delete(x, i), np.delete(y, i)).estimate for i in range(40)])
    se = np.sqrt(39 / 40 * ((left - left.mean()) ** 2).sum())
    assert result.interval.high - result.interval.low == pytest.approx(2 * 2.024394 * se, rel=1e-6)
    left = np.array([deming_of(x[patient != p], y[patient != p]).estimate for p in range(20)])
    se = np.sqrt(19 / 20 * ((left - left.mean()) ** 2).sum())
    assert result.cluster_interval.high - result.cluster_interval.low == pytest.approx(
        2 * 2.100922 * se, rel=1e-6
    )


@pytest.mark.parametrize("method", [deming_of, passing_bablok_of])
def test_intervals_cover(method):
    hits = 0
    for seed in range(300):
        x, y, _ = methods(n=50, seed=seed, slope=1.0)
        low, high = method(x, y).interval
        hits += low <= 1.0 <= high
    assert 0.915 <= hits / 300 <= 0.985


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_turning_the_methods_round_inverts_the_slope(seed):
    x, y, _ = methods(n=31, seed=seed)
    forward, back = deming_of(x, y), deming_of(y, x)
    assert back.estimate == pytest.approx(1 / forward.estimate)
    # An even number of slopes has two medians in the middle, whose mean does not invert: 31 points have 465 slopes.
    forward, back = passing_bablok_of(x, y), passing_bablok_of(y, x)
    if forward.n * (forward.n - 1) // 2 == 465:
        assert back.estimate == pytest.approx(1 / forward.estimate, rel=1e-3)


def test_passing_bablok_by_brute_force():
    x, y, patient = methods(n=25)
    x[3], y[3] = x[4], y[4]  # identical pair: no slope
    result = passing_bablok_of(x, y, clusters=patient)
    slopes = []
    for i in range(25):
        for j in range(i + 1, 25):
            dx, dy = round(x[j] - x[i], 6), round(y[j] - y[i], 6)
            if (dx, dy) != (0, 0) and not (dx and dy / dx == -1):
                slopes.append(dy / dx if dx else np.sign(dy) * np.inf)
    slopes = np.sort(slopes)
    k, n = int((slopes < -1).sum()), len(slopes)
    expected = slopes[(n + 1) // 2 + k - 1] if n % 2 else slopes[n // 2 + k - 1 : n // 2 + k + 1].mean()
    assert result.estimate == pytest.approx(expected)
    assert result.intercept == pytest.approx(np.median(y - expected * x))
    assert result.interval.low < result.estimate < result.interval.high
    assert result.intercept_interval.low < result.intercept < result.intercept_interval.high
    assert result.cluster_interval.low < result.estimate < result.cluster_interval.high
    assert "cusum test of linearity" in result.sentence()
    assert len(draw(result).to_figure().data) == 3


def test_an_outlier_moves_deming_but_not_passing_bablok():
    x, y, _ = methods(slope=1.0)
    y[0] += 2000
    assert passing_bablok_of(x, y).estimate == pytest.approx(1, abs=0.05)
    assert abs(deming_of(x, y).estimate - 1) > 0.3


def test_a_curve_is_not_linear():
    x = np.linspace(1, 100, 60)
    rng = np.random.default_rng(1)
    assert passing_bablok_of(x, x**2 / 100 + rng.normal(size=60)).test.p < 0.01
    assert passing_bablok_of(x, x + rng.normal(size=60)).test.p > 0.05


def test_tables_and_refusals():
    x, y, patient = methods()
    x[0] = np.nan
    table = {"expert": x, "network": y, "patient": patient}
    for method in (deming_of, passing_bablok_of):
        r = on_table(method, table, first="expert", second="network", cluster="patient", value_unit="mm³")
        assert (r.n, r.dropped_count, r.clusters) == (79, 1, 20)
        assert "network on expert" in r.sentence()
        assert r.to_dict()["intercept"] == r.intercept
    assert "four are needed" in deming_of(x[1:3], y[1:3]).reason
    assert passing_bablok_of(np.ones(5), y[:5]).reason == "all values of one read are equal"
    assert "too many slopes" in passing_bablok_of(np.arange(9000.0), np.arange(9000.0)).reason
    exact = deming_of(np.arange(9.0), 2 * np.arange(9.0))
    assert exact.estimate == pytest.approx(2)
    assert exact.interval is None
    square = np.array([0.0, 1, 0, 1])
    assert deming_of(square, np.array([0.0, 0, 1, 1])).reason == "the reads are uncorrelated: no slope"
    with pytest.raises(AnalyticsError, match="positive"):
        deming_of(x, y, error_ratio=0)
