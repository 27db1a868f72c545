"""Figures carry the case behind every point, say when data are simulated, and refuse with a reason."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.accuracy.roc import roc_of
from analytics.accuracy.two_by_two import two_by_two_of
from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.icc import icc_of
from analytics.agreement.kappa import kappa_of
from analytics.figures import draw
from analytics.figures.decimals import Decimals
from analytics.figures.drawing import Drawing, refused
from analytics.figures.estimates import EstimateRow, estimates
from analytics.figures.survival import forest
from analytics.metrics import METRICS
from analytics.survival.cox import cox_of
from analytics.survival.kaplan_meier import cumulative_incidence_of

A = np.array([1, 4, 9, 16, 30.0])
B = A + np.array([0, 1, -1, 2, 3.0])
LINKS = [f"/rows/{i}/" for i in range(5)]


def markers(figure):
    return [t for t in figure.data if "markers" in (t.mode or "") and t.customdata is not None]


def texts(figure):
    return " ".join(a.text or "" for a in figure.layout.annotations)


def test_every_point_leads_to_its_case():
    for figure in (
        draw(icc_of(np.column_stack([A, B])), links=LINKS, labels=list("abcde")).to_figure(),
        draw(bland_altman_of(A, B), links=LINKS, labels=list("abcde")).to_figure(),
    ):
        (points,) = markers(figure)
        assert [c[0] for c in points.customdata] == LINKS
        assert len(points.x) == 5


def test_bland_altman_draws_bias_and_limits():
    result = bland_altman_of(A, B)
    heights = sorted({s.y0 for s in draw(result).to_figure().layout.shapes if s.type == "line"})
    assert heights == sorted([result.lower, result.estimate, result.upper])
    assert "bias 1.0" in texts(draw(result).to_figure())


def test_values_one_points_at_are_rounded_by_the_rule_of_the_metric():
    first, second = np.array([49.96, 70.04, 3.0]), np.array([50.04, 69.95, 0.285])
    stenosis, area = Decimals.of(METRICS["diameter_stenosis"]), Decimals.of(METRICS["minimal_luminal_area"])
    drawn = draw(icc_of(np.column_stack([first, second])), decimals=stenosis)
    assert [c[2] for c in drawn.data[-1]["customdata"]][:2] == ["49.9, 50.0", "70.0, 69.9"]
    drawn = draw(bland_altman_of(first, second), decimals=area)
    assert drawn.data[-1]["customdata"][2][2] == "mean 1.64, difference −2.72"
    assert not any("{x" in t.get("hovertemplate", "") for t in drawn.data)


def test_simulated_data_is_said_in_the_figure():
    assert "Simulated data" in texts(draw(bland_altman_of(A, B, simulated=True)).to_figure())
    assert "Simulated data" not in texts(draw(bland_altman_of(A, B)).to_figure())


def test_refusals_are_written_into_the_figure():
    assert "Not estimable: no complete pair" in texts(
        draw(bland_altman_of(np.empty(0), np.empty(0))).to_figure()
    )
    assert "Not estimable" in texts(draw(roc_of(A, np.zeros(5))).to_figure())


def test_matrix_cells_hold_counts_and_links():
    result = kappa_of([0, 1, 1], [0, 1, 0], levels=range(2))
    figure = draw(result, links=[["a", "b"], ["c", "d"]]).to_figure()
    assert figure.data[0].z[1][0] == 1
    assert figure.data[0].customdata[1][0][0] == "c"


def test_roc_starts_at_all_and_ends_at_nobody():
    result = roc_of(A, np.array([0, 0, 1, 0, 1.0]))
    curve = markers(draw(result, link_template="?cut={threshold}").to_figure())[0]
    assert (curve.x[0], curve.y[0]) == (1, 1)
    assert (curve.x[-1], curve.y[-1]) == (0, 0)
    assert curve.customdata[0][0] == "?cut=1.0"


def test_incidence_has_a_band_and_the_number_at_risk():
    time, event = np.array([1, 2, 3, 4, 5, 6.0]), np.array([1, 0, 1, 1, 0, 1.0])
    result = cumulative_incidence_of(time, event, groups=["low", "high"] * 3, horizon=4)
    figure = draw(result, link_template="?g={group}&t={time}").to_figure()
    assert len(figure.data) == 6  # per group: upper, lower, step
    assert "low" in texts(figure)
    assert " 3 " in f" {texts(figure)} "
    step = markers(figure)[0]
    assert step.line.shape == "hv"
    assert step.customdata[1][0].startswith("?g=0&t=1.0")


def test_forest_names_what_is_not_estimable():
    rng = np.random.default_rng(0)
    time, event = rng.exponential(1, 60), np.ones(60)
    good = cox_of(time, event, {"x": rng.standard_normal(60)})
    bad = cox_of(time, event, {"constant": np.ones(60)})
    figure = forest((("", good), ("", bad))).to_figure()
    assert any("not estimable" in str(t.text) for t in figure.data)
    assert figure.layout.xaxis.type == "log"


def test_figures_are_json_without_nan():
    two = two_by_two_of(tp=0, fp=0, fn=0, tn=5)
    for figure in (draw(two).to_figure(), draw(icc_of(np.column_stack([A, B]))).to_figure()):
        assert "NaN" not in figure.to_json()
        json.loads(figure.to_json())


def test_drawings_are_what_plotly_accepts():
    """``to_figure`` validates every property; the plain form must be the same figure."""
    result = bland_altman_of(A, B, simulated=True)
    drawn = draw(result, links=LINKS).to_dict()
    accepted = json.loads(draw(result, links=LINKS).to_figure().to_json())
    assert accepted["data"][0]["customdata"] == drawn["data"][0]["customdata"]
    assert len(accepted["layout"]["shapes"]) == len(drawn["layout"]["shapes"]) == 6
    json.dumps(drawn, allow_nan=False)


def test_ticks_of_a_logarithmic_axis_are_printed_in_full():
    drawn = Drawing("x", "y")
    drawn.logarithmic("xaxis", 0.8, 30)
    texts = drawn.layout["xaxis"]["ticktext"]
    assert {"0.5", "1", "2", "5", "10", "20", "50"} <= set(texts)
    assert [float(t) for t in texts] == drawn.layout["xaxis"]["tickvals"]
    drawn.logarithmic("yaxis", 0.01, 50)
    assert {"0.01", "0.1", "1", "10"} <= set(drawn.layout["yaxis"]["ticktext"])
    assert "2" not in drawn.layout["yaxis"]["ticktext"]


def test_rows_lead_where_they_are_told_to():
    drawn = estimates([EstimateRow("a", 1.0, None), EstimateRow("b", 2.0, None)], "x").lead({"a": "?group=a"})
    assert {t["y"][0]: t["customdata"][0][0] for t in drawn.data} == {"a": "?group=a", "b": ""}


def test_a_long_reason_is_broken_into_lines():
    text = refused("Total plaque volume ≥ 238.5 mm³ has one value only").layout["annotations"][0]["text"]
    assert max(len(line) for line in text.split("<br>")) <= 44


def test_a_curve_of_many_steps_keeps_its_ends_and_its_values():
    rng = np.random.default_rng(8)
    time, event = rng.exponential(5, 20_000), (rng.random(20_000) < 0.5) * 1.0
    found = cumulative_incidence_of(time, event, horizon=5.0)
    drawn = next(t for t in draw(found).data if t.get("name") == "all")
    assert len(drawn["x"]) < 1_000
    assert drawn["x"][-1] == pytest.approx(time.max())
    for at in (10, 400, 700):
        assert drawn["y"][at] == pytest.approx(
            100 * found.curves[0].incidence_at(drawn["x"][at])[0], abs=1e-4
        )
