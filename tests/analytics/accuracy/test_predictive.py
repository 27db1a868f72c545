"""Predictive values at other prevalences, and the intervals of a proportion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.accuracy import binomial
from analytics.accuracy.predictive import predictive_values
from analytics.accuracy.two_by_two import two_by_two_of
from analytics.errors import AnalyticsError
from analytics.figures import draw

METHODS = (
    binomial.clopper_pearson,
    binomial.wilson,
    binomial.wilson_corrected,
    binomial.jeffreys,
    binomial.mid_p,
    binomial.agresti_coull,
)


def test_bayes_rule_at_each_prevalence():
    r = predictive_values(two_by_two_of(tp=90, fp=20, fn=10, tn=80), [0.5, 0.1])
    low, high = r.ppv
    assert low.prevalence == 0.1
    assert low.estimate == pytest.approx(0.9 * 0.1 / (0.9 * 0.1 + 0.2 * 0.9))
    assert high.estimate == pytest.approx(0.45 / 0.55)
    assert r.npv[0].estimate == pytest.approx(0.8 * 0.9 / (0.8 * 0.9 + 0.1 * 0.1))
    assert low.interval.low < low.estimate < low.interval.high
    assert "at a prevalence of 10.0 % 33.3 %" in r.sentence()
    assert len(draw(r).to_figure().data) == 6
    assert r.to_dict()["npv"][1]["prevalence"] == 0.5


def test_zero_cells_keep_an_interval():
    perfect = predictive_values(two_by_two_of(tp=30, fp=0, fn=0, tn=40), [0.1])
    assert perfect.ppv[0].estimate == 1
    assert perfect.ppv[0].interval.low < 0.9
    assert perfect.ppv[0].interval.method == "Mercaldo, adjusted logit"
    assert perfect.npv[0].interval.low > 0.9


def test_refusals():
    assert predictive_values(two_by_two_of(tp=3, fp=0, fn=1, tn=0), [0.1]).ppv[0].estimate is None
    never = predictive_values(two_by_two_of(tp=0, fp=0, fn=5, tn=5), [0.1])
    assert never.ppv[0].reason == "nobody has this result of the test"
    with pytest.raises(AnalyticsError, match="between 0 and 1"):
        predictive_values(two_by_two_of(tp=1, fp=1, fn=1, tn=1), [1.0])


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_hold_the_proportion_and_mirror(xn):
    x, n = xn
    for method in METHODS:
        low, high = method(x, n)
        assert low <= x / n + 1e-9
        assert high >= x / n - 1e-9
        mirrored = method(n - x, n)
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-9)
    exact, mid = binomial.clopper_pearson(x, n), binomial.mid_p(x, n)
    assert exact.low <= mid.low + 1e-12
    assert mid.high <= exact.high + 1e-12


def test_intervals_against_scipy():
    for x, n in ((0, 12), (3, 12), (11, 12)):
        test = stats.binomtest(x, n)
        for ours, name in (
            (binomial.clopper_pearson, "exact"),
            (binomial.wilson, "wilson"),
            (binomial.wilson_corrected, "wilsoncc"),
        ):
            assert tuple(ours(x, n)) == pytest.approx(tuple(test.proportion_ci(method=name)), abs=1e-9)
    assert binomial.wald(0, 9).high == 0


def test_odds_ratio_interval_needs_every_cell():
    ratios = two_by_two_of(tp=9, fp=2, fn=3, tn=8).ratios()
    expected = stats.contingency.odds_ratio([[9, 2], [3, 8]], kind="sample")
    assert ratios["dor"] == pytest.approx(expected.statistic)
    assert tuple(ratios["dor_ci"]) == pytest.approx(tuple(expected.confidence_interval()))
    assert two_by_two_of(tp=9, fp=0, fn=3, tn=8).ratios()["dor_ci"] is None
