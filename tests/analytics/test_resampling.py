"""Resampling: expanded levels, the jackknife of a mean, BCa of a known shape, counts that add up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.resampling import (
    bca_limits,
    expanded_levels,
    jackknife_interval,
    percentile_interval,
    resample_counts,
)


def test_expanded_levels_are_those_of_t():
    low, high = expanded_levels(50)
    assert low == pytest.approx(stats.norm.cdf(-stats.t.ppf(0.975, 49) * np.sqrt(50 / 49)), abs=1e-9)
    assert low + high == pytest.approx(1)
    assert low == pytest.approx(0.0212, abs=1e-4)
    assert expanded_levels(100_000)[0] == pytest.approx(0.025, abs=1e-5)
    assert expanded_levels(1) == (0.025, 0.975)


def test_percentiles_leave_out_what_does_not_exist():
    values = np.r_[np.arange(1000.0), np.full(50, np.nan)]
    found = percentile_interval(values, 1050, clusters=10**9)
    assert tuple(found) == pytest.approx((24.975, 974.025))
    assert "1,000 replicates" in found.method
    assert percentile_interval(values[900:], 1050, clusters=50) is None


def test_jackknife_of_a_mean_is_the_t_interval():
    x = np.random.default_rng(1).lognormal(size=40)
    left_out = (x.sum() - x) / 39
    found = jackknife_interval(float(x.mean()), left_out)
    assert tuple(found) == pytest.approx(stats.t.interval(0.95, 39, x.mean(), stats.sem(x)))
    assert jackknife_interval(1.0, np.ones(5)) is None, "no spread"
    assert jackknife_interval(1.0, np.array([0.9, 1.0, 0.95]), fisher=True) is None, "no Fisher z of 1"


def test_bca_without_bias_and_skewness_is_the_percentile_interval():
    values = np.arange(2001.0) - 1000
    symmetric = np.array([-2.0, -1, 1, 2])
    assert bca_limits(values, 0.5, symmetric) == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=3)
    shifted = bca_limits(values, 200.5, symmetric)
    # 60 % of the values lie below the estimate: z0 = 0.2534, so the lower level is Φ(2 z0 − 1.96) = 0.0731.
    assert shifted[0] == pytest.approx(-1000 + 2000 * 0.0731, abs=1)
    assert np.isnan(bca_limits(values, 5000.0, symmetric)).all()


def test_counts_of_every_resample_add_up():
    for counts in resample_counts(clusters=7, replicates=20, seed=3):
        assert (counts.sum(axis=1) == 7).all()
