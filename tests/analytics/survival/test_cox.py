"""Cox: lifelines as second opinion, monotone likelihood, drops, proportionality."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.errors import AnalyticsError
from analytics.survival.cox import cox_of
from analytics.tables import on_table


def data(n=300, seed=1):
    rng = np.random.default_rng(seed)
    x, z = rng.standard_normal(n), (rng.random(n) < 0.4) * 1.0
    time = rng.exponential(np.exp(-0.5 * x - 0.8 * z) * 5)
    censor = rng.uniform(0, 8, n)
    return np.minimum(time, censor).round(1) + 0.1, (time <= censor) * 1.0, {"x": x, "z": z}


def test_agrees_with_lifelines_with_ties():
    from lifelines import CoxPHFitter

    time, event, x = data()
    fitted = CoxPHFitter().fit(
        pd.DataFrame({"time": time, "event": event, **x}), "time", "event", fit_options={"precision": 1e-10}
    )
    result = cox_of(time, event, x)
    assert len(np.unique(time[event == 1])) < event.sum()  # there are ties, so Efron matters
    assert [t.coefficient for t in result.terms] == pytest.approx(fitted.params_.tolist(), rel=1e-5)
    assert [t.se for t in result.terms] == pytest.approx(fitted.standard_errors_.tolist(), rel=1e-5)
    assert result.log_likelihood == pytest.approx(fitted.log_likelihood_, rel=1e-9)
    assert result.concordance == pytest.approx(fitted.concordance_index_, abs=1e-6)


def test_ties_matter():
    time, event, x = data()
    efron, breslow = cox_of(time, event, x), cox_of(time, event, x, ties="Breslow")
    assert abs(breslow.terms[0].coefficient) < abs(efron.terms[0].coefficient)


def test_weights_are_not_duplicated_rows_for_efron():
    """Doubling every row makes ties that Efron treats as ties: coefficients move, unlike AUC's or ICC's."""
    time, event, x = data(n=80)
    twice = {name: np.tile(v, 2) for name, v in x.items()}
    doubled = cox_of(np.tile(time, 2), np.tile(event, 2), twice)
    assert doubled.terms[0].coefficient != pytest.approx(
        cox_of(time, event, x).terms[0].coefficient, rel=1e-4
    )


def test_monotone_likelihood_prints_no_huge_ratio():
    time, event, x = data(n=120)
    group = (np.arange(120) < 30) * 1.0
    event = event * (1 - group)  # nobody in the group has an event
    result = cox_of(time, event, {"group": group, "x": x["x"]})
    assert [t.estimate for t in result.terms] == [None, None]
    assert "without limit" in result.terms[0].reason
    assert "another covariate" in result.terms[1].reason
    assert "e+" not in result.sentence()
    assert result.to_dict()["terms"][0]["interval"] is None


def test_constant_and_collinear_covariates():
    time, event, x = data(n=100)
    assert "one value only" in cox_of(time, event, {"x": x["x"], "c": np.ones(100)}).reason
    result = cox_of(time, event, {"x": x["x"], "twice": 2 * x["x"]})
    assert result.reason == "the covariates are collinear"


def test_no_events():
    time, _, x = data(n=50)
    result = cox_of(time, np.zeros(50), x)
    assert result.reason == "no events"
    assert result.terms[0].estimate is None


def test_missing_covariates_are_dropped_by_name():
    time, event, x = data(n=100)
    x["x"][:3] = np.nan
    result = cox_of(time, event, x)
    assert (result.n, result.dropped[0].count, result.dropped[0].reason) == (97, 3, "x is missing")


def test_entry_must_precede_the_end():
    time, event, x = data(n=50)
    with pytest.raises(AnalyticsError, match="entry is not before"):
        cox_of(time, event, x, entry=time)


def test_non_proportional_hazards_are_flagged():
    rng = np.random.default_rng(3)
    group = np.repeat([0.0, 1.0], 400)
    # Group 1 has all its hazard early, group 0 late: the ratio changes with time.
    time = np.where(group == 1, rng.weibull(0.5, 800), rng.weibull(3.0, 800) * 1.5)
    result = cox_of(time + 1e-3, np.ones(800), {"group": group})
    assert result.terms[0].proportionality.p < 1e-6
    assert "not proportional" in result.caption()


def test_small_units_keep_digits():
    time, event, x = data()
    result = cox_of(time, event, {"volume": 1000 * x["x"]})
    low, high = result.terms[0].interval
    assert low != high
    text = result.terms[0].printed()
    assert "1.00 (1.00–1.00)" not in text


def test_table_form():
    time, event, x = data(n=60)
    table = {"t": time, "e": event, **x}
    assert on_table(cox_of, table, time="t", event="e", covariates=["x"]).terms[0].covariate == "x"
