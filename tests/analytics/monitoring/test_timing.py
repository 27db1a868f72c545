"""Paired times: SciPy as second opinion, missing and impossible times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.monitoring.timing import paired_timing_of
from analytics.tables import on_table


def times(n=40, seed=1):
    rng = np.random.default_rng(seed)
    return rng.lognormal(3, 0.4, n).round(2), rng.lognormal(-2, 0.3, n).round(3) + 0.01


def test_agrees_with_scipy():
    from scipy import stats

    a, b = times()
    a[:5] = b[:5] + 1.0  # tied differences
    r = paired_timing_of(a, b, names=("expert", "network"))
    wilcoxon = stats.wilcoxon(np.round(a - b, 9), correction=False, method="asymptotic")
    assert r.signed_rank.normal.p == pytest.approx(wilcoxon.pvalue, rel=1e-9)
    assert r.test.p == pytest.approx(stats.ttest_1samp(np.log(a / b), 0).pvalue)
    assert list(r.mean_difference_interval) == pytest.approx(
        list(stats.ttest_rel(a, b).confidence_interval())
    )
    assert r.estimate == pytest.approx(stats.gmean(a) / stats.gmean(b))
    assert "geometric mean ratio" in r.sentence()
    assert len(draw(r).to_figure().data) == 2
    assert "first_values" not in r.to_dict()


@given(st.floats(0.01, 100))
def test_the_unit_of_time_does_not_matter(factor):
    a, b = times(12)
    assert paired_timing_of(a * factor, b * factor).estimate == pytest.approx(paired_timing_of(a, b).estimate)
    assert paired_timing_of(b, a).estimate == pytest.approx(1 / paired_timing_of(a, b).estimate)


def test_missing_and_impossible_times():
    r = on_table(paired_timing_of, {"a": [1, "", 3], "b": [2, 2, 1]}, first="a", second="b")
    assert (r.n, r.dropped_count) == (2, 1)
    assert paired_timing_of(np.array([np.nan]), np.array([1.0])).reason == "no complete pair"
    assert (
        "Not estimable"
        in draw(paired_timing_of(np.empty(0), np.empty(0))).to_figure().layout.annotations[0].text
    )
    with pytest.raises(AnalyticsError, match="'network', row 2: a time of 0 is not above 0"):
        paired_timing_of(np.ones(2), np.array([1, 0.0]), names=("expert", "network"))
    alone = paired_timing_of(np.array([4.0]), np.array([2.0]))
    assert (alone.estimate, alone.interval) == (pytest.approx(2), None)
