"""Reader Disagreement Index, learning curves, control charts: by hand and against least squares (simulated data)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.monitoring import learning_curve, mean_chart, proportion_chart, reader_disagreement

NAN = np.nan


def test_index_by_hand():
    first, second = list("AAAAB"), list("BBCCC")
    differs = np.array([True, True, True, False, True])
    chosen = np.array([1, 2, 3, NAN, 1])
    found = reader_disagreement(first, second, differs, differs.copy(), chosen)
    rows = {r.reader: r for r in found.readers}
    # A: overruled in cases 2 (second chosen) and 3 (neither); B: in case 1; C: in cases 3 and 5.
    assert (rows["A"].cases, rows["A"].overruled) == (4, 2)
    assert (rows["B"].cases, rows["B"].overruled) == (3, 1)
    assert (rows["C"].cases, rows["C"].overruled) == (3, 2)
    assert found.estimate == 0.8
    assert rows["C"].index == pytest.approx(2 / 3)
    exact = stats.binomtest(2, 3).proportion_ci()
    assert tuple(rows["C"].interval) == pytest.approx((exact.low, exact.high))
    assert [r.reader for r in found.readers if r.stands_out] == ["C"]


def test_cases_that_wait_are_counted():
    found = reader_disagreement(
        ["A", "A"], ["B", "B"], np.array([True, True]), np.array([True, False]), np.array([1, NAN])
    )
    assert (found.adjudicated, found.waiting) == (1, 1)
    assert reader_disagreement([], [], *(np.empty(0),) * 3).reason == "no case was read twice"


def test_contradictions_are_refused_by_row():
    yes = np.array([True])
    with pytest.raises(AnalyticsError, match="Row 1: an adjudication without decision"):
        reader_disagreement(["A"], ["B"], yes, yes, np.array([NAN]))
    with pytest.raises(AnalyticsError, match="Row 1: a decision without adjudication"):
        reader_disagreement(["A"], ["B"], yes, ~yes, np.array([1.0]))
    with pytest.raises(AnalyticsError, match="named as both readers"):
        reader_disagreement(["A"], ["A"], yes, yes, np.array([1.0]))


def reads(seed=3, slope=-0.2, readers=3, n=60):
    rng = np.random.default_rng(seed)
    order = np.tile(np.arange(1, n + 1), readers).astype(float)
    reader = np.repeat(np.arange(readers), n)
    minutes = np.exp(3 + 0.2 * reader + slope * np.log2(order) + rng.normal(0, 0.15, len(order)))
    return [f"R{r}" for r in reader], order, minutes


def test_learning_curve_is_least_squares_with_readers_levels():
    names, order, minutes = reads()
    found = learning_curve(names, order, minutes)
    x = np.column_stack([np.log2(order)] + [np.array(names) == f"R{i}" for i in range(3)]).astype(float)
    beta, residual, *_ = np.linalg.lstsq(x, np.log(minutes), rcond=None)
    se = np.sqrt(residual[0] / (180 - 4) * np.linalg.inv(x.T @ x)[0, 0])
    half = stats.t.ppf(0.975, 176) * se
    assert found.slope == pytest.approx(beta[0])
    assert tuple(found.interval) == pytest.approx((np.exp(beta[0] - half), np.exp(beta[0] + half)))
    assert found.levels == pytest.approx(np.exp(beta[1:]))
    assert found.test.p < 1e-10
    assert "shorter" in found.sentence()
    assert learning_curve(*reads(slope=0.0)).test.p > 0.01


def test_readers_who_learn_differently_are_told_apart():
    names, order, minutes = reads()
    faster = minutes * np.where(np.array(names) == "R2", order**-0.4, 1)
    assert learning_curve(names, order, minutes).alike.p > 0.01
    assert learning_curve(names, order, faster).alike.p < 1e-6


def test_learning_refusals():
    with pytest.raises(AnalyticsError, match="Row 2: a number of the read of 0"):
        learning_curve(["A", "A"], np.array([1.0, 0]), np.array([5.0, 5]))
    with pytest.raises(AnalyticsError, match="Row 1: a time of -5"):
        learning_curve(["A"], np.array([1.0]), np.array([-5.0]))
    found = learning_curve(["A", "A", "A"], np.array([1.0, 2, NAN]), np.array([5.0, 4, 3]))
    assert found.estimate is None
    assert found.dropped_count == 1


def test_p_chart_limits_by_hand():
    flags = np.r_[np.repeat([1, 0], [5, 45]), np.repeat([1, 0], [4, 96]), np.repeat([1, 0], [6, 44])].astype(
        float
    )
    periods = ["2"] * 50 + ["3"] * 100 + ["1"] * 50
    found = proportion_chart(flags, periods, what="Failures")
    assert [p.name for p in found.periods] == ["1", "2", "3"]
    assert found.estimate == pytest.approx(15 / 200)
    assert [p.value for p in found.periods] == pytest.approx([0.12, 0.1, 0.04])
    z = [
        (0.12 - 0.075) / np.sqrt(0.075 * 0.925 / 50),
        (0.1 - 0.075) / np.sqrt(0.075 * 0.925 / 50),
        (0.04 - 0.075) / np.sqrt(0.075 * 0.925 / 100),
    ]
    widened = max(1.0, np.abs(np.diff(z)).mean() / 1.128)
    assert found.widened == pytest.approx(widened)
    assert found.periods[2].high == pytest.approx(0.075 + 3 * widened * np.sqrt(0.075 * 0.925 / 100))
    assert found.periods[0].low == 0
    assert "no alarm" in found.sentence()


def test_a_jump_and_a_run_are_marked():
    rng = np.random.default_rng(1)
    periods = np.repeat([f"{i:02d}" for i in range(20)], 50)
    steady = rng.normal(10, 2, 1000)
    assert not mean_chart(steady, periods, what="x").alarms
    jump = steady + 4 * (periods == "15")
    assert [p.name for p in mean_chart(jump, periods, what="x").alarms] == ["15"]
    drift = steady + 0.5 * (periods >= "10") - 0.5 * (periods < "10")
    alarms = mean_chart(drift, periods, what="x").alarms
    assert any("8 in a row" in p.alarm for p in alarms)
    found = mean_chart(steady, periods, what="x")
    assert found.periods[0].high - found.estimate == pytest.approx(3 * 2 / np.sqrt(50), rel=0.1)


def test_numbered_periods_stand_in_their_order_and_many_marks_are_counted():
    rng = np.random.default_rng(2)
    periods = np.repeat([str(i) for i in range(1, 25)], 40)
    values = rng.normal(10, 2, 960) + 3 * (np.repeat(np.arange(1, 25), 40) > 12)
    found = mean_chart(values, periods, what="x", period="month")
    assert [p.name for p in found.periods] == [str(i) for i in range(1, 25)]
    low, high = (
        sum(side in p.alarm for p in found.alarms) for side in ("below the limit", "above the limit")
    )
    assert (low, high) == (12, 12)
    assert "24 months" in found.sentence()
    assert "24 marked: 12 below the limit, 12 above the limit." in found.sentence()


def test_chart_refusals():
    assert "periods; 3 are needed" in mean_chart(np.ones(4), list("aabb"), what="x").reason
    assert "one value per period" in mean_chart(np.arange(4.0), list("abcd"), what="x").reason
    with pytest.raises(AnalyticsError, match="Row 2: 2 is not 0 or 1"):
        proportion_chart(np.array([0, 2.0]), ["a", "b"], what="x")
    nobody = proportion_chart(np.zeros(30), list("abc") * 10, what="x")
    assert nobody.estimate == 0
    assert not nobody.alarms


def test_figures_hold_every_point_with_its_link():
    names, order, minutes = reads()
    drawn = draw(learning_curve(names, order, minutes), links=[f"?row={i}" for i in range(180)])
    assert sum(len(t["x"]) for t in drawn.data if t["mode"] == "markers") == 180
    assert drawn.data[2]["customdata"][0][0] == "?row=60"
    chart = draw(
        proportion_chart(np.array([0, 1.0] * 15), list("abc") * 10, what="x"), links=["?p=a", "?p=b", "?p=c"]
    )
    assert [c[0] for c in chart.data[-1]["customdata"]] == ["?p=a", "?p=b", "?p=c"]
