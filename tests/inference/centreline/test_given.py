"""Given centrelines held against a scan: what is refused, what is put right and told, what is doubted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial import cKDTree

from inference.centreline.given import Given, check_given, check_shapes
from inference.centreline.lines import Centreline
from inference.errors import CentrelineError
from inference.scan import Volume

LOW, SIZE = np.array([-50.0, -40.0, -50.0]), (100, 80, 100)
AORTA = np.array([[-20.0, 10.0, z] for z in np.arange(-10.0, 45.0)])


def way(*corners: tuple[float, float, float]) -> np.ndarray:
    """A line through corners, a point every 0.5 mm."""
    parts = [
        np.linspace(a, b, max(2, round(2 * np.linalg.norm(np.subtract(b, a)))), endpoint=False)
        for a, b in pairwise(corners)
    ]
    return np.concatenate([*parts, [corners[-1]]])


LM = way((-7, 10, 20), (2, 8, 18))
LAD = way((2, 8, 18), (14, -6, 8), (22, -16, -6), (26, -20, -30))
LCX = way((2, 8, 18), (14, 20, 8), (16, 28, -14))
D1 = way((14, -6, 8), (30, -6, -2), (38, -4, -20))


@pytest.fixture(scope="module")
def scan() -> Volume:
    """An aorta of 13 mm and four arteries of 1.8 mm radius in fat, 1 mm voxels."""
    k, j, i = np.indices(SIZE[::-1])
    points = np.stack([i, j, k], axis=-1).reshape(-1, 3) + LOW
    filled = cKDTree(AORTA).query(points)[0] < 13.0
    filled |= cKDTree(np.concatenate([LM, LAD, LCX, D1])).query(points)[0] < 1.8
    hu = np.where(filled, 400, -80).astype(np.int16).reshape(SIZE[::-1])
    affine = np.eye(4)
    affine[:3, 3] = LOW
    return Volume(hu, affine)


def tree(**other: np.ndarray) -> list[Centreline]:
    points = {"LM": LM, "LAD": LAD, "LCx": LCX, "D1": D1} | other
    return [Centreline(vessel, line) for vessel, line in points.items()]


def codes(given: Given) -> set[tuple[str, str]]:
    return {(doubt.vessel, doubt.code) for doubt in given.doubts}


def refusal(scan: Volume, *lines: Centreline) -> CentrelineError:
    with pytest.raises(CentrelineError) as error:
        check_given(scan, lines)
    return error.value


def test_lines_that_are_right_stay_as_they_are(scan: Volume) -> None:
    given = check_given(scan, tree())
    assert codes(given) == set()
    assert given.moved == frozenset()
    assert [x.vessel for x in given.lines] == ["LM", "LAD", "LCx", "D1"]
    for line, was in zip(given.lines, (LM, LAD, LCX, D1), strict=True):
        assert np.array_equal(line.points, was)


@pytest.mark.parametrize("vessel", ["LM", "LAD", "LCx", "D1"])
def test_a_line_drawn_from_its_end_is_turned_round_and_told(scan: Volume, vessel: str) -> None:
    lines = [replace(x, points=x.points[::-1]) if x.vessel == vessel else x for x in tree()]
    given = check_given(scan, lines)
    assert codes(given) == {(vessel, "turned_round")}
    assert given.moved == {vessel}
    turned = next(x for x in given.lines if x.vessel == vessel)
    assert np.array_equal(turned.points, next(x for x in tree() if x.vessel == vessel).points)


def test_all_lines_drawn_from_their_ends_are_turned_round(scan: Volume) -> None:
    given = check_given(scan, [replace(x, points=x.points[::-1]) for x in tree()])
    assert codes(given) == {(x, "turned_round") for x in ("LM", "LAD", "LCx", "D1")}


@pytest.mark.parametrize("aside_mm", [0.0, 0.9])
def test_two_pasted_pieces_are_refused_with_the_place(scan: Volume, aside_mm: float) -> None:
    n = len(LAD)
    pasted = np.concatenate([LAD[: n // 2], LAD[n // 3 :] + aside_mm])
    error = refusal(scan, Centreline("LAD", pasted))
    assert error.code == "doubled-back"
    assert f"{0.5 * (n // 2):.0f} mm" in str(error) or f"{0.5 * (n // 2) - 1:.0f} mm" in str(error)


def test_a_short_way_there_and_back_is_cut_out_and_told(scan: Volume) -> None:
    given = check_given(scan, tree(LAD=np.concatenate([LAD[:40], LAD[33:]])))
    assert codes(given) == {("LAD", "spur_cut")}
    assert given.lines[1].length_mm == pytest.approx(Centreline("LAD", LAD).length_mm, abs=0.6)
    assert given.moved == {"LAD"}


def test_a_line_that_runs_through_its_own_lumen_again_is_refused() -> None:
    loop = np.concatenate([LAD, way((30, -24, -34), (40, 10, 0), (8, 2, 18)), LAD[10:40]])
    with pytest.raises(CentrelineError, match="turns back"):
        check_shapes([Centreline("LAD", loop)])


def test_a_tortuous_artery_is_no_doubled_line() -> None:
    turn = np.linspace(0, 4 * np.pi, 200)
    hairpins = np.column_stack([4 * np.sin(turn), 2 * turn, np.zeros(200)])
    check_shapes([Centreline("LCx", hairpins)])


def test_pieces_in_the_wrong_order_are_refused(scan: Volume) -> None:
    n = len(LAD) // 2
    assert refusal(scan, Centreline("LAD", np.concatenate([LAD[n:], LAD[:n]]))).code in (
        "gap",
        "doubled-back",
    )


def test_a_gap_within_the_vessel_is_doubted_and_one_across_fat_refused(scan: Volume) -> None:
    along = np.concatenate([LAD[:8], LAD[28:]])
    doubts = check_given(scan, tree(LAD=along)).doubts
    assert [d.code for d in doubts] == ["given_gap"]
    assert doubts[0].measure == pytest.approx(10, abs=1)
    bend = np.concatenate([LAD[:4], LAD[-30:]])
    error = refusal(scan, *tree(LAD=bend))
    assert error.code == "gap"
    assert "points 4 and 5" in str(error)


def test_points_far_apart_and_even_are_no_gap(scan: Volume) -> None:
    assert codes(check_given(scan, tree(LCx=LCX[::12]))) == set()


def test_a_line_through_the_aorta_is_refused(scan: Volume) -> None:
    error = refusal(scan, Centreline("LAD", AORTA[::2]))
    assert error.code == "not-coronary"
    assert "aorta" in str(error)


def test_a_line_that_begins_in_the_aorta_is_doubted_there(scan: Volume) -> None:
    inside = np.concatenate([way((-20, 10, 24), (-7, 10, 20)), LM[1:]])
    (doubt,) = check_given(scan, tree(LM=inside)).doubts
    assert doubt.code == "too_wide"
    assert doubt.start_mm == 0.0
    assert 3.0 <= (doubt.end_mm or 0.0) <= 10.0


def test_lines_in_ras_are_refused_with_the_reason(scan: Volume) -> None:
    error = refusal(scan, *[replace(x, points=x.points * [-1, -1, 1]) for x in tree()])
    assert error.code == "ras"
    assert "RAS" in str(error)


def test_a_line_beside_every_vessel_is_refused(scan: Volume) -> None:
    error = refusal(scan, *tree(D1=D1 + [0.0, -12.0, 0.0]))
    assert error.code == "outside-vessels"
    assert "D1" in str(error)


def test_a_branch_that_was_drawn_from_the_ostium_is_cut_and_a_vessel_given_twice_refused(
    scan: Volume,
) -> None:
    whole = np.concatenate([LM, LCX])
    given = check_given(scan, tree(LCx=whole))
    assert codes(given) == {("LCx", "shared_start")}
    cut = next(x for x in given.lines if x.vessel == "LCx")
    assert cut.length_mm == pytest.approx(Centreline("LCx", LCX).length_mm, abs=1.5)
    assert refusal(scan, *tree(D2=LAD[20:])).code == "shared-stretch"
    assert refusal(scan, *tree(), Centreline("LAD", LAD)).code == "vessel-twice"


def test_a_line_that_begins_nowhere_is_doubted(scan: Volume) -> None:
    doubts = check_given(scan, [x for x in tree(LAD=LAD[60:]) if x.vessel != "D1"]).doubts
    assert [(d.vessel, d.code) for d in doubts] == [("LAD", "off_ostium")]
    assert (doubts[0].measure or 0) > 10
