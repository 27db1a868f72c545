"""Paired times and rates: SciPy as second opinion, clustering, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.accuracy.binomial import wilson
from analytics.errors import AnalyticsError
from analytics.timing import paired_timing, paired_timing_of, rate, rate_of


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
    assert len(r.figure().data) == 2
    assert "first_values" not in r.to_dict()


@given(st.floats(0.01, 100))
def test_the_unit_of_time_does_not_matter(factor):
    a, b = times(12)
    assert paired_timing_of(a * factor, b * factor).estimate == pytest.approx(paired_timing_of(a, b).estimate)
    assert paired_timing_of(b, a).estimate == pytest.approx(1 / paired_timing_of(a, b).estimate)


def test_missing_and_impossible_times():
    r = paired_timing({"a": [1, "", 3], "b": [2, 2, 1]}, first="a", second="b")
    assert (r.n, r.dropped_count) == (2, 1)
    assert paired_timing_of(np.array([np.nan]), np.array([1.0])).reason == "no complete pair"
    assert "Not estimable" in paired_timing_of(np.empty(0), np.empty(0)).figure().layout.annotations[0].text
    with pytest.raises(AnalyticsError, match="'network', row 2: a time of 0 is not above 0"):
        paired_timing_of(np.ones(2), np.array([1, 0.0]), names=("expert", "network"))
    alone = paired_timing_of(np.array([4.0]), np.array([2.0]))
    assert (alone.estimate, alone.interval) == (pytest.approx(2), None)


def test_rate_by_patient_is_exact():
    r = rate_of(np.array([1, 0, 0, 0, 1.0]), reasons=["motion", "", "", "", None], name="failed analyses")
    assert (r.count, r.estimate) == (2, 0.4)
    assert r.interval.method == "Clopper–Pearson"
    assert r.reasons == (("motion", 1), ("no reason given", 1))
    assert "failed analyses: 2 of 5 scans (40.0 %" in r.sentence()


def test_rate_by_vessel_is_wider_when_patients_are_alike():
    flags = np.repeat((np.arange(40) < 8) * 1.0, 3)  # all three vessels of a patient, or none
    patients = np.repeat(np.arange(40), 3).tolist()
    r = rate_of(flags, clusters=patients, name="unreadable", unit="vessel")
    assert r.design_effect == pytest.approx(3 * 40 / 39)
    assert list(r.interval) == pytest.approx(list(wilson(8, 40)), abs=0.004)
    alone = rate_of(flags, clusters=list(range(120)), name="unreadable", unit="vessel")
    assert list(alone.interval) == pytest.approx(list(wilson(24, 120)), abs=0.002)


def test_zero_keeps_an_exact_interval():
    low, high = rate_of(np.zeros(50), clusters=[i // 2 for i in range(50)], name="failures").interval
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 50))


def test_bad_flags():
    with pytest.raises(AnalyticsError, match="'failed', row 2: 3 is neither 0 nor 1"):
        rate({"failed": [0, 3]}, flag="failed")
    assert rate({"failed": ["", 1]}, flag="failed").dropped_count == 1
    assert rate_of(np.array([np.nan]), name="failed").reason == "no case"
