"""Simulated readers are smooth perturbations of the truth, and pairs agree or differ as the plan asks."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plaquelab.demo.reading_steps import Case, NoSuchDrawError, draw_pair
from plaquelab.demo.simulated_reader import Hand, draw, surface
from plaquelab.reading.charter import DiscordanceRule


@pytest.fixture(scope="module")
def case(tiny_analysis: Any) -> Case:
    return Case(rows=(), vessels=tiny_analysis.vessels, truths=tiny_analysis.reads, profile="corrected")


@given(st.integers(0, 10_000), st.integers(20, 120))
@settings(max_examples=15, deadline=None)
def test_the_surface_is_smooth_closed_and_of_the_asked_size(seed: int, sections: int) -> None:
    field = surface(np.random.default_rng(seed), sections, 0.08)
    assert field.shape == (sections, 64)
    assert np.sqrt((field**2).mean()) == pytest.approx(0.08)
    assert np.abs(np.diff(field, axis=0)).max() < 0.05  # along: correlated over ten sections
    assert np.abs(field[:, 0] - field[:, -1]).max() < 0.06  # around: no seam


def test_a_hand_without_spread_draws_the_truth(case: Case) -> None:
    still = Hand(seed=1, lumen_mm=0.0, wall_mm=0.0, ends_mm=0.0)
    for vessel, truth in zip(case.vessels, case.truths, strict=True):
        drawn = draw(truth, still, arc_length_mm=vessel.arc_length, stream=0)
        opened = truth.contours.lumen_radius > 0.05
        assert np.allclose(drawn.contours.lumen_radius[opened], truth.contours.lumen_radius[opened])
        assert np.allclose(
            drawn.contours.wall_radius, np.maximum(truth.contours.wall_radius, drawn.contours.lumen_radius)
        )
        assert drawn.lesions == truth.lesions


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_every_draw_is_a_valid_read(case: Case, seed: int) -> None:
    vessel, truth = case.vessels[-1], case.truths[-1]
    drawn = draw(truth, Hand(seed=seed, ends_mm=2.0), arc_length_mm=vessel.arc_length, stream=1)
    ends = [(lesion.start_mm, lesion.end_mm) for lesion in drawn.lesions]
    assert all(0 <= a < b <= vessel.arc_length[-1] for a, b in ends)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))
    assert [lesion.number for lesion in drawn.lesions] == list(range(1, len(ends) + 1))
    closed = truth.contours.lumen_radius <= 0
    assert (drawn.contours.lumen_radius[closed] == 0).all()


def test_the_same_hand_draws_the_same(case: Case) -> None:
    def once() -> str:
        return draw(
            case.truths[1], Hand(seed=7), arc_length_mm=case.vessels[1].arc_length, stream=1
        ).contours.sha256

    assert once() == once()


def test_pairs_agree_or_differ_as_asked(case: Case) -> None:
    rule = DiscordanceRule(volume_mm3=5.0)  # the tiny phantom's lesions are small
    same = draw_pair(case, seed=11, discordant=False, rule=rule)
    other = draw_pair(case, seed=11, discordant=True, rule=rule)
    assert same[0][1].contours.sha256 != same[1][1].contours.sha256
    wall = [read.contours.wall_radius.mean() for read in (other[0][1], other[1][1])]
    assert wall[1] > wall[0]  # the second over-reads


def test_what_cannot_be_drawn_is_said(case: Case) -> None:
    never = DiscordanceRule(volume_mm3=1e9, cadrads_limits=(), plaque_stage=False)
    with pytest.raises(NoSuchDrawError, match="discordant"):
        draw_pair(case, seed=1, discordant=True, rule=never)


def test_hands_are_checked() -> None:
    with pytest.raises(ValueError, match="spread"):
        Hand(seed=1, lumen_mm=-0.1)
    assert replace(Hand(seed=1), wall_bias_mm=0.3).bolder().wall_bias_mm == pytest.approx(0.45)
