"""Competing risks: by loops, against the special cases without competing events, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.survival.competing import aalen_johansen, competing_incidence_of
from analytics.survival.competing_models import cause_specific_of, fine_gray_of
from analytics.survival.cox import cox_of
from analytics.survival.gray import gray_test
from analytics.survival.kaplan_meier import kaplan_meier
from analytics.survival.log_rank import log_rank
from analytics.tables import on_table


def data(n=200, seed=1, digits=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    first, second = rng.exponential(np.exp(-0.5 * x) * 4), rng.exponential(np.exp(0.3 * x) * 6)
    censor = rng.uniform(0, 9, n)
    time = np.minimum(np.minimum(first, second), censor)
    event = np.where(time == censor, 0.0, np.where(time == first, 1.0, 2.0))
    return time.round(digits) + 0.1, event, x


def incidence_by_loops(time, event, weight, t):
    """F₁(t) of weighted rows."""
    survival, f = 1.0, 0.0
    for u in np.unique(time[(event > 0) & (time <= t)]):
        n = weight[time >= u].sum()
        f += survival * weight[(time == u) & (event == 1)].sum() / n
        survival *= 1 - weight[(time == u) & (event > 0)].sum() / n
    return f


def test_incidence_and_its_jackknife_by_loops():
    time, event, _ = data(60)
    curve = aalen_johansen(time, event)
    for t in (1.0, 2.5, 5.0):
        one = np.ones(60)
        f = incidence_by_loops(time, event, one, t)
        assert curve.incidence_at(t)[0] == pytest.approx(f, abs=1e-12)
        influence = [(incidence_by_loops(time, event, one + 1e-6 * e, t) - f) / 1e-6 for e in np.eye(60)]
        assert curve.standard_error_at(t) == pytest.approx(np.sqrt(np.square(influence).sum()), rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 80))
def test_causes_and_survival_add_up_to_one(seed, n):
    time, event, _ = data(n, seed)
    t = 4.0
    both = sum(aalen_johansen(time, event, cause=c).incidence_at(t)[0] for c in (1, 2))
    assert both + kaplan_meier(time, (event > 0) * 1.0).survival_at(t) == pytest.approx(1, abs=1e-12)


def test_without_competing_events_it_is_kaplan_meier():
    time, event, _ = data()
    alone = (event == 1) * 1.0
    curve, km = aalen_johansen(time, alone), kaplan_meier(time, alone)
    for t in (1.0, 3.0, 6.0):
        assert curve.incidence_at(t)[0] == pytest.approx(1 - km.survival_at(t))
        assert curve.standard_error_at(t) == pytest.approx(km.standard_error_at(t), rel=0.02)
        assert curve.aalen_variance_at(t) ** 0.5 == pytest.approx(km.standard_error_at(t), rel=0.06)


def test_one_minus_kaplan_meier_overestimates_and_is_said():
    time, event, _ = data()
    result = competing_incidence_of(time, event, outcomes=["infarction", "other death"], horizon=5)
    assert result.naive > result.estimate
    assert result.interval.low < result.estimate < result.interval.high
    assert "one minus Kaplan–Meier would say" in result.sentence()
    assert result.test_reason == "one group only"


def test_gray_without_competing_events_is_close_to_log_rank():
    time, event, x = data(400)
    group = (x > 0).astype(np.int64)
    alone = (event == 1) * 1.0
    ours, theirs = gray_test(time, alone, group, 2), log_rank(time, alone, group, 2).test.statistic
    assert ours == pytest.approx(theirs, rel=0.05)


def test_gray_keeps_its_level():
    """400 simulated pairs of equal groups: about 5 % below 0.05."""
    below = 0
    for seed in range(400):
        time, event, _ = data(80, seed)
        group = np.arange(80) % 2
        below += gray_test(time, event, group, 2) > 3.841458820694124
    assert 0.025 < below / 400 < 0.085


def test_gray_does_not_depend_on_the_order_of_groups():
    time, event, x = data(300)
    group = np.digitize(x, [-0.5, 0.5])
    relabelled = np.array([2, 0, 1])[group]
    assert gray_test(time, event, group, 3) == pytest.approx(gray_test(time, event, relabelled, 3))


def weights_by_loops(time, event, t):
    censoring = kaplan_meier(time, (event == 0) * 1.0)

    def g_before(u):
        return censoring.survival_at(np.nextafter(u, 0))

    return np.array(
        [
            1.0 if time[i] >= t else (g_before(t) / g_before(time[i]) if event[i] == 2 else 0.0)
            for i in range(len(time))
        ]
    )


def test_fine_gray_score_by_loops():
    time, event, x = data(120)
    model = fine_gray_of(time, event, {"x": x})
    score = 0.0
    for i in np.flatnonzero(event == 1):
        w = weights_by_loops(time, event, time[i]) * np.exp(model.terms[0].coefficient * x)
        score += x[i] - (w @ x) / w.sum()
    assert score == pytest.approx(0, abs=1e-7)


def test_fine_gray_without_censoring_is_cox_with_immortal_competitors():
    time, event, x = data(150)
    event = np.where(event == 0, 2.0, event)
    model = fine_gray_of(time, event, {"x": x})
    forever = np.where(event == 2, 1e6, time)
    plain = cox_of(forever, (event == 1) * 1.0, {"x": x}, ties="Breslow", clusters=list(range(150)))
    assert model.terms[0].coefficient == pytest.approx(plain.terms[0].coefficient, rel=1e-8)
    assert model.terms[0].se == pytest.approx(plain.terms[0].se, rel=1e-6)


def test_fine_gray_recovers_a_subdistribution_ratio():
    """Fine and Gray's own construction: ratio e^0.7, cause 1 in 60 % of the reference group."""
    rng = np.random.default_rng(9)
    n, p, beta = 4000, 0.6, 0.7
    x = rng.integers(0, 2, n).astype(float)
    u = rng.random(n)
    mass = 1 - (1 - p) ** np.exp(beta * x)
    mine = u < mass
    inner = (1 - (1 - np.where(mine, u, 0)) ** np.exp(-beta * x)) / p
    time = np.where(mine, -np.log(np.maximum(1 - inner, 1e-12)), rng.exponential(1, n))
    censor = rng.uniform(0.2, 4, n)
    event = np.where(time > censor, 0.0, np.where(mine, 1.0, 2.0))
    term = fine_gray_of(np.minimum(time, censor), event, {"x": x}).terms[0]
    assert abs(term.coefficient - beta) < 3 * term.se
    assert term.se < 0.08


def test_cause_specific_censors_the_others():
    time, event, x = data()
    model = cause_specific_of(time, event, {"x": x})
    plain = cox_of(time, (event == 1) * 1.0, {"x": x})
    assert model.terms[0].coefficient == plain.terms[0].coefficient
    assert "Cause-specific" in model.caption()


def test_figure_table_forms_and_refusals():
    time, event, x = data()
    table = {"t": time, "e": event, "x": x, "g": np.where(x > 0, "high", "low")}
    result = on_table(
        competing_incidence_of,
        table,
        time="t",
        event="e",
        group="g",
        outcomes=["infarction", "other death"],
        horizon=5,
    )
    assert result.test.df == (1,)
    assert len(draw(result).to_figure().data) == 8
    assert len(result.to_dict()["curves"]) == 4
    for estimator in (fine_gray_of, cause_specific_of):
        assert on_table(estimator, table, time="t", event="e", covariates=["x"]).terms[0].estimate > 1
    with pytest.raises(AnalyticsError, match="none of 0, 1"):
        competing_incidence_of(time, event + 5, outcomes=["a", "b"], horizon=1)
    assert fine_gray_of(time, 0 * event, {"x": x}).reason == "no events"
    empty = competing_incidence_of(np.full(2, np.nan), np.ones(2), outcomes=["a"], horizon=1)
    assert "Not estimable" in str(draw(empty).to_figure().layout.annotations[0].text)
    nothing = competing_incidence_of(time, 0 * event, outcomes=["a", "b"], horizon=1)
    assert nothing.estimate == 0
