"""Paired comparison of two tests: McNemar by SciPy, predictive values by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.accuracy.paired import mcnemar, paired_accuracy_of
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.tables import on_table


def study(seed=0, n=400, second=0.8):
    rng = np.random.default_rng(seed)
    diseased = rng.random(n) < 0.4
    shared = rng.normal(size=n)

    def test(strength):
        return strength * diseased + 0.6 * shared + 0.8 * rng.normal(size=n) > 0.5

    return test(1.5), test(second), diseased


def test_mcnemar_against_scipy():
    for only_first, only_second in ((10, 3), (5, 5), (0, 7)):
        n = only_first + only_second
        plain, exact = mcnemar(only_first, only_second)
        assert plain.p == pytest.approx(stats.chisquare([only_first, only_second]).pvalue)
        assert exact.p == pytest.approx(stats.binomtest(only_first, n).pvalue)
    assert mcnemar(0, 0)[0] is None


def test_proportions_and_differences():
    a, b, d = study()
    r = paired_accuracy_of(a, b, d)
    assert (r.sensitivity.first, r.sensitivity.second) == pytest.approx((a[d].mean(), b[d].mean()))
    assert r.ppv.first == pytest.approx(d[a].mean())
    assert r.npv.second == pytest.approx((~d)[~b].mean())
    assert r.ppv.ratio == pytest.approx(r.ppv.second / r.ppv.first)
    assert r.sensitivity.estimate < 0
    assert r.sensitivity.interval.high < 0
    assert len(draw(r).to_figure().data) == 4
    assert "McNemar, exact p" in r.sentence()
    assert r.to_dict()["diseased"] == list(r.diseased)


def test_the_tests_keep_their_level():
    """Two equally good tests: about 5 % of simulated studies are significant."""
    names = ("McNemar", "generalised score", "weighted generalised score", "relative predictive value")
    low = dict.fromkeys(names, 0)
    for seed in range(400):
        r = paired_accuracy_of(*study(seed=seed, second=1.5))
        for t in (r.sensitivity.tests[0], *r.ppv.tests):
            low[t.name] += t.p < 0.05
    upper = stats.binom.ppf(0.9995, 400, 0.05)
    assert all(5 <= count <= upper for count in low.values()), low


def test_turning_the_tests_round():
    a, b, d = study()
    forward, back = paired_accuracy_of(a, b, d), paired_accuracy_of(b, a, d)
    for f, g in zip(forward.measures(), back.measures(), strict=True):
        assert f.estimate == pytest.approx(-g.estimate)
        assert f.test.p == pytest.approx(g.test.p)
        assert [t.p for t in f.tests] == pytest.approx([t.p for t in g.tests])


def test_refusals():
    a, b, d = study(n=50)
    assert paired_accuracy_of(a, b, np.zeros(50, bool)).sensitivity.reason == "nobody is diseased"
    assert "never says so" in paired_accuracy_of(np.zeros(50, bool), b, d).ppv.reason
    same = paired_accuracy_of(a, a, d)
    assert same.sensitivity.interval_reason == "the tests never differ"
    assert same.ppv.interval is None
    assert ", no interval (the tests never differ)" in same.sentence()
    assert same.ppv.ratio_reason == "the predictive values have no spread"
    assert same.n == 50
    table = {"a": a.astype(float), "b": b.astype(float), "d": d.astype(float)}
    table["a"][3] = np.nan
    assert on_table(paired_accuracy_of, table, first="a", second="b", reference="d").ppv.dropped_count == 1
    table["b"][4] = 2
    with pytest.raises(AnalyticsError, match="'b', row 5"):
        on_table(paired_accuracy_of, table, first="a", second="b", reference="d")
