"""Real CT series of four vendors: each loads with right orientation and HU, or is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.centreline import Centreline, read_centrelines
from inference.errors import InferenceError, VolumeError
from inference.pipeline import analyse
from inference.scan import read_series
from inference.straightening import straighten

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL = DATA / "real"
SERIES = {
    "ge_ctpa_rider_pilot": ("GE", 0.8),
    "siemens_chest_cptac_pda": ("SIEMENS", 3.0),
    "toshiba_abdomen_tcga_ov": ("TOSHIBA", 3.0),
    "philips_neck_tcga_thca": ("Philips", 1.5),
}


def test_reference_data_is_there() -> None:
    assert REAL.is_dir(), "make acceptance needs ../shared"


@pytest.mark.parametrize("name", SERIES)
def test_orientation_and_hu(name: str) -> None:
    maker, spacing = SERIES[name]
    volume = read_series(REAL / name / "dicom")
    assert maker in volume.metadata["manufacturer"]
    assert volume.spacing_mm[2] == pytest.approx(spacing, abs=0.01)
    # Head-first supine axial series: columns to the patient's left, rows to the back, slices to the head.
    assert (np.diag(volume.affine[:3, :3]) > 0).all()
    assert -1100 <= np.percentile(volume.hu, 1) <= -900
    soft = volume.hu[(volume.hu > -20) & (volume.hu < 120)]
    assert 25 < np.median(soft) < 75
    # The table lies behind the patient: more body in the back half's lower rows than air in front of it.
    assert (volume.hu[:, -40:, :] < -900).mean() > 0.3


@pytest.mark.parametrize("name", SERIES)
def test_analysis_ends_in_flagged_numbers_or_a_named_refusal(name: str) -> None:
    """A path through the brightest blood pool: whatever comes out carries a warning or a reason."""
    volume = read_series(REAL / name / "dicom")
    middle = volume.hu.shape[0] // 2
    bright = np.argwhere((volume.hu[middle] > 150) & (volume.hu[middle] < 500))
    j, i = bright[np.argmin(np.linalg.norm(bright - np.array(volume.hu.shape[1:]) / 2, axis=1))]
    points = volume.to_patient(np.array([[i + d, j, middle] for d in np.linspace(-15, 15, 20)]))
    refusal, warnings = "", ()
    try:
        warnings = analyse(volume, [Centreline("LAD", points)]).warnings
    except InferenceError as refused:
        refusal = refused.code
    assert warnings or refusal in {"no-contrast", "centreline-outside"}


@pytest.mark.parametrize(
    "path", sorted((REAL / "ct_transfer_syntaxes").glob("CTImage.dcm*")), ids=lambda p: p.name[-30:]
)
def test_transfer_syntaxes_decode_or_are_refused_by_name(path: Path) -> None:
    """One slice is no volume: it must get as far as its pixels, or be refused for its compression."""
    with pytest.raises(VolumeError) as error:
        read_series(path)
    refused = any(code in path.name for code in (".51", ".53", ".55", ".50", ".81"))
    assert error.value.code == "too-few-slices" or (
        refused and error.value.code in {"unsupported-transfer-syntax", "8-bit"}
    )


def test_an_anonymised_series_without_its_own_sop_class_is_read() -> None:
    volume = read_series(REAL / "totalsegmentator_crops" / "example_ct_dicom")
    assert volume.hu.shape[0] == 20
    assert 25 < np.median(volume.hu[(volume.hu > -20) & (volume.hu < 120)]) < 75


@pytest.mark.parametrize("case", ["case801", "case802"])
def test_the_other_generators_vessels_are_centred(case: str) -> None:
    volume = read_series(DATA / "phantom" / case / "dicom")
    for line in read_centrelines(DATA / "phantom" / case / "centrelines.csv"):
        vessel = straighten(volume, line)
        core = np.median(vessel.hu[:, 30:34, 30:34], axis=(1, 2))
        assert np.median(core[: vessel.sections // 2]) > 200, line.vessel
