"""Kaplan–Meier by hand, against lifelines, and its refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.errors import AnalyticsError
from analytics.survival.kaplan_meier import cumulative_incidence_of, kaplan_meier

TIME = np.array([1, 2, 2, 3, 4, 5, 5, 6.0])
EVENT = np.array([1, 1, 0, 0, 1, 1, 1, 0.0])


def test_by_hand():
    curve = kaplan_meier(TIME, EVENT)
    assert curve.times.tolist() == [1, 2, 4, 5]
    assert curve.at_risk.tolist() == [8, 7, 4, 3]
    assert curve.survival == pytest.approx([7 / 8, 7 / 8 * 6 / 7, 0.75 * 3 / 4, 0.5625 / 3])
    assert curve.at_risk_at(2) == 7  # events come before censorings at the same time
    assert curve.at_risk_at(2.5) == 5
    assert curve.median() == 5


def test_agrees_with_lifelines():
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    rng = np.random.default_rng(8)
    time, event, group = (
        rng.exponential(5, 200).round(1),
        (rng.random(200) < 0.6) * 1.0,
        rng.integers(0, 2, 200),
    )
    fitted = KaplanMeierFitter().fit(time, event)
    curve = kaplan_meier(time, event)
    low_high = fitted.confidence_interval_
    for t in (1.0, 3.0, 8.0):
        assert curve.survival_at(t) == pytest.approx(float(fitted.predict(t)))
        low, high = curve.survival_limits_at(t)
        row = low_high[low_high.index <= t].iloc[-1]
        assert (low, high) == pytest.approx((row.iloc[0], row.iloc[1]))
    result = cumulative_incidence_of(time, event, groups=group.tolist(), horizon=3)
    expected = logrank_test(time[group == 0], time[group == 1], event[group == 0], event[group == 1])
    assert result.test.statistic == pytest.approx(expected.test_statistic)
    assert result.test.p == pytest.approx(expected.p_value)


def test_no_interval_before_the_first_event_or_after_the_last_survivor():
    assert kaplan_meier(TIME, EVENT).incidence_at(0.5) == (0.0, None)
    everyone = kaplan_meier(np.array([1, 2.0]), np.ones(2))
    assert everyone.incidence_at(2) == (1.0, None)
    assert everyone.survival_limits_at(2) is None


def test_no_events_and_one_group_say_so():
    nothing = cumulative_incidence_of(TIME, np.zeros(8), groups=["a", "b"] * 4, horizon=3)
    assert nothing.test is None
    assert "no events" in nothing.sentence()
    assert (nothing.estimate, nothing.interval_reason) == (0, "no event by then")
    assert "b: 0.0 % (no interval: no event by then), 0 events in 4" in nothing.sentence()
    assert nothing.curves[0].median() is None
    single = cumulative_incidence_of(TIME, EVENT, groups=["a"] * 8, horizon=3)
    assert single.test_reason == "one group only"


def test_drops_are_counted_by_reason():
    time, event = np.append(TIME, [np.nan, 4]), np.append(EVENT, [1, 0])
    result = cumulative_incidence_of(time, event, groups=["a", "b"] * 4 + ["a", ""], horizon=3)
    assert [(d.count, d.reason) for d in result.dropped] == [
        (1, "time or event is missing"),
        (1, "group is missing"),
    ]


def test_bad_rows_are_named():
    with pytest.raises(AnalyticsError, match="'time', row 2: the time -1 is negative"):
        cumulative_incidence_of(np.array([1, -1.0]), np.array([1, 0.0]), horizon=1)
    with pytest.raises(AnalyticsError, match="'event', row 1: 3 is neither 0 nor 1"):
        cumulative_incidence_of(np.array([1, 1.0]), np.array([3, 0.0]), horizon=1)


def test_restricted_mean_is_the_area():
    area, se = kaplan_meier(np.array([1, 2, 3.0]), np.array([1, 0, 0.0])).restricted_mean(3)
    assert area == pytest.approx(1 + 2 * 2 / 3)
    assert math.isfinite(se)
