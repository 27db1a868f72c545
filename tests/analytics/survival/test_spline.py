"""Restricted cubic spline of a marker; restricted means; interval of the median."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.survival.cox import cox_of
from analytics.survival.kaplan_meier import kaplan_meier
from analytics.survival.restricted_mean import restricted_means_of
from analytics.survival.spline import restricted_cubic_basis, spline_of
from analytics.tables import on_table


def data(n=800, seed=1, shape=lambda x: 0.6 * x):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, n)
    time, censor = rng.exponential(5 * np.exp(-shape(x))), rng.uniform(1, 8, n)
    return np.minimum(time, censor), (time <= censor) * 1.0, x


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=4, max_size=5, unique=True))
def test_basis_is_linear_beyond_the_outer_knots_and_smooth(knots):
    knots = np.sort(np.array(knots))
    if np.diff(knots).min() < 0.05:
        return
    for start in (knots[0] - 3, knots[-1] + 0.5):
        basis = restricted_cubic_basis(start + np.array([0, 1.0, 2.0]) * 0.5, knots)
        assert basis[2] - 2 * basis[1] + basis[0] == pytest.approx(np.zeros(len(knots) - 1), abs=1e-6)
    near = restricted_cubic_basis(knots[:, None].ravel() + 1e-7, knots)
    assert near == pytest.approx(restricted_cubic_basis(knots, knots), abs=1e-5)


def test_straight_effect_has_no_curvature_and_the_linear_ratio():
    time, event, x = data()
    r = spline_of(time, event, x, marker="volume")
    assert r.curvature.p > 0.05
    assert r.overall.p < 1e-10
    assert r.overall.df == (3,)
    linear = cox_of(time, event, {"x": x})
    assert r.overall.statistic - r.curvature.statistic == pytest.approx(linear.likelihood_ratio.statistic)
    ratio, interval = r.ratio_at(r.reference + 1)
    assert interval.low < linear.terms[0].estimate < interval.high
    assert ratio > 1
    assert r.ratio_at(r.reference) == (1, None)


def test_a_curve_is_found():
    time, event, x = data(shape=lambda x: 0.6 * x**2)
    r = spline_of(time, event, x, knots=5)
    assert r.curvature.p < 1e-6
    assert r.ratio[0] > 1 < r.ratio[-1]
    assert np.all((r.low <= r.ratio) & (r.ratio <= r.high))
    assert len(draw(r).to_figure().data) == 4
    assert len(r.to_dict()["ratio"]) == 101


def test_units_of_the_marker_do_not_matter():
    time, event, x = data(300)
    one, other = spline_of(time, event, x), spline_of(time, event, 1000 * x + 5000)
    assert one.ratio == pytest.approx(other.ratio, rel=1e-6)


def test_adjustment_and_refusals():
    time, event, x = data(300)
    z = np.random.default_rng(0).standard_normal(300)
    assert "adjusted for z" in spline_of(time, event, x, covariates={"z": z}).sentence()
    assert "too few distinct values" in spline_of(time, event, (x > 0) * 1.0).reason
    refused = spline_of(time, 0 * event, x)
    assert refused.reason == "no events"
    assert "Not estimable" in draw(refused).to_figure().layout.annotations[0].text
    with pytest.raises(AnalyticsError, match="was not fitted"):
        refused.ratio_at(1)
    with pytest.raises(AnalyticsError, match="3, 4 or 5"):
        spline_of(time, event, x, knots=7)
    assert on_table(spline_of, {"t": time, "e": event, "x": x}, time="t", event="e", marker="x").n == 300


def test_restricted_mean_without_censoring_is_a_mean():
    time, _, _ = data(200)
    r = restricted_means_of(time, np.ones(200), tau=4)
    assert r.estimate == pytest.approx(np.minimum(time, 4).mean())
    assert r.se == pytest.approx(np.minimum(time, 4).std() / np.sqrt(200), rel=0.02)


def test_restricted_mean_agrees_with_lifelines():
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    time, event, x = data(300)
    table = {"t": time, "e": event, "g": np.where(x > 0, "high", "low")}
    r = on_table(restricted_means_of, table, time="t", event="e", group="g", tau=5)
    for g in r.groups:
        rows = table["g"] == g.group
        fitted = KaplanMeierFitter().fit(time[rows], event[rows])
        assert g.estimate == pytest.approx(restricted_mean_survival_time(fitted, t=5), rel=1e-9)
    assert r.estimate == pytest.approx(r.groups[1].estimate - r.groups[0].estimate)
    assert r.estimate > 0 > -r.test.p
    assert "difference" in r.sentence()


def test_restricted_mean_beyond_follow_up():
    time, event, _ = data(50)
    assert "choose an earlier horizon" in restricted_means_of(time, event, tau=99).reason
    with pytest.raises(AnalyticsError, match="not above 0"):
        restricted_means_of(time, event, tau=0)


def test_median_interval_agrees_with_lifelines():
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    time, event, _ = data(200)
    fitted = KaplanMeierFitter().fit(time, event)
    expected = median_survival_times(fitted.confidence_interval_)
    assert kaplan_meier(time, event).median_interval() == pytest.approx(tuple(expected.iloc[0]))
    rare = kaplan_meier(np.arange(1, 21.0), np.array([1, 1] + [0] * 18))
    assert rare.median_interval() == (None, None)
