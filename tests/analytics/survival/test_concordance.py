"""Concordance, its comparison and time-dependent AUC: pairs by loops, perturbed weights, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.survival.censoring import uncensored_before
from analytics.survival.concordance import (
    comparable_pairs,
    compare_concordance,
    concordance_of,
    uno_concordance,
)
from analytics.survival.dominance import below
from analytics.survival.time_roc import time_auc_of
from analytics.tables import on_table


def data(n=150, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n).round(1)
    time = rng.exponential(np.exp(-0.8 * x) * 4)
    censor = rng.uniform(0, 8, n)
    return np.minimum(time, censor).round(1) + 0.1, (time <= censor) * 1.0, x


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(0, 1000))
def test_below_is_the_plain_count(values, seed):
    rng = np.random.default_rng(seed)
    values = np.array(values, float)
    low = rng.integers(0, len(values) + 1, 12)
    high = np.maximum(low, rng.integers(0, len(values) + 1, 12))
    bounds, weights = rng.integers(-1, 9, 12).astype(float), rng.random(len(values))
    found = below(values, low, high, bounds, weights)
    for i in range(12):
        part, w = values[low[i] : high[i]], weights[low[i] : high[i]]
        assert found.less[i] == pytest.approx(w[part < bounds[i]].sum())
        assert found.equal[i] == pytest.approx(w[part == bounds[i]].sum())


def test_pairs_by_loops():
    time, event, x = data(70)
    happened = event == 1
    agree = disagree = tied = 0
    for i in np.flatnonzero(happened):
        for j in range(70):
            if time[j] > time[i] or (time[j] == time[i] and not happened[j]):
                agree += x[i] > x[j]
                disagree += x[i] < x[j]
                tied += x[i] == x[j]
    assert comparable_pairs(time, happened, x).totals()[1:] == (agree, disagree, tied)


def test_agrees_with_lifelines():
    from lifelines.utils import concordance_index

    time, event, x = data()
    result = concordance_of(time, event, x)
    assert result.estimate == pytest.approx(concordance_index(time, -x, event), abs=1e-12)
    assert result.interval.low < result.estimate < result.interval.high
    assert result.somers_d == pytest.approx(2 * result.estimate - 1)


def test_standard_error_is_the_perturbation_of_weights():
    time, event, x = data(60)
    happened = event == 1
    result = concordance_of(time, event, x)

    def c(weight):
        top = bottom = 0.0
        for i in np.flatnonzero(happened):
            late = (time > time[i]) | ((time == time[i]) & ~happened)
            above = (x[i] > x) + 0.5 * (x[i] == x)
            top += weight[i] * (weight * late * above).sum()
            bottom += weight[i] * (weight * late).sum()
        return top / bottom

    one = np.ones(60)
    influence = [(c(one + 1e-6 * e) - c(one)) / 1e-6 for e in np.eye(60)]
    assert result.se == pytest.approx(np.sqrt(np.square(influence).sum()), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5000))
def test_reversing_the_score_reverses_c(seed):
    time, event, x = data(50, seed)
    forth, back = concordance_of(time, event, x), concordance_of(time, event, -x)
    assert forth.estimate + back.estimate == pytest.approx(1)
    assert forth.se == pytest.approx(back.se)
    monotone = concordance_of(time * 3, event, np.exp(x))
    assert monotone.estimate == pytest.approx(forth.estimate)


def test_uno_without_censoring_is_harrell():
    time, _, x = data()
    everyone = np.ones(150, bool)
    assert uno_concordance(time, everyone, x, 1e9)[0] == pytest.approx(
        concordance_of(time, everyone * 1.0, x).estimate
    )


def test_comparison_of_scores():
    rng = np.random.default_rng(1)
    time, event, x = data(300)
    noisy = x + rng.standard_normal(300)
    result = compare_concordance(time, event, x, noisy, names=("volume", "noise"))
    assert result.estimate < 0
    assert result.test.p < 0.01
    back = compare_concordance(time, event, noisy, x)
    assert back.estimate == pytest.approx(-result.estimate)
    assert back.se == pytest.approx(result.se)
    same = compare_concordance(time, event, x, 2 * x)
    assert same.interval_reason == "the scores order alike"
    assert "noise minus volume" in result.sentence()
    distinct = np.arange(1, 9.0)
    perfect = compare_concordance(distinct, np.ones(8), distinct, -distinct)
    assert (perfect.estimate, perfect.interval) == (1, None)
    assert "perfect orders" in perfect.interval_reason


def test_comparison_se_is_near_the_bootstrap():
    rng = np.random.default_rng(2)
    time, event, x = data(200)
    noisy = x + rng.standard_normal(200)
    result = compare_concordance(time, event, x, noisy)
    values = []
    for _ in range(300):
        i = rng.integers(0, 200, 200)
        a, b = (concordance_of(time[i], event[i], s[i]).estimate for s in (x, noisy))
        values.append(b - a)
    assert result.se == pytest.approx(np.std(values), rel=0.15)


def test_censoring_weights_by_hand():
    time, event = np.array([1, 2, 2, 3.0]), np.array([True, True, False, True])
    assert uncensored_before(time, event, np.array([2.0, 2.5])).tolist() == [1, 0.5]
    assert uncensored_before(time, event, np.array([2.5]), events_first=False)[0] == pytest.approx(2 / 3)


def test_time_auc_without_censoring_is_the_auc():
    from analytics.accuracy.roc import roc_of

    time, _, x = data()
    result = time_auc_of(time, np.ones(150), x, [2.0]).at[0]
    plain = roc_of(x, (time <= 2.0) * 1.0)
    assert result.estimate == pytest.approx(plain.estimate)
    assert result.se == pytest.approx(plain.se, rel=0.03)
    assert (result.cases, result.controls, result.censored) == (plain.cases, plain.controls, 0)


def test_time_auc_se_is_near_the_bootstrap():
    rng = np.random.default_rng(4)
    time, event, x = data(250)
    result = time_auc_of(time, event, x, [4.0]).at[0]
    assert result.censored > 40
    values = [
        time_auc_of(time[i], event[i], x[i], [4.0]).at[0].estimate for i in rng.integers(0, 250, (300, 250))
    ]
    assert result.se == pytest.approx(np.std(values), rel=0.15)


def test_refusals_and_forms():
    time, event, x = data(40)
    result = on_table(
        time_auc_of, {"t": time, "e": event, "x": x}, time="t", event="e", marker="x", times=[0.0, 2, 99]
    )
    assert [a.reason for a in result.at] == ["no event by then", None, "nobody is followed beyond it"]
    assert len(draw(result).to_figure().data) == 1
    assert len(result.to_dict()["at"]) == 3
    assert concordance_of(time, 0 * event, x).reason == "no pair can be compared"
    x[0] = np.nan
    assert concordance_of(time, event, x).dropped[0].reason == "score is missing"
    with pytest.raises(AnalyticsError, match="differ in length"):
        concordance_of(time, event, x[:3])


def test_evenly_spaced_events_stand_for_all_in_the_second_order_term(monkeypatch):
    rng = np.random.default_rng(12)
    n = 1500
    x = rng.normal(size=n)
    time = rng.exponential(1, n) / np.exp(0.7 * x)
    event = (time < 1).astype(float)
    other = x + rng.normal(0, 0.7, n)
    whole = compare_concordance(np.minimum(time, 1), event, x, other)
    monkeypatch.setattr("analytics.survival.concordance.MOST_PAIRS", 150_000)
    part = compare_concordance(np.minimum(time, 1), event, x, other)
    assert part.estimate == whole.estimate
    assert part.se == pytest.approx(whole.se, rel=1e-3)
    assert part.se != whole.se
