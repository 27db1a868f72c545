"""Signed-rank, rank-sum and Kendall's τ-b against SciPy and against brute force (simulated data)."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.agreement.correlation import kendall_of
from analytics.agreement.exact_ranks import rank_sum_p, signed_rank_p
from analytics.agreement.rank_sum import rank_sum_of
from analytics.agreement.signed_rank import signed_rank_of
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.ranks import average_ranks
from analytics.tables import on_table

RNG = np.random.default_rng(5)
X = RNG.normal(size=40).round(1)
Y = (X + 0.4 + RNG.normal(size=40)).round(1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_exact_signed_rank_counts_every_sign(sizes, random):
    ranks = average_ranks(np.array(sizes, float))
    observed = float(sum(r for r in ranks if random.random() < 0.5))
    sums = np.array([np.dot(signs, ranks) for signs in product((0, 1), repeat=len(ranks))])
    expected = min(1, 2 * min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean()))
    assert signed_rank_p(ranks, observed) == pytest.approx(expected)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=10), st.integers(1, 9))
def test_exact_rank_sum_counts_every_split(values, chosen):
    chosen = min(chosen, len(values) - 1)
    ranks = average_ranks(np.array(values, float))
    observed = float(ranks[:chosen].sum())
    sums = np.array([sum(split) for split in combinations(ranks, chosen)])
    away = np.abs(sums - ranks.mean() * chosen) >= abs(observed - ranks.mean() * chosen) - 1e-9
    deviation, tails = rank_sum_p(ranks, chosen, observed)
    assert deviation == pytest.approx(away.mean())
    smaller = min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean())
    assert tails == pytest.approx(min(1, 2 * smaller))


def test_signed_rank_agrees_with_scipy():
    r = signed_rank_of(X, Y, clusters=np.arange(40) // 2)
    difference = np.round(Y - X, 6)
    used = difference[difference != 0]
    assert r.normal.p == pytest.approx(stats.wilcoxon(used, method="approx", correction=False).pvalue)
    assert r.continuity.p == pytest.approx(stats.wilcoxon(used, method="approx", correction=True).pvalue)
    assert r.pratt.p == pytest.approx(
        stats.wilcoxon(difference, zero_method="pratt", method="approx", correction=False).pvalue
    )
    untied = RNG.normal(0.3, 1, 25)
    assert signed_rank_of(np.zeros(25), untied).test.p == pytest.approx(
        stats.wilcoxon(untied, method="exact").pvalue
    )
    assert r.interval.low < r.estimate < r.interval.high
    assert "signs by patient" in r.sentence()
    assert draw(r).to_figure().data


def test_binary_noise_does_not_break_ties():
    r = signed_rank_of(np.array([10.1, 3.3, 1.0, 5.0]), np.array([12.3, 5.5, 3.2, 4.0]))
    assert r.positive_sum == 9  # three differences of 2.2 share rank 3


def test_signs_by_patient_equal_signs_by_lesion_when_each_patient_has_one():
    r = signed_rank_of(X, Y, clusters=np.arange(40))
    assert r.cluster_test.p == pytest.approx(r.normal.p)


def test_signed_rank_refusals():
    assert signed_rank_of(X, X).estimate == 0
    assert "zero" in signed_rank_of(X, X).interval_reason
    assert signed_rank_of(np.array([np.nan]), np.array([1.0])).reason == "no complete pair of reads"
    table = {"a": X.tolist(), "b": Y.tolist()}
    assert on_table(signed_rank_of, table, first="a", second="b").estimate == signed_rank_of(X, Y).estimate


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_rank_tests_do_not_depend_on_the_unit(seed, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 9, (2, 15)).astype(float)
    assert signed_rank_of(scale * x, scale * y).pratt == signed_rank_of(x, y).pratt
    assert rank_sum_of(scale * x, scale * y).test == rank_sum_of(x, y).test
    assert rank_sum_of(y, x).normal.p == pytest.approx(rank_sum_of(x, y).normal.p)


def test_rank_sum_agrees_with_scipy():
    for options, name in (
        ({"use_continuity": False}, "normal"),
        ({"use_continuity": True}, "continuity"),
    ):
        r = rank_sum_of(X, Y[:30])
        expected = stats.mannwhitneyu(X, Y[:30], method="asymptotic", **options)
        assert r.u == expected.statistic
        assert getattr(r, name).p == pytest.approx(expected.pvalue)
    a, b = RNG.normal(size=12), RNG.normal(1, 1, 9)
    assert rank_sum_of(a, b).exact_tails.p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)


def test_rank_sum_shift_and_interval():
    rng = np.random.default_rng(6)
    r = rank_sum_of(rng.normal(2, 1, 300), rng.normal(size=200), value_unit="mm³")
    assert r.estimate == pytest.approx(2, abs=0.25)
    assert r.interval.low < r.estimate < r.interval.high
    assert "normal" in r.test.name
    assert "probability of superiority 0.9" in r.sentence()
    assert draw(r).to_figure().data
    equal = rank_sum_of(np.ones(3), np.ones(4))
    assert equal.test is None
    assert equal.superiority == 0.5
    assert rank_sum_of(np.empty(0), X).estimate is None
    with pytest.raises(AnalyticsError, match="3 groups"):
        on_table(rank_sum_of, {"v": [1, 2, 3], "g": ["a", "b", "c"]}, value="v", group="g")


def test_kendall_interval_and_clusters():
    r = kendall_of(X, Y, clusters=np.arange(40) // 2)
    expected = stats.kendalltau(X, Y)
    assert (r.estimate, r.test.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert r.interval.low < r.estimate < r.interval.high
    assert r.cluster_interval.low < r.estimate < r.cluster_interval.high
    assert on_table(kendall_of, {"a": X, "b": Y}, first="a", second="b").interval == r.interval
    assert "five are needed" in kendall_of(X[:4], Y[:4]).reason
    assert kendall_of(X, np.ones(40)).reason == "all values of one read are equal"
    assert kendall_of(np.arange(9.0), np.arange(9.0)).interval is None


def test_kendall_interval_covers():
    rng, rho, hits = np.random.default_rng(7), 0.7, 0
    truth = 2 / np.pi * np.arcsin(rho)
    for _ in range(400):
        x = rng.normal(size=60)
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=60)
        low, high = kendall_of(x, y).interval
        hits += low <= truth <= high
    assert 0.92 <= hits / 400 <= 0.985
