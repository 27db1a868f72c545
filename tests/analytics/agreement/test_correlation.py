"""Spearman's ρ with ties, missing reads and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.agreement.correlation import spearman_of
from analytics.ranks import average_ranks

X = np.array([1, 2, 2, 3, 5, 5, 5, 8, 9, 12.0])
Y = np.array([2, 1, 3, 3, 4, 8, 8, 7, 12, 10.0])


def test_ties_share_their_mean_rank():
    assert average_ranks(np.array([3.0, 1, 3, 2])).tolist() == [3.5, 1, 3.5, 2]


def test_agrees_with_scipy():
    expected = stats.spearmanr(X, Y)
    result = spearman_of(X, Y)
    assert result.estimate == pytest.approx(expected.statistic)
    assert result.test.p == pytest.approx(expected.pvalue)


def test_clusters_get_their_own_interval():
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(30), 5)
    x = rng.standard_normal(30)
    y = x + rng.standard_normal(30)  # the disagreement belongs to the patient, not to the lesion
    jitter = 0.01 * rng.standard_normal((2, 150))
    result = spearman_of(x[patient] + jitter[0], y[patient] + jitter[1], clusters=patient)
    assert result.cluster_interval.high - result.cluster_interval.low > 1.5 * (
        result.interval.high - result.interval.low
    )


def test_refusals():
    assert "four are needed" in spearman_of(X[:3], Y[:3]).reason
    assert "all values" in spearman_of(np.ones(10), Y).reason
    identical = spearman_of(X, X)
    assert identical.estimate == 1
    assert identical.interval is None
    assert spearman_of(np.append(X, np.nan), np.append(Y, 1)).dropped_count == 1
