"""Cut-offs: ties, targets, interval, optimism, a second cohort, maximally selected statistics (simulated data)."""

from __future__ import annotations

import time as clock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.accuracy.cutoff import cut_off_of
from analytics.accuracy.locked import locked_cut_off
from analytics.accuracy.maximally_selected import log_rank_scores, maximally_selected, rank_scores, search_p
from analytics.accuracy.roc import roc_of
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.tables import on_table


def cohort(n=300, seed=0, effect=1.0, share=0.3):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(float)
    return (100 + 40 * (effect * y + rng.normal(size=n))).round(1), y


def test_youden_is_the_one_of_the_roc():
    x, y = cohort()
    r, roc = cut_off_of(x, y), roc_of(x, y)
    assert r.tied == roc.youden.cut_offs
    assert r.apparent.youden == pytest.approx(roc.youden.index)
    assert r.interval.low <= r.estimate <= r.interval.high
    assert r.interval.method.startswith("bootstrap")


def test_ties_are_all_listed():
    r = cut_off_of(np.array([1.0, 2, 3, 4]), np.array([0, 1, 0, 1]), replicates=0)
    assert r.tied == (2.0, 4.0)
    assert r.estimate == 2


def test_targets():
    x, y = cohort()
    high = cut_off_of(x, y, criterion="sensitivity", target=0.9, replicates=200)
    assert (x >= high.estimate)[y == 1].mean() >= 0.9
    above = x[x > high.estimate].min()
    assert (x >= above)[y == 1].mean() < 0.9
    low = cut_off_of(x, y, criterion="specificity", target=0.9, replicates=200)
    assert (x < low.estimate)[y == 0].mean() >= 0.9
    below = x[x < low.estimate].max()
    assert (x < below)[y == 0].mean() < 0.9
    none = cut_off_of(np.array([1.0, 2]), np.array([1, 0]), criterion="specificity", target=1.0)
    assert none.reason == "no observed value reaches the target"
    with pytest.raises(AnalyticsError, match="needs a target"):
        cut_off_of(x, y, criterion="sensitivity")
    with pytest.raises(AnalyticsError, match="Unknown criterion"):
        cut_off_of(x, y, criterion="best")


def test_optimism_is_what_a_new_cohort_loses():
    """A marker without value looks useful at its own cut-off; corrected it does not."""
    apparent, corrected = [], []
    for seed in range(40):
        r = cut_off_of(*cohort(n=120, seed=seed, effect=0.0), replicates=200)
        apparent.append(r.apparent.youden)
        corrected.append(r.corrected.youden)
    assert np.mean(apparent) > 0.1
    assert abs(np.mean(corrected)) < 0.6 * np.mean(apparent)
    assert "corrected for optimism" in r.sentence()


def test_resamples_by_weight_equal_repeated_rows():
    from analytics.accuracy.cutoff import _Search

    x, y = cohort(n=40)
    weight = np.random.default_rng(1).integers(0, 3, 40)
    search = _Search(x, y == 1, "youden", None)
    chosen = search.choose(*search.rates(weight[None].astype(float)))[0]
    repeated = cut_off_of(np.repeat(x, weight), np.repeat(y, weight), replicates=0)
    assert search.thresholds[chosen] == repeated.estimate


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_choice_does_not_depend_on_order_or_scale(seed):
    x, y = cohort(n=60, seed=seed)
    order = np.random.default_rng(seed).permutation(60)
    a, b = cut_off_of(x, y, replicates=0), cut_off_of(2 * x[order], y[order], replicates=0)
    assert b.tied == tuple(2 * t for t in a.tied)


def test_table_clusters_drops_and_refusals():
    x, y = cohort(n=200)
    x[3] = np.nan
    table = {"tpv": x, "mi": y, "patient": np.arange(200) // 2}
    r = on_table(cut_off_of, table, marker="tpv", outcome="mi", cluster="patient", criterion="closest")
    assert (r.clusters, r.dropped_count) == (100, 1)
    assert r.interval.method.startswith("patient-cluster")
    assert draw(r).to_figure().data
    assert r.to_dict()["corrected"]["youden"] < 1
    assert cut_off_of(x, np.zeros(200)).reason == "0 with and 199 without the outcome"
    assert (
        draw(cut_off_of(x, np.zeros(200))).to_figure().layout.annotations[0].text.startswith("Not estimable")
    )
    with pytest.raises(AnalyticsError, match="0 or 1"):
        cut_off_of(x, y + 1)


def test_ten_thousand_resamples_are_quick():
    x, y = cohort(n=1611, share=41 / 1611)
    start = clock.perf_counter()
    cut_off_of(x, y, replicates=10_000)
    assert clock.perf_counter() - start < 10


def test_locked_on_a_second_cohort():
    chosen = cut_off_of(*cohort(seed=1))
    x, y = cohort(seed=2)
    x[0] = np.nan
    r = locked_cut_off(chosen, x, y, clusters=np.arange(300) // 3)
    assert r.accuracy.tp == int(((x >= chosen.estimate) & (y == 1)).sum())
    assert r.accuracy.dropped[0].count == 1
    assert r.clustered.sensitivity.estimate == r.accuracy.sensitivity.estimate
    change = r.sensitivity_change
    assert change.interval.low < change.estimate < change.interval.high
    assert "locked" in r.sentence()
    assert r.to_dict()["specificity_change"]["interval"]["method"] == "Newcombe"
    assert draw(r).to_figure().data
    with pytest.raises(AnalyticsError, match="no cut-off to lock"):
        locked_cut_off(cut_off_of(x, np.zeros(300)), x, y)


def survival(n=200, seed=0, effect=0.0):
    rng = np.random.default_rng(seed)
    x = rng.lognormal(4, 1, n).round(1)
    time = rng.exponential(np.exp(-effect * (x > np.median(x)))).round(2) + 0.01
    return x, np.minimum(time, 1.5), (time <= 1.5).astype(float)


def test_log_rank_scores_sum_to_zero():
    _, time, event = survival()
    assert log_rank_scores(time, event).sum() == pytest.approx(0, abs=2)
    untied = np.arange(1.0, 6)
    assert log_rank_scores(untied, np.ones(5)).tolist() == pytest.approx(
        [1 - 1 / 5, 1 - 9 / 20, 1 - 47 / 60, 1 - 77 / 60, 1 - 137 / 60]
    )


def test_naive_p_is_far_too_small_and_the_corrected_is_not():
    naive, bound, permuted = 0, 0, 0
    for seed in range(150):
        x, time, event = survival(n=100, seed=seed)
        r = maximally_selected(x, log_rank_scores(time, event), replicates=200)
        naive, bound, permuted = (
            naive + (r.naive.p < 0.05),
            bound + (r.test.p < 0.05),
            permuted + (r.permutation.p < 0.05),
        )
    upper = stats.binom.ppf(0.999, 150, 0.05)
    assert naive > 2 * upper
    assert bound <= upper
    assert permuted <= upper


def test_a_real_cut_off_is_found():
    x, time, event = survival(n=400, effect=1.5, seed=3)
    r = maximally_selected(x, log_rank_scores(time, event), replicates=500)
    assert r.test.p < 0.001
    assert r.estimate == pytest.approx(np.median(x), rel=0.15)
    assert r.at_least == x[x > r.estimate].min()
    assert "without regard to the search" in r.sentence()
    assert draw(r).to_figure().data


def test_maximally_selected_refusals_and_ranks():
    x, time, event = survival()
    assert maximally_selected(np.ones(200), rank_scores(time)).reason.startswith("no cut-off")
    assert maximally_selected(x, np.ones(200)).reason == "all scores are equal"
    x[1] = np.nan
    assert maximally_selected(x, rank_scores(time), name="Wilcoxon", replicates=0).dropped_count == 1
    assert search_p(0.5, np.arange(20, 180), 200) == 1
    with pytest.raises(AnalyticsError, match="least share"):
        maximally_selected(x, event, least_share=0.7)
