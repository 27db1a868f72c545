"""What is said about a found tree: where its heart points, where vessels leave the scan, what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from inference.centreline.aorta import Tube
from inference.centreline.heart_frame import USUAL_UP, HeartFrame
from inference.centreline.lines import Centreline
from inference.centreline.quality import check_heart, cut_off, leaving, quality, shortfalls, told_dominance
from inference.errors import RefusedScan
from inference.scan import Volume


def frame(up: np.ndarray) -> HeartFrame:
    up = np.asarray(up, float) / np.linalg.norm(up)
    front = np.cross(up, [1.0, 0.0, 0.0])
    return HeartFrame(np.zeros(3), up, front / np.linalg.norm(front), right=0, score=200.0)


def tube(x: float, y: float) -> Tube:
    centres = np.array([[x, y, z] for z in np.arange(0.0, 60.0, 3.0)])
    return Tube(centres, np.full(len(centres), 12.0), hu=400.0, fill=0.95)


def test_a_heart_in_its_usual_place_is_not_doubted() -> None:
    assert frame(USUAL_UP).usual == pytest.approx(1.0, abs=2e-3)
    assert check_heart(frame(USUAL_UP), tube(0, 0), [tube(24, 45)]) == []


@pytest.mark.parametrize(
    "turn", [(-1, -1, 1), (-1, 1, -1), (1, -1, -1)], ids=["about z", "about y", "about x"]
)
def test_a_scan_whose_header_turns_it_by_180_degrees_is_refused(turn: tuple[int, int, int]) -> None:
    with pytest.raises(RefusedScan, match="ImageOrientationPatient") as error:
        check_heart(frame(USUAL_UP * turn), tube(0, 0))
    assert error.value.code == "no-coronary"


def test_a_heart_on_the_right_side_is_doubted_with_its_angle() -> None:
    up = USUAL_UP * (-1, 1, 1)
    angle = np.degrees(np.arccos(up @ USUAL_UP / (np.linalg.norm(up) * np.linalg.norm(USUAL_UP))))
    (doubt,) = check_heart(frame(up), tube(0, 0))
    assert doubt.code == "heart_unusual"
    assert f"{angle:.0f}° off" in doubt.message
    assert "right side" in doubt.message


def test_a_descending_aorta_in_front_of_the_ascending_one_is_doubted() -> None:
    (doubt,) = check_heart(frame(USUAL_UP), tube(0, 0), [tube(24, -45)])
    assert "mirrored" in doubt.message


def volume() -> Volume:
    """100 × 100 × 50 mm; columns run to the left, rows to the front, slices to the feet."""
    affine = np.array([[1.0, 0, 0, -50], [0, -1.0, 0, 50], [0, 0, -0.5, 25], [0, 0, 0, 1]])
    return Volume(np.zeros((100, 101, 101), np.int16), affine)


def test_the_border_where_a_vessel_leaves_is_named_in_the_patients_terms() -> None:
    inside = Centreline("LAD", np.linspace([0, 0, 0], [20, -20, -20], 40))
    feet = Centreline("RCA", np.linspace([0, 0, 0], [0, 0, -24.4], 40))
    left = Centreline("OM1", np.linspace([0, 0, 0], [49.5, 0, 0], 40))
    back = Centreline("OM2", np.linspace([0, 0, 0], [0, 49.0, 0], 40))
    borders = leaving(volume(), [inside, feet, left, back])
    assert borders == {"lower": ("RCA",), "left": ("OM1",), "back": ("OM2",)}
    told = cut_off(borders)[0]
    assert (told.code, told.vessel) == ("leaves_scan", "RCA")
    assert "lower border" in told.message
    assert told_dominance("left", borders) == "unknown"
    assert told_dominance("left", {"left": ("OM1",)}) == "left"
    assert cut_off({}) == []


def test_missing_short_and_doubtful_vessels_are_named() -> None:
    lines = [
        Centreline("LAD", np.array([[0, 0, 0], [20.0, 0, 0]])),
        Centreline("RCA", np.array([[0, 0, 0], [90.0, 0, 0]])),
    ]
    told = {(d.vessel, d.code) for d in shortfalls(lines, {"LAD": 0.9, "RCA": 0.5}, "right")}
    assert {("LAD", "ends_early"), ("RCA", "centreline_unsure")} <= told
    assert {("LM", "not_found"), ("R-PDA", "not_found")} <= told
    assert ("L-PDA", "not_found") not in told


def test_quality_is_the_mean_chance_less_where_the_outline_is_unclear() -> None:
    odds = np.log([4.0, 1.0])
    assert quality(odds, np.ones(2)) == pytest.approx((0.8 + 0.5) / 2, abs=1e-3)
    assert quality(odds, np.array([1.0, 0.0])) == pytest.approx((0.8 + 0.25) / 2, abs=1e-3)
