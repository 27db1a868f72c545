"""Firth's penalised Cox regression: by brute force, under separation, and its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from analytics.survival.cox import cox_of
from analytics.survival.firth import firth_of
from analytics.tables import on_table


def data(n=60, seed=2):
    rng = np.random.default_rng(seed)
    g, age = (rng.random(n) < 0.5) * 1.0, rng.normal(60, 8, n)
    time = rng.exponential(4, n).round(1) + 0.1
    return time, (rng.random(n) < 0.3) * 1.0, g, age


def brute_force(time, event, x):
    """Minus the penalised log partial likelihood with Breslow ties, by loops."""

    def value(beta):
        log_likelihood, information = 0.0, np.zeros((x.shape[1],) * 2)
        for i in np.flatnonzero(event):
            at_risk = x[time >= time[i]]
            w = np.exp(at_risk @ beta)
            mean = w @ at_risk / w.sum()
            information += (at_risk * w[:, None]).T @ at_risk / w.sum() - np.outer(mean, mean)
            log_likelihood += x[i] @ beta - math.log(w.sum())
        return -log_likelihood - np.linalg.slogdet(information)[1] / 2

    return value


def test_maximum_and_profile_by_brute_force():
    time, event, g, age = data()
    x = np.column_stack([g - g.mean(), (age - age.mean()) / 10])
    objective = brute_force(time, event, x)
    best = minimize(objective, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    model = firth_of(time, event, {"g": g, "age": age / 10})
    assert [t.coefficient for t in model.terms] == pytest.approx(best.x, abs=1e-6)
    for limit in model.terms[0].interval:
        held = minimize(
            lambda b, limit=limit: objective(np.array([math.log(limit), b[0]])),
            [best.x[1]],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12},
        )
        assert 2 * (held.fun - best.fun) == pytest.approx(3.841458820694124, abs=1e-6)


def test_separation_gives_a_finite_ratio():
    time, event, g, age = data(120)
    event = event * g  # nobody without the finding has an event
    assert cox_of(time, event, {"g": g, "age": age}).terms[0].estimate is None
    model = firth_of(time, event, {"g": g, "age": age})
    term = model.terms[0]
    assert 1 < term.interval.low < term.estimate < term.interval.high < 1e5
    assert "profile likelihood" in model.caption()
    assert term.test.p < 0.001


def test_many_events_make_it_the_ordinary_model():
    rng = np.random.default_rng(4)
    x = rng.standard_normal(3000)
    time = rng.exponential(np.exp(-0.4 * x))
    plain, penalised = (
        f(time, np.ones(3000), {"x": x}) for f in (lambda *a: cox_of(*a, ties="Breslow"), firth_of)
    )
    assert penalised.terms[0].coefficient == pytest.approx(plain.terms[0].coefficient, abs=1e-3)
    assert list(penalised.terms[0].interval) == pytest.approx(list(plain.terms[0].interval), rel=5e-3)


def test_units_do_not_matter():
    time, event, g, age = data()
    one = firth_of(time, event, {"g": g, "age": age})
    other = firth_of(time, event, {"g": g, "age": age * 1000})
    assert other.terms[1].coefficient * 1000 == pytest.approx(one.terms[1].coefficient, rel=1e-6)
    assert other.terms[0].interval.high == pytest.approx(one.terms[0].interval.high, rel=1e-6)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9)


def test_refusals():
    time, event, g, _ = data()
    assert firth_of(time, 0 * event, {"g": g}).terms[0].reason == "no events"
    assert "collinear" in firth_of(time, event, {"g": g, "h": 2 * g}).reason
    assert "one value only" in firth_of(time, event, {"g": 0 * g}).reason


def test_table_form():
    time, event, g, _ = data()
    model = on_table(firth_of, {"t": time, "e": event, "g": g}, time="t", event="e", covariates=["g"])
    assert model.terms[0].covariate == "g"
    assert model.to_dict()["model"] == "Firth-penalised Cox regression"
