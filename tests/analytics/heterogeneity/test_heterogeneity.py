"""Pooling over sites, means by site, hazard ratios by subgroup."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.heterogeneity import (
    pool,
    site_hazard_ratios_of,
    site_means_of,
    subgroups_of,
)
from analytics.survival.cox import cox_of
from analytics.tables import on_table

Y = np.array([0.1, 0.9, 0.4, 1.3, -0.2])
V = np.array([0.05, 0.08, 0.04, 0.10, 0.06])


def test_reml_is_the_restricted_maximum():
    def minus(tau2):
        w = 1 / (V + tau2)
        mean = (w @ Y) / w.sum()
        return (np.log(V + tau2).sum() + math.log(w.sum()) + (w * (Y - mean) ** 2).sum()) / 2

    best = minimize_scalar(minus, bounds=(0, 3), method="bounded", options={"xatol": 1e-10})
    assert pool(Y, V).tau_squared == pytest.approx(best.x, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=8), st.integers(0, 100), st.floats(0.2, 5))
def test_shift_and_scale(effects, seed, factor):
    y, v = np.array(effects), np.random.default_rng(seed).uniform(0.05, 0.5, len(effects))
    base, moved = pool(y, v), pool(factor * y + 1, factor**2 * v)
    assert moved.estimate == pytest.approx(factor * base.estimate + 1, abs=1e-6)
    assert moved.tau_squared == pytest.approx(factor**2 * base.tau_squared, abs=1e-6)
    assert 0 <= base.i_squared <= 1
    assert base.heterogeneity.statistic == pytest.approx(moved.heterogeneity.statistic, abs=1e-8)


def test_equal_effects_have_no_heterogeneity():
    r = pool([0.5, 0.5, 0.5], [0.1, 0.2, 0.3])
    assert (r.tau_squared, r.i_squared) == (0, 0)
    assert r.estimate == pytest.approx(pool([0.5] * 3, [0.1, 0.2, 0.3], method="fixed").estimate)
    assert "only 3 sites" in r.warnings[0]


def test_pool_refuses_and_counts():
    with pytest.raises(AnalyticsError, match="variance of site 2 is 0"):
        pool([1, 2], [0.1, 0])
    with pytest.raises(AnalyticsError, match="Unknown method"):
        pool(Y, V, method="PM")
    r = pool([1, np.nan], [0.1, np.nan])
    assert (r.n, r.dropped_count, r.heterogeneity) == (1, 1, None)
    assert pool([], []).reason == "no site has an effect"
    assert len(draw(pool(Y, V)).to_figure().data) == 7


def test_site_means_count_patients():
    rng = np.random.default_rng(2)
    patient = np.repeat(np.arange(60), 4)
    site = np.where(patient < 30, "A", "B")
    values = rng.standard_normal(60)[patient] + (site == "B") * 2.0
    by_patient = site_means_of(values, site.tolist(), clusters=patient.tolist())
    by_lesion = site_means_of(values, site.tolist())
    assert by_patient.variances[0] > 3 * by_lesion.variances[0]
    assert by_patient.heterogeneity.p < 0.001
    table = {"d": values, "s": site, "p": patient}
    assert on_table(site_means_of, table, value="d", site="s", cluster="p").estimate == pytest.approx(
        by_patient.estimate
    )


def test_site_with_one_patient_is_dropped_by_count():
    r = site_means_of(np.array([1, 2, 3, 9.0, np.nan]), ["A", "A", "A", "B", "A"])
    assert r.names == ("A",)
    assert [d.count for d in r.dropped] == [1, 1]


def follow_up(n=500, seed=3, interaction=0.0):
    rng = np.random.default_rng(seed)
    x, sex = rng.standard_normal(n), np.where(rng.random(n) < 0.5, "F", "M")
    rate = 0.2 * np.exp(0.5 * x + interaction * x * (sex == "M"))
    time, censor = rng.exponential(1 / rate), rng.uniform(1, 8, n)
    return np.minimum(time, censor), (time <= censor) * 1.0, x, sex.tolist()


def test_interaction_is_seen_where_there_is_one():
    time, event, x, sex = follow_up(interaction=-1.0)
    r = subgroups_of(time, event, x, {"sex": sex}, marker="volume")
    women, men = r.subgroupings[0].levels
    assert women.ratio.estimate > 1 > men.ratio.estimate
    assert r.subgroupings[0].interaction.p < 1e-4
    assert women.n + men.n == 500
    assert women.events + men.events == r.overall.events
    assert "by sex: F" in r.sentence()
    assert len(draw(r).to_figure().data) == 3


def test_interaction_is_the_likelihood_ratio():
    time, event, x, sex = follow_up()
    male = np.array([s == "M" for s in sex]) * 1.0
    small = cox_of(time, event, {"x": x, "m": male}).log_likelihood
    large = cox_of(time, event, {"x": x, "m": male, "xm": x * male}).log_likelihood
    r = subgroups_of(time, event, x, {"sex": sex})
    assert r.subgroupings[0].interaction.statistic == pytest.approx(2 * (large - small))
    assert r.subgroupings[0].interaction.p > 0.01


def test_subgroups_without_events_or_levels_say_so():
    time, event, x, sex = follow_up(120)
    event = event * np.array([s == "M" for s in sex])
    labels = ["", *["one"] * 119]
    r = subgroups_of(time, event, x, {"sex": sex, "cohort": labels})
    assert r.subgroupings[0].levels[0].ratio.reason == "no events"
    assert r.subgroupings[1].reason == "one level only"
    assert r.subgroupings[1].missing == 1
    assert "not estimable: no events" in r.sentence()
    assert r.to_dict()["subgroupings"][1]["interaction"] is None
    draw(r).to_figure()
    with pytest.raises(AnalyticsError, match="cannot be a covariate"):
        subgroups_of(time, event, x, {}, marker="x", covariates={"x": x})


def test_table_form_and_sites():
    time, event, x, sex = follow_up()
    table = {"t": time, "e": event, "x": x, "sex": sex}
    assert len(on_table(subgroups_of, table, time="t", event="e", marker="x", by=["sex"]).subgroupings) == 1
    site = [f"site {i % 4}" for i in range(500)]
    r = site_hazard_ratios_of(time, event, x, site, name="volume")
    assert r.interval.low < 0.5 < r.interval.high
    assert r.n == 4
    assert draw(r).to_figure().layout.xaxis.type == "log"


def test_a_pooled_ratio_is_told_as_a_ratio():
    found = pool([math.log(2), math.log(8)], [0.1, 0.1], effect="log hazard ratio of x", ratio=True)
    assert found.estimate == pytest.approx(math.log(4))
    assert found.sentence().startswith("hazard ratio of x pooled over sites")
    low, high = (math.exp(v) for v in found.interval)
    assert f" 4.00, 95 % CI {low:.2f}–{high:.2f} " in found.sentence()
    assert draw(found).layout["xaxis"]["type"] == "log"
