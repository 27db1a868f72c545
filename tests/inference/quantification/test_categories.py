"""CAD-RADS 2.0, the wall-minus-lumen variant, references, worst lesions, and the aortic region."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from inference.composition_profiles import PROFILES
from inference.contours import ANGLES, VesselContours
from inference.errors import QuantificationError
from inference.grading import cadrads2
from inference.quantification import (
    CadRads2,
    Lesion,
    Measurement,
    VesselRead,
    VesselRecord,
    aortic_region,
    cadrads2_of_patient,
    lesion_references,
    quantify,
    records_of,
)
from inference.quantification.cadrads2 import plaque_burden
from inference.scan import Volume
from tests.inference.quantification.solids import bent, tube, value, with_plaque

FIXED = PROFILES["fixed"]


def vessel_with(
    vessel: str, stenosis: float, features: float = 0.0, segments: tuple[str, ...] = ()
) -> list[VesselRecord]:
    lesion = [("diameter_stenosis", stenosis, "%"), ("high_risk_features", features, "count")]
    lesion.append(("total_plaque_volume", 50.0, "mm³"))
    table = [Measurement("lesion", vessel, "", 1, metric, x, unit) for metric, x, unit in lesion]
    table += [Measurement("segment", vessel, s, None, "total_plaque_volume", 10.0, "mm³") for s in segments]
    return records_of(table)


def test_cadrads2_is_written_with_burden_and_modifiers_in_order() -> None:
    rows = vessel_with("LAD", 55.0, 2.0, ("pLAD", "mLAD")) + vessel_with("RCA", 10.0, 0.0, ("pRCA",))
    assert str(cadrads2_of_patient(rows)) == "CAD-RADS 3/P2/HRP"
    assert str(cadrads2_of_patient(rows, stent=True, nondiagnostic=True)) == "CAD-RADS 3/P2/N/HRP/S"
    told = cadrads2_of_patient(rows, calcium_score=1200)
    assert (told.burden, told.burden_by) == ("P4", "calcium_score")
    assert (
        str(cadrads2_of_patient(vessel_with("LAD", 20.0, 0.0, ("pLAD",)), nondiagnostic=True))
        == "CAD-RADS N/P1"
    )
    assert str(cadrads2_of_patient([])) == "CAD-RADS 0"
    with pytest.raises(QuantificationError, match="order"):
        CadRads2("3", "P1", "segment_involvement", ("S", "N"), 1)


def test_left_main_of_half_is_4b_and_three_vessels_of_seventy_as_well() -> None:
    assert cadrads2_of_patient(vessel_with("LM", 50.0)).grade == "4B"
    assert cadrads2_of_patient(vessel_with("LM", 45.0) + vessel_with("D1", 75.0)).grade == "4A"
    three = vessel_with("LAD", 70.0) + vessel_with("OM1", 71.0) + vessel_with("R-PDA", 90.0)
    assert cadrads2_of_patient(three).grade == "4B"


def test_a_grade_of_a_patient_begins_at_its_border() -> None:
    grades = ((0.0, "0"), (1.0, "1"), (25.0, "2"), (50.0, "3"), (70.0, "4A"), (100.0, "5"))
    stenoses = np.r_[
        np.linspace(0, 105, 2101), [x for x, _ in grades], np.nextafter([x for x, _ in grades], 0)
    ]
    for x in np.maximum(stenoses, 0.0).tolist():
        expected = [grade for border, grade in grades if x >= border][-1]
        assert cadrads2([x], left_main=0.0, has_plaque=False) == expected, x
        of_left_main = "4B" if 50 <= x < 100 else expected
        assert cadrads2([0.0], left_main=x, has_plaque=False) == of_left_main, x
        of_three = "4B" if 70 <= x < 100 else expected
        assert cadrads2([x, x, x], left_main=0.0, has_plaque=False) == of_three, x
    assert cadrads2([0.5], left_main=0.0, has_plaque=True) == "1"
    assert cadrads2([0.5], left_main=0.0, has_plaque=True, occluded=True) == "5"


@pytest.mark.parametrize(
    ("segments", "score", "burden"),
    [(0, None, ""), (2, None, "P1"), (3, None, "P2"), (5, None, "P3"), (8, None, "P4")]
    + [(0, 0, ""), (0, 100, "P1"), (0, 101, "P2"), (0, 999, "P3"), (0, 1000, "P4")],
)
def test_burden_limits(segments: int, score: float | None, burden: str) -> None:
    assert plaque_burden(segments=segments, calcium_score=score)[0] == burden


def test_wall_minus_lumen_counts_the_whole_ring_and_says_so() -> None:
    vessel = bent(radius=None)
    half = np.arange(ANGLES) < 32
    contours = with_plaque(tube(400, 1.0, 2.0), 100, 199, 2.0, half)
    read = VesselRead("LAD", contours, (Lesion(1, 30.0, 59.7),))
    marked = quantify(vessel, read, FIXED)
    ring = quantify(vessel, read, FIXED, variant="wall_minus_lumen")
    assert value(marked, "lesion", "total_plaque_volume") == pytest.approx(math.pi * 1.5 * 29.7)
    assert value(ring, "lesion", "total_plaque_volume") == pytest.approx(math.pi * 3 * 29.7)
    assert {row.profile for row in ring} == {"fixed/wall_minus_lumen"}
    with pytest.raises(QuantificationError, match="wall_minus_lumen"):
        quantify(vessel, read, FIXED, variant="ivus")


def test_references_are_told_and_can_be_moved() -> None:
    vessel = bent(radius=None)
    lumen = np.full((400, ANGLES), 2.0)
    lumen[:60] = 2.5
    lumen[150:200] = 1.0
    contours = VesselContours(lumen, lumen + 0.4, np.zeros((400, ANGLES), bool))
    (found,) = lesion_references(vessel, VesselRead("LAD", contours, (Lesion(1, 45.0, 59.7),))).values()
    assert (found.method, found.proximal_mm, found.distal_mm) == (
        "both",
        pytest.approx(42.9),
        pytest.approx(61.8),
    )
    moved = VesselRead("LAD", contours, (Lesion(1, 45.0, 59.7, proximal_reference_mm=10.0),))
    assert lesion_references(vessel, moved)[1].diameter == pytest.approx((5.0 + 4.0) / 2, rel=1e-4)


def test_vessel_and_segment_carry_their_worst_lesion() -> None:
    vessel = replace(bent(radius=None), segment=("pLAD",) * 200 + ("mLAD",) * 200)
    lumen = np.full((400, ANGLES), 2.0)
    lumen[80:120], lumen[280:320] = 1.4, 0.9
    contours = VesselContours(lumen, lumen + 0.4, np.zeros((400, ANGLES), bool))
    rows = quantify(
        vessel, VesselRead("LAD", contours, (Lesion(1, 24.0, 35.7), Lesion(2, 84.0, 95.7))), FIXED
    )
    found = {(r.level, r.segment): r.value for r in rows if r.metric == "cadrads" and r.level != "lesion"}
    assert found == {("vessel", ""): "3", ("segment", "pLAD"): "2", ("segment", "mLAD"): "3"}


def test_aortic_region_is_the_nearest_bright_disc_or_a_named_error() -> None:
    _, j, i = np.indices((20, 120, 120))
    aorta = np.hypot(i - 40, j - 60) < 26
    noise = np.random.default_rng(1).normal(0, 25, aorta.shape)
    hu = np.where(aorta, 400 + noise, -90).astype(np.int16)
    affine = np.diag([0.5, 0.5, 0.6, 1.0])
    volume = Volume(hu=hu, affine=affine, metadata={"kvp": 120})
    ostium = np.array([33.0, 30.0, 6.0])
    region = aortic_region(volume, ostium, 400.0)
    assert region.area_cm2 >= 1.0
    assert region.mean_hu == pytest.approx(400, abs=5)
    assert region.sd_hu == pytest.approx(25, abs=4)
    assert region.kvp == 120
    with pytest.raises(QuantificationError, match="left main"):
        aortic_region(replace(volume, hu=np.where(aorta, 60, -90).astype(np.int16)), ostium, 400.0)
