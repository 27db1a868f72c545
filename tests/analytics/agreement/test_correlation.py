"""Spearman's ρ with ties, missing reads and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.agreement.correlation import spearman_of
from analytics.agreement.rank_jackknife import influence_spearman, left_out_spearman
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


def _clustered(seed, patients, lesions):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), lesions)
    n = len(patient)
    x = np.round(rng.lognormal(3, 1, n) + 5 * rng.standard_normal(patients)[patient], 0)
    return x, np.round(x + rng.normal(0, 12, n) + 6 * rng.standard_normal(patients)[patient], 0), patient


def test_leaving_out_a_patient_equals_dropping_the_rows():
    x, y, patient = _clustered(1, 20, 6)
    found = left_out_spearman(x, y, patient, 20)
    for p in range(20):
        rest = patient != p
        assert found[p] == pytest.approx(stats.spearmanr(x[rest], y[rest]).statistic, abs=1e-12)


def test_influence_is_the_derivative_with_respect_to_a_units_weight():
    x, y, _ = _clustered(2, 60, 1)
    h = influence_spearman(x, y)
    assert h.sum() == pytest.approx(0, abs=1e-9)
    whole = stats.spearmanr(x, y).statistic
    for unit in (0, 17, 59):
        rows = np.delete(np.arange(60), unit)
        without = stats.spearmanr(x[rows], y[rows]).statistic
        assert whole - without == pytest.approx(h[unit] / 60, abs=0.15 * abs(h[unit]) / 60 + 1e-3)


def test_the_two_jackknives_agree_for_many_patients(monkeypatch):
    x, y, patient = _clustered(3, 300, 5)
    monkeypatch.setattr("analytics.agreement.rank_jackknife.MOST_ENTRIES", 10**7)
    exact = spearman_of(x, y, clusters=patient).cluster_interval
    monkeypatch.setattr("analytics.agreement.rank_jackknife.MOST_ENTRIES", 0)
    quick = spearman_of(x, y, clusters=patient).cluster_interval
    assert exact.method.startswith("delete-one-patient")
    assert quick.method.startswith("infinitesimal")
    assert quick.high - quick.low == pytest.approx(exact.high - exact.low, rel=0.02)
