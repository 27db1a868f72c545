"""Every verdict of the file of published numbers is found again by this library, and the lines say what was printed."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.__main__ import main
from analytics.agreement.icc import icc_of
from analytics.agreement.mean_squares import coefficient, mean_squares
from analytics.paper import check_paper, printed
from analytics.paper.absolute import bias_ratios_that_fit, squares_of

LINES = {line.case: line for line in check_paper()}


@pytest.mark.parametrize("name", list(LINES))
def test_the_verdict_holds(name):
    line = LINES[name]
    assert line.found == line.verdict, (line.published, line.ours)


def test_lines_print_what_the_paper_prints():
    assert LINES["lin_tpv_cutoff"].ours == LINES["lin_tpv_cutoff"].published
    assert LINES["lin_fig4a_candidate_A1"].ours.endswith("kappa 0.82")
    assert "0.78" in LINES["lin_fig4a_candidate_A1"].published
    assert "half-width 0.092" in LINES["lin_auc_tpv"].ours
    assert "p = 0.029" in LINES["lin_hr_obstructive_multi"].ours
    assert LINES["lin_hr_tpv_uni"].ours.startswith("middle of the limits 6.55")
    assert "272.5" in LINES["lin_timing"].ours


def test_mean_squares_of_a_given_icc_and_bias_give_them_back():
    squares = squares_of(0.9, 200, 0.3)
    assert coefficient(squares, "A,1") == pytest.approx(0.9)
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 3, 400)
    ratings = np.column_stack([truth + rng.normal(0, 1, 400), truth + 0.5 + rng.normal(0, 1, 400)])
    found = icc_of(ratings, replicates=0)
    measured = mean_squares(ratings)
    difference = ratings[:, 1] - ratings[:, 0]
    ratio = difference.mean() / np.sqrt(2 * measured.error)
    again = squares_of(found.estimate, 400, ratio)
    assert again.columns == pytest.approx(measured.columns / measured.error)
    low, high = bias_ratios_that_fit(found.estimate, 400, *found.interval, 1e-3)
    assert low - 0.005 <= ratio <= high + 0.005


def test_no_bias_gives_an_impossible_interval():
    assert bias_ratios_that_fit(0.801, 1901, 0.781, 0.837, 1.1e-3) is None


def test_text_and_command(capsys):
    text = printed(list(LINES.values()))
    assert f"{len(LINES)} of {len(LINES)} verdicts hold" in text
    assert "= lin_tpv_cutoff: Results, prognostic" in text
    assert main(["paper"]) == 0
    assert capsys.readouterr().out.strip() == text
