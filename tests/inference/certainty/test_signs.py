"""Signs and doubts on vessels whose faults are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.certainty.lesion_doubts import Reach, disagree, doubts_of
from inference.certainty.second_look import ScaleComparison
from inference.certainty.signs import Signs, branches_of, noise_of, signs_of
from inference.contours import THETA, VesselContours
from inference.quantification import Lesion, VesselRead
from inference.straightening import StraightenedVessel

SECTIONS = 100
OFFSET = (np.arange(64) - 31.5) * 0.3125
RADIUS = np.hypot(OFFSET, OFFSET[:, None])
LESION = Lesion(1, 9.0, 18.0)
LUMEN, WALL = 1.3, 2.6


def straight(
    hu: np.ndarray, name: str = "LAD", start: tuple[float, float, float] = (0, 0, 0)
) -> StraightenedVessel:
    centre = np.tile(np.array(start, float), (SECTIONS, 1))
    centre[:, 2] += np.arange(SECTIONS) * 0.3
    ones = np.ones((SECTIONS, 1))
    return StraightenedVessel(
        name,
        np.broadcast_to(hu, (SECTIONS, 64, 64)).astype(np.int16),
        centre,
        ones * [1.0, 0, 0],
        ones * [0, 1.0, 0],
        np.zeros((SECTIONS, 2)),
        ("",) * SECTIONS,
    )


def scene(behind: float = -80.0, calcium: bool = False) -> np.ndarray:
    """400 HU of blood, 70 HU of plaque, something behind; calcium on half the circumference of the plaque if asked."""
    hu = np.where(RADIUS < LUMEN, 400.0, np.where(RADIUS < WALL, 70.0, behind))
    if calcium:
        half = np.broadcast_to(OFFSET > 0, hu.shape)
        hu = np.where((RADIUS > LUMEN) & (RADIUS < WALL) & half, 1100.0, hu)
    return hu


def contours(lumen: float = LUMEN, wall: float = WALL, aside: float = 0.0) -> VesselContours:
    """Circles; the lumen's middle ``aside`` mm to the first side."""
    a = aside * np.cos(THETA)
    inner = a + np.sqrt(lumen**2 - aside**2 + a**2)
    shape = (SECTIONS, len(THETA))
    return VesselContours(
        np.broadcast_to(inner, shape), np.full(shape, wall), np.ones(shape, bool) & (wall > lumen)
    )


def seen(hu: np.ndarray, drawn: VesselContours | None = None, **more) -> Signs:
    vessel = straight(hu)
    read = VesselRead("LAD", drawn or contours(), (LESION,), more.pop("excluded", ()))
    given = {"uncertainty": np.full(SECTIONS, 0.1), "assumed": np.zeros(SECTIONS, bool), "scales": None}
    given |= {"branches": (), "noise_hu": 20.0}
    return signs_of(vessel, read, LESION, **(given | more))


def codes(signs: Signs, reach: Reach | None = None) -> dict[str, float | None]:
    return {doubt.code: doubt.measure for doubt in doubts_of("LAD", LESION, signs, reach)}


def test_a_plaque_in_fat_has_no_doubt() -> None:
    signs = seen(scene())
    assert signs.unseen_border == 0
    assert signs.radius_mm == pytest.approx(WALL, abs=1e-5)
    assert signs.thickness_mm == pytest.approx(WALL - LUMEN, abs=1e-5)
    assert signs.length_mm == 9
    assert codes(signs) == {}


def test_a_border_on_tissue_of_the_same_hu_is_told_with_its_share() -> None:
    half = np.where(OFFSET[:, None] > 0, 75.0, -80.0)
    signs = seen(scene(behind=half))
    assert signs.unseen_border == pytest.approx(0.5, abs=0.06)
    assert codes(signs) == {"no_border_contrast": pytest.approx(50, abs=6)}
    assert codes(seen(scene(behind=300.0))) == {}


def test_noise_alone_hides_no_border_and_shows_none() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 30, (SECTIONS, 64, 64))
    assert seen(scene() + noise).unseen_border < 0.02
    assert seen(scene(behind=70.0) + noise).unseen_border > 0.8


def test_calcium_around_half_the_lumen_hides_it() -> None:
    signs = seen(scene(calcium=True))
    assert signs.calcium_arc == pytest.approx(0.5, abs=0.04)
    assert codes(replace(signs, calcium_arc=0.55)) == {"calcium_hides_lumen": pytest.approx(55)}


def test_a_line_beside_the_lumen_is_unsure_and_one_off_its_middle_is_not() -> None:
    assert seen(scene(), contours(aside=0.6)).off_centre == 0
    assert codes(seen(scene(), contours(aside=1.25))) == {"centreline_unsure": 100}


def test_where_another_vessel_begins_a_branch_is_inside() -> None:
    main = straight(scene())
    side = straight(scene(), "D1", (0, 3.5, 12.0))
    far = straight(scene(), "LCx", (0, 9.0, 12.0))
    found = branches_of([main, side, far], [contours()] * 3)
    assert found["LAD"] == (pytest.approx(12.0),)
    assert codes(seen(scene(), branches=found["LAD"])) == {"branch_inside": 1}
    assert codes(seen(scene(), branches=(20.0,))) == {}


def test_a_stent_is_told_when_it_is_near() -> None:
    assert codes(seen(scene(), excluded=((20.5, 30.0, "stent"),))) == {"stent_near": pytest.approx(2.5)}
    assert codes(seen(scene(), excluded=((25.0, 30.0, "stent"),))) == {}


def test_what_calibration_never_reached_is_outside() -> None:
    signs = seen(scene())
    assert codes(signs, Reach(3.0, 2.0, 30.0)) == {}
    assert codes(signs, Reach(2.5, 2.0, 30.0)) == {"size_outside_training": pytest.approx(WALL, abs=1e-5)}
    assert codes(signs, Reach(3.0, 1.0, 30.0)) == {
        "size_outside_training": pytest.approx(WALL - LUMEN, abs=1e-5)
    }
    assert codes(signs, Reach(3.0, 2.0, 15.0)) == {"noise_outside_training": 20.0}


def test_scales_disagree_by_share_and_by_volume() -> None:
    apart = ScaleComparison(100.0, 240.0, larger_taken=True)
    signs = seen(scene(), scales=apart)
    (doubt,) = doubts_of("LAD", LESION, signs, None)
    assert doubt.code == "scales_disagree"
    assert "100 mm³ at its size, 240 mm³ seen smaller; the larger drawing counts." in doubt.message
    assert not disagree(ScaleComparison(100.0, 110.0, larger_taken=False))
    assert not disagree(ScaleComparison(3.0, 8.0, larger_taken=True))


def test_noise_is_the_spread_inside_wide_lumens() -> None:
    rng = np.random.default_rng(1)
    noisy = straight(400 + rng.normal(0, 25, (SECTIONS, 64, 64)))
    assert noise_of([noisy], [contours(lumen=2.2)]) == pytest.approx(25, rel=0.25)
    assert noise_of([straight(scene())], [contours(lumen=0.8)]) == 0
