"""Equivalence of a bias and interchangeability with experts (simulated reads)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.agreement.equivalence import equivalence_of, interchangeability_of
from analytics.errors import AnalyticsError

RNG = np.random.default_rng(3)
TRUTH = RNG.lognormal(4, 1, 120)
E1, E2, NETWORK = (TRUTH + RNG.normal(m, 10, 120) for m in (0, 0, 2))
PATIENT = np.repeat(np.arange(30), 4)


def test_two_one_sided_tests_agree_with_scipy():
    found = equivalence_of(E1, NETWORK, margin=8)
    d = NETWORK - E1
    expected = max(
        stats.ttest_1samp(d, -8, alternative="greater").pvalue,
        stats.ttest_1samp(d, 8, alternative="less").pvalue,
    )
    assert found.test.p == pytest.approx(expected, rel=1e-9)
    assert tuple(found.interval) == pytest.approx(stats.t.interval(0.9, 119, d.mean(), stats.sem(d)))
    assert found.interval.level == 0.9
    assert found.equivalent is True
    assert equivalence_of(E1, NETWORK, margin=0.5).equivalent is False
    assert equivalence_of(E1, NETWORK, margin=0.5).test.p > 0.5


def test_clusters_change_the_spread_not_the_bias():
    effect = RNG.normal(0, 15, 30)[PATIENT]
    alone, clustered = (equivalence_of(E1, E1 + effect, margin=9, clusters=c) for c in (None, PATIENT))
    assert clustered.estimate == alone.estimate
    assert np.ptp(tuple(clustered.interval)) > 1.4 * np.ptp(tuple(alone.interval))
    assert clustered.clusters == 30


def test_a_network_as_good_as_an_expert_is_interchangeable():
    same = interchangeability_of(NETWORK - 2, E1, E2, margin=80)
    assert same.interchangeable is True
    assert same.interval.low < 0 < same.interval.high
    worse = interchangeability_of(TRUTH + RNG.normal(0, 40, 120), E1, E2, margin=80)
    assert worse.interchangeable is False
    assert worse.estimate > 500
    assert worse.rms[0] > 2 * worse.rms[1] * 0.8


def test_categories_count_disagreement():
    a = np.array([0, 1, 2, 3, 4, 0.0])
    b = np.array([0, 1, 2, 3, 0, 0.0])
    found = interchangeability_of(a, a, b, categorical=True, unit="territory")
    # Expert and expert differ once in six; network and expert differ in half of one case.
    assert found.estimate == pytest.approx(0.5 / 6 - 1 / 6)


def test_refusals():
    assert "two are needed" in equivalence_of(E1[:1], E2[:1], margin=1).reason
    assert "no interval (all differences are equal)" in equivalence_of(E1, E1 + 3, margin=1).sentence()
    with pytest.raises(AnalyticsError, match="margin must be above 0"):
        equivalence_of(E1, E2, margin=0)
    assert interchangeability_of(np.append(E1, np.nan), np.append(E1, 1), np.append(E2, 1)).dropped_count == 1
