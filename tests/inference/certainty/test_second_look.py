"""The second look: taken where it draws a lesion much larger, inside that lesion alone, and never for the lumen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.certainty.second_look import LARGER, ScaleComparison, look_again
from inference.contours.from_probabilities import contours_from_probabilities
from inference.quantification import Lesion, find_lesions, measure_sections, sections_inside
from inference.straightening import StraightenedVessel

SECTIONS = 120
OFFSET = (np.arange(64) - 31.5) * 0.3125
RADIUS = np.hypot(OFFSET, OFFSET[:, None])


def vessel() -> StraightenedVessel:
    centre = np.zeros((SECTIONS, 3))
    centre[:, 2] = np.arange(SECTIONS) * 0.3
    return StraightenedVessel(
        "LAD",
        np.zeros((SECTIONS, 64, 64), np.int16),
        centre,
        np.tile([1.0, 0, 0], (SECTIONS, 1)),
        np.tile([0, 1.0, 0], (SECTIONS, 1)),
        np.zeros((SECTIONS, 2)),
        ("",) * SECTIONS,
    )


def drawn(wall: np.ndarray, lumen: float = 1.2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Soft discs of these outer radii (S,), and plaque wherever the wall is thicker than 0.4 mm."""

    def disc(radius: np.ndarray) -> np.ndarray:
        return np.clip(0.5 + (radius[:, None, None] - RADIUS) / 0.3125, 0, 1).astype(np.float32)

    outer, inner = disc(wall), disc(np.full(len(wall), lumen))
    thick = (wall > lumen + 0.4)[:, None, None]
    return outer, inner, np.where(thick, outer - inner, 0).astype(np.float32)


def looked(first: np.ndarray, second: np.ndarray, given: list[Lesion] | None):
    maps, other = drawn(first), drawn(second, lumen=0.9)
    inside = sections_inside(SECTIONS, given or ())
    contours = contours_from_probabilities(*maps, given_lesions=inside)
    seen: list[slice] = []

    def see(stretch: slice):
        seen.append(stretch)
        return tuple(part[stretch] for part in other)

    look, _ = look_again(vessel(), maps, contours, given, see)
    return look, contours, seen


def walls(*lesions: tuple[int, int, float]) -> np.ndarray:
    out = np.full(SECTIONS, 1.45)
    for first, after, radius in lesions:
        out[first:after] = radius
    return out


LESIONS = [Lesion(1, 6.0, 12.0), Lesion(2, 24.0, 30.0)]


def test_only_the_lesion_that_is_drawn_much_larger_is_taken() -> None:
    first = walls((20, 41, 2.0), (80, 101, 2.4))
    second = walls((20, 41, 3.6), (80, 101, 2.5))
    look, before, seen = looked(first, second, LESIONS)
    a, b = (look.of(vessel(), lesion) for lesion in LESIONS)
    assert a.larger_taken
    assert not b.larger_taken
    assert a.first_mm3 == pytest.approx(np.pi * (2.0**2 - 1.2**2) * 6, rel=0.06)
    assert a.second_mm3 == pytest.approx(np.pi * (3.6**2 - 1.2**2) * 6, rel=0.06)
    assert a.disagreement == pytest.approx(1 - a.first_mm3 / a.second_mm3)
    volume = measure_sections(vessel(), look.contours).plaque_volume
    assert (volume[20:41] * 0.3).sum() == pytest.approx(np.pi * (3.6**2 - 1.2**2) * 6.3, rel=0.05)
    np.testing.assert_array_equal(look.contours.wall_radius[50:], before.wall_radius[50:])
    np.testing.assert_allclose(look.contours.lumen_radius, before.lumen_radius, atol=0.05)
    assert [(s.start, s.stop) for s in seen] == [(16, 45), (76, 105)]
    assert np.flatnonzero(look.taken).tolist() == list(range(20, 41))


def test_a_smaller_second_drawing_changes_nothing_but_is_told() -> None:
    first = walls((20, 41, 3.0))
    look, before, _ = looked(first, walls(), LESIONS[:1])
    assert look.contours is before
    told = look.of(vessel(), LESIONS[0])
    assert not told.larger_taken
    assert told.disagreement > 0.9


def test_what_is_found_may_grow_and_a_vessel_without_lesions_is_not_looked_at() -> None:
    look, before, seen = looked(walls((24, 43, 2.2)), walls((18, 49, 3.5)), None)
    assert len(seen) == 1
    (lesion,) = find_lesions(vessel(), look.contours)
    assert lesion.end_mm - lesion.start_mm > 8.5
    assert find_lesions(vessel(), before)[0].end_mm - find_lesions(vessel(), before)[0].start_mm < 6.5
    none, before, seen = looked(walls(), walls((20, 40, 3.0)), None)
    assert seen == []
    assert none.contours is before
    assert not none.taken.any()


def test_of_little_that_nobody_marked_a_larger_second_drawing_is_told_and_not_taken() -> None:
    small, large = walls((28, 36, 2.0)), walls((18, 46, 3.5))
    look, before, seen = looked(small, large, None)
    assert len(seen) == 1
    assert look.contours is before
    assert look.of(vessel(), find_lesions(vessel(), before)[0]).disagreement > 0.5
    marked, _, _ = looked(small, large, [Lesion(1, 8.4, 10.5)])
    assert marked.taken.any()


def test_two_looks_that_agree_or_see_nothing_do_not_disagree() -> None:
    assert ScaleComparison(0.0, 0.0, larger_taken=False).disagreement == 0
    same = ScaleComparison(20.0, 20.0 * LARGER, larger_taken=False)
    assert same.disagreement == pytest.approx(1 - 1 / LARGER)
    assert replace(same, second_mm3=20.0).disagreement == 0
