"""Ratio, regression and quantile limits, and the classical intervals beside the clustered ones (simulated data)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.quantile_limits import order_interval, quantile_limits_of
from analytics.agreement.ratio_limits import ratio_limits_of
from analytics.agreement.regression_limits import regression_limits_of
from analytics.figures import draw

RNG = np.random.default_rng(11)
SIZE = RNG.lognormal(4, 0.8, 200)
PROPORTIONAL = SIZE * np.exp(0.05 + 0.1 * RNG.normal(size=200))
PATIENT = np.repeat(np.arange(50), 4)


def test_ratio_limits_are_bland_altman_of_logarithms():
    r = ratio_limits_of(SIZE, PROPORTIONAL)
    logs = bland_altman_of(np.log(SIZE), np.log(PROPORTIONAL))
    assert r.estimate == pytest.approx(np.exp(logs.estimate))
    assert (r.lower, r.upper) == pytest.approx((np.exp(logs.lower), np.exp(logs.upper)))
    assert r.cv_log == pytest.approx(0.1 / np.sqrt(2), rel=0.15)
    assert abs(r.spread_with_size) < 0.2


def test_zero_and_missing_are_counted_apart():
    a, b = SIZE.copy(), PROPORTIONAL.copy()
    a[0], b[1], b[2] = np.nan, 0, -1
    r = ratio_limits_of(a, b, clusters=PATIENT, replicates=200, names=("expert", "network"))
    assert [(d.count, d.reason) for d in r.dropped] == [
        (1, "a read is missing"),
        (2, "a value is zero or negative"),
    ]
    assert r.cluster_interval.low < r.estimate < r.cluster_interval.high
    assert "network ÷ expert" in r.sentence()
    assert len(draw(r).to_figure().data) == 4
    empty = ratio_limits_of(np.zeros(3), np.ones(3))
    assert empty.estimate is None
    assert draw(empty).to_figure().layout.annotations[0].text.startswith("Not estimable")


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-3, 1e3))
def test_ratio_limits_do_not_depend_on_the_unit(scale):
    a, b = ratio_limits_of(SIZE, PROPORTIONAL), ratio_limits_of(scale * SIZE, scale * PROPORTIONAL)
    assert (b.estimate, b.lower, b.upper) == pytest.approx((a.estimate, a.lower, a.upper))
    turned = ratio_limits_of(PROPORTIONAL, SIZE)
    assert (turned.lower, turned.upper) == pytest.approx((1 / a.upper, 1 / a.lower))


def test_regression_limits_against_scipy():
    r = regression_limits_of(SIZE, PROPORTIONAL, clusters=PATIENT, replicates=500)
    mean, difference = (SIZE + PROPORTIONAL) / 2, PROPORTIONAL - SIZE
    expected = stats.linregress(mean, difference)
    assert (r.estimate, r.bias.se, r.test.p) == pytest.approx(
        (expected.slope, expected.stderr, expected.pvalue)
    )
    residual = np.abs(difference - expected.intercept - expected.slope * mean)
    assert r.spread.slope == pytest.approx(stats.linregress(mean, residual).slope)
    bias, low, high = r.at(mean)
    assert high - bias == pytest.approx(bias - low)
    small = regression_limits_of(np.append(SIZE, 0.1), np.append(PROPORTIONAL, 0.1))
    assert "spread reaches zero" in small.sentence()
    assert r.cluster_interval.low < r.estimate < r.cluster_interval.high
    assert len(draw(r).to_figure().data) == 4


def test_regression_limits_hold_most_pairs():
    rng = np.random.default_rng(8)
    size = rng.uniform(20, 200, 2000)
    difference = 3 + 0.05 * size + (2 + 0.1 * size) * rng.normal(size=2000)
    r = regression_limits_of(size - difference / 2, size + difference / 2)
    _, low, high = r.at(size)
    assert 0.935 < ((difference > low) & (difference < high)).mean() < 0.965
    assert r.warnings == ()


def test_regression_limits_refuse():
    assert "three are needed" in regression_limits_of(SIZE[:2], SIZE[:2]).reason
    flat = regression_limits_of(np.array([1.0, 2, 3]), np.array([3.0, 2, 1]))
    assert flat.reason == "all means are equal"
    with pytest.raises(ValueError, match="no limits"):
        flat.at([1.0])
    exact = regression_limits_of(SIZE, 2 * SIZE)
    assert exact.interval is None
    assert "on a line" in exact.interval_reason


def test_quantile_limits_are_type_6():
    r = quantile_limits_of(SIZE, PROPORTIONAL)
    difference = PROPORTIONAL - SIZE
    assert (r.lower, r.upper) == pytest.approx(
        tuple(np.quantile(difference, [0.025, 0.975], method="weibull"))
    )
    assert r.lower_interval.low < r.lower < r.lower_interval.high
    assert "too few" in quantile_limits_of(SIZE[:50], PROPORTIONAL[:50]).warnings[0]
    assert len(draw(r).to_figure().data) == 1


def test_order_statistic_interval_covers_the_quantile():
    rng = np.random.default_rng(3)
    truth, hits = stats.norm.ppf(0.025), 0
    for _ in range(1500):
        low, high = order_interval(np.sort(rng.normal(size=300)), 0.025, "exact")
        hits += low <= truth <= high
    assert 0.94 <= hits / 1500 <= 0.995


def test_weighted_quantile_equals_repeated_rows():
    a, b, patient = SIZE[:20], PROPORTIONAL[:20], np.arange(20)
    from analytics.agreement.quantile_limits import _weighted

    order = np.argsort(b - a)
    weight = np.random.default_rng(2).integers(0, 4, 20)[None, :].astype(float)
    for level in (0.025, 0.5, 0.975):
        expected = np.quantile(np.repeat((b - a)[order], weight[0].astype(int)), level, method="weibull")
        assert _weighted((b - a)[order], np.cumsum(weight, axis=1), level)[0] == pytest.approx(expected)
    assert quantile_limits_of(a, b, clusters=patient, replicates=300).interval.method.startswith(
        "patient-cluster"
    )


def test_classical_intervals_stand_beside_the_clustered_ones():
    r = bland_altman_of(SIZE, PROPORTIONAL, clusters=PATIENT, replicates=300)
    assert set(r.classical) == {"1999", "exact", "mover"}
    assert "bootstrap" in r.upper_interval.method
    exact, mover = r.classical["exact"][1], r.classical["mover"][1]
    assert exact.low < r.naive_upper < exact.high
    assert tuple(mover) == pytest.approx(tuple(exact), rel=0.02)
    assert r.to_dict()["classical"]["mover"][0]["method"] == "MOVER"
