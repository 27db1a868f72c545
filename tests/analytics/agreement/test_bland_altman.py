"""Bland–Altman against the PEFR data of Bland and Altman (1986) and its clustered form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.limits import limit_intervals

# Peak expiratory flow rate, first readings (l/min): mini meter and Wright meter (Bland and Altman, Lancet 1986).
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], float)
WRIGHT = np.array(
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], float
)


def test_published_values():
    result = bland_altman_of(MINI, WRIGHT)
    assert round(result.estimate, 1) == -2.1
    assert round(result.sd, 1) == 38.8
    assert (result.lower, result.upper) == pytest.approx((-78.0959054671117, 73.8606113494646))
    assert tuple(result.lower_interval) == pytest.approx((-112.851553139311, -43.3402577949126))
    assert tuple(limit_intervals(result.estimate, result.sd, 17, "exact")[1]) == pytest.approx(
        (48.8596372990951, 119.925504177193), rel=1e-6
    )
    assert result.outside == 1


def test_sign_is_second_minus_first():
    assert bland_altman_of(WRIGHT, MINI).estimate == pytest.approx(2.11764705882353)


def test_limits_widen_with_a_bias_that_differs_between_patients():
    rng = np.random.default_rng(2)
    patient = np.repeat(np.arange(30), rng.integers(1, 7, 30))
    bias = 40 * rng.standard_normal(30)[patient]
    a = rng.lognormal(4, 1, len(patient))
    result = bland_altman_of(a, a + bias + 5 * rng.standard_normal(len(a)), clusters=patient, replicates=2000)
    assert result.components.between > result.components.within
    assert result.upper - result.lower > result.naive_upper - result.naive_lower
    assert result.cluster_interval.high - result.cluster_interval.low > 1.5 * (
        result.interval.high - result.interval.low
    )


def test_bootstrap_of_the_bias_is_centred_on_it():
    a = np.arange(40.0)
    b = a + np.tile([0.0, 10.0], 20)
    result = bland_altman_of(a, b, clusters=np.arange(40), replicates=4000)
    assert result.estimate == 5
    assert sum(result.cluster_interval) / 2 == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize(
    ("a", "b", "estimate", "reason"),
    [
        ([], [], None, "no complete pair"),
        ([1.0], [3.0], 2.0, "one pair only"),
        ([1.0, 2.0], [3.0, 4.0], 2.0, "all differences are equal"),
        ([1.0, np.nan], [np.nan, 4.0], None, "no complete pair"),
    ],
)
def test_what_cannot_be_said_is_refused(a, b, estimate, reason):
    result = bland_altman_of(np.array(a), np.array(b))
    assert result.estimate == estimate
    assert reason in (result.reason or result.interval_reason)
    assert reason in result.sentence()
    assert result.interval is None
    assert "nan" not in result.sentence()


def test_few_patients_are_warned_of_and_limits_lie_in_their_intervals():
    rng = np.random.default_rng(6)
    patient = np.repeat(np.arange(12), 4)
    a = rng.lognormal(4, 1, 48)
    b = a + 15 * rng.standard_normal(12)[patient] + 10 * rng.standard_normal(48)
    result = bland_altman_of(a, b, clusters=patient, replicates=4000)
    assert result.lower_interval.low < result.lower < result.lower_interval.high
    assert result.upper_interval.low < result.upper < result.upper_interval.high
    assert "only 12 patients" in result.sentence()
    many = bland_altman_of(np.tile(a, 3), np.tile(b, 3), clusters=np.arange(144), replicates=100)
    assert many.warnings == ()


def test_without_replicates_the_intervals_over_patients_are_a_jackknife():
    rng = np.random.default_rng(9)
    patient = np.repeat(np.arange(35), 5)
    a = rng.lognormal(4, 1, 175)
    b = a + rng.normal(0, 20, 175) + rng.normal(3, 15, 35)[patient]
    found = bland_altman_of(a, b, clusters=patient, replicates=0)
    bootstrap = bland_altman_of(a, b, clusters=patient, replicates=4000)
    left_out = [
        bland_altman_of(a[patient != p], b[patient != p], clusters=patient[patient != p], replicates=0).upper
        for p in range(35)
    ]
    spread = np.sqrt(34 / 35 * ((np.array(left_out) - np.mean(left_out)) ** 2).sum())
    assert found.upper_interval.high - found.upper == pytest.approx(stats.t.ppf(0.975, 34) * spread, rel=1e-9)
    for quick, slow in (
        (found.cluster_interval, bootstrap.cluster_interval),
        (found.lower_interval, bootstrap.lower_interval),
    ):
        assert np.ptp(tuple(quick)) == pytest.approx(np.ptp(tuple(slow)), rel=0.15)
