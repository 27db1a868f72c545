"""The score of names: what fits better scores more, and right and left must agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.centreline.naming_score import DOMINANCES, HABITS, Branch, fit, fit_right_end

MARGINAL = Branch(
    size=1.3, drop_mm=38.0, turn_deg=70.0, end_turn_deg=67.0, share=0.55, aside_deg=0.0, fork_mm=60.0
)


def usual(name: str) -> Branch:
    """A branch that has the mean of every feature of a name."""
    return replace(MARGINAL, **{key: mean for key, (mean, _) in HABITS[name].usual.items()})


@pytest.mark.parametrize("name", HABITS)
def test_the_usual_branch_of_a_name_fits_it_best_of_its_artery(name: str) -> None:
    scores = {
        other: fit(other, usual(name))
        for other, habit in HABITS.items()
        if habit.parent == HABITS[name].parent
    }
    assert max(scores, key=lambda other: scores[other]) == name


def test_an_acute_marginal_is_no_posterior_descending_branch_wherever_azimuth_begins() -> None:
    """A marginal that leaves after half the way to the crux, as the other generator's do at an azimuth of −138°."""
    late = replace(MARGINAL, turn_deg=85.0, end_turn_deg=88.0)
    assert fit("AM", late) > fit("R-PDA", late) + 3.0


def test_larger_branches_are_worth_more_and_septals_nothing() -> None:
    small, large = (fit("D1", replace(usual("D1"), size=size)) for size in (0.66, 1.4))
    assert large > small + 3.0
    assert fit("D1", replace(usual("D1"), size=0.66, aside_deg=4.0, drop_mm=8.0)) < 0.0
    assert fit("D1", replace(usual("D1"), aside_deg=-60.0)) == -np.inf


def test_a_right_artery_that_gives_the_descending_branch_ends_at_the_crux() -> None:
    assert fit_right_end(140.0, True) > fit_right_end(90.0, True) + 3.0
    assert fit_right_end(80.0, False) > fit_right_end(80.0, True)


def test_both_sides_give_the_back_of_the_heart_once() -> None:
    right, left = frozenset({"R-PDA", "R-PLB"}), frozenset({"L-PDA", "L-PLB"})
    nothing = frozenset[str]()
    assert DOMINANCES[right, nothing][0] == "right"
    assert DOMINANCES[nothing, left][0] == "left"
    assert DOMINANCES[frozenset({"R-PDA"}), frozenset({"L-PLB"})][0] == "co-dominant"
    assert DOMINANCES[nothing, nothing][0] == "unknown"
    assert (right, left) not in DOMINANCES
