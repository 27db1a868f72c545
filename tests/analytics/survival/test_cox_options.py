"""Strata, clustered standard errors, residuals and the tests of proportionality of a Cox model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.errors import AnalyticsError
from analytics.survival.cox import cox_of
from analytics.survival.partial_likelihood import RiskSets, maximise
from analytics.survival.residuals import deviance, martingale, score_residuals
from analytics.tables import on_table


def data(n=240, seed=5):
    rng = np.random.default_rng(seed)
    x, site = rng.standard_normal(n), rng.integers(0, 3, n)
    time = rng.exponential(np.exp(-0.6 * x) * (2.0 + 3 * site))
    censor = rng.uniform(0.5, 9, n)
    return np.minimum(time, censor).round(1) + 0.1, (time <= censor) * 1.0, x, site


def test_strata_agree_with_lifelines():
    from lifelines import CoxPHFitter

    time, event, x, site = data()
    table = pd.DataFrame({"time": time, "event": event, "x": x, "site": site})
    fitted = CoxPHFitter().fit(table, "time", "event", strata="site", fit_options={"precision": 1e-10})
    model = on_table(cox_of, table, time="time", event="event", covariates=["x"], strata="site")
    assert model.strata == 3
    assert model.terms[0].coefficient == pytest.approx(float(fitted.params_["x"]), rel=1e-6)
    assert model.terms[0].se == pytest.approx(float(fitted.standard_errors_["x"]), rel=1e-6)
    assert model.log_likelihood == pytest.approx(fitted.log_likelihood_, rel=1e-9)
    assert "3 strata" in model.caption()


def test_clusters_agree_with_lifelines():
    from lifelines import CoxPHFitter

    time, event, x, _ = data()
    time = time + np.linspace(0, 1e-4, len(time))  # lifelines' robust errors are for untied times
    table = pd.DataFrame({"time": time, "event": event, "x": x, "patient": np.arange(len(time)) // 3})
    fitted = CoxPHFitter().fit(
        table, "time", "event", cluster_col="patient", fit_options={"precision": 1e-10}
    )
    model = on_table(cox_of, table, time="time", event="event", covariates=["x"], cluster="patient")
    assert model.clusters == 80
    assert model.terms[0].se == pytest.approx(float(fitted.standard_errors_["x"]), rel=1e-6)
    assert model.terms[0].model_se != model.terms[0].se
    assert "robust, clustered by patient" in model.caption()


def test_a_cluster_per_row_is_the_order_of_rows_no_matter():
    time, event, x, _ = data(90)
    alone = cox_of(time, event, {"x": x}, clusters=list(range(90)))
    back = slice(None, None, -1)
    again = cox_of(time[back], event[back], {"x": x[back]}, clusters=[f"p{i}" for i in range(90)])
    assert alone.terms[0].se == pytest.approx(again.terms[0].se, rel=1e-10)


def test_few_clusters_warn():
    time, event, x, site = data()
    assert any("only 3 patients" in w for w in cox_of(time, event, {"x": x}, clusters=list(site)).warnings)


def test_splitting_follow_up_changes_nothing():
    """A patient in two rows (0, t/2] and (t/2, t] is the same patient, also in the proportionality test."""
    time, event, x, _ = data(100)
    whole = cox_of(time, event, {"x": x}, clusters=list(range(100)))
    middle = time / 2
    split = cox_of(
        np.concatenate([middle, time]),
        np.concatenate([np.zeros(100), event]),
        {"x": np.tile(x, 2)},
        entry=np.concatenate([np.full(100, -1.0), middle]),
        clusters=list(range(100)) * 2,
    )
    for name in ("coefficient", "se", "model_se"):
        assert getattr(split.terms[0], name) == pytest.approx(getattr(whole.terms[0], name), rel=1e-8)
    assert split.proportionality.statistic == pytest.approx(whole.proportionality.statistic, rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([True, False]))
def test_residuals_add_up_to_nothing(seed, efron):
    time, event, x, site = data(60, seed)
    both = np.column_stack([x, site])
    risk = RiskSets(time, event == 1, both - both.mean(0), None, efron, site.astype(np.int64) % 2)
    fit = maximise(risk)
    assume(not fit.diverged.any())  # a separated sample has no maximum at which residuals could add up
    assert martingale(risk, fit).sum() == pytest.approx(0, abs=1e-8)
    assert score_residuals(risk, fit).sum(0) == pytest.approx([0, 0], abs=1e-7)
    assert np.isfinite(deviance(risk, fit)).all()


def test_both_tests_of_proportionality_see_a_crossing():
    rng = np.random.default_rng(3)
    group = np.repeat([0.0, 1.0], 300)
    time = np.where(group == 1, rng.weibull(0.5, 600), rng.weibull(3.0, 600) * 1.5) + 1e-3
    for form in ("score", "1994"):
        for clock in ("km", "rank", "log"):
            model = cox_of(time, np.ones(600), {"group": group}, ph_test=form, ph_time=clock)
            assert model.proportionality.p < 1e-4
    assert "1994" in model.caption()


def test_unknown_choices_are_named():
    time, event, x, _ = data(30)
    with pytest.raises(AnalyticsError, match="Unknown test of proportionality"):
        cox_of(time, event, {"x": x}, ph_test="exact")
    with pytest.raises(AnalyticsError, match="Unknown transform"):
        cox_of(time, event, {"x": x}, ph_time="sqrt")
    with pytest.raises(AnalyticsError, match="strata has 2 rows, the times have 30"):
        cox_of(time, event, {"x": x}, strata=[1, 2])


def test_missing_stratum_and_cluster_are_counted():
    time, event, x, site = data(60)
    labels = [None, *site[1:].tolist()]
    model = cox_of(time, event, {"x": x}, strata=labels)
    assert [(d.count, d.reason) for d in model.dropped] == [(1, "stratum is missing")]
