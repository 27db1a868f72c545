"""Inputs after faults that users of comparable tools report: read rightly, or refused in words that help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest

from inference.errors import VolumeError
from inference.scan import list_volumes, read_series, read_source, read_volume
from plaquelab.accounts.models import User
from plaquelab.imaging.selectors import dicom_paths, volume_of
from plaquelab.imaging.services import import_path
from plaquelab.storage import store
from plaquelab.studies.models import Site
from plaquelab.studies.services import add_membership, create_study

REPORTED = Path(__file__).resolve().parents[3] / "shared" / "data" / "reported"
TAKEN = (
    "decimal-comma-kvp",
    "decimal-comma-thickness",
    "decimal-comma-slope",
    "spacing-spelled-twice",
    "no-transfer-syntax",
    "overlay-in-jpeg2000",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reported")
    subprocess.run(
        [sys.executable, "make_inputs.py", str(out)], cwd=REPORTED, check=True, capture_output=True
    )
    return out


@pytest.fixture(scope="module")
def pattern() -> np.ndarray:
    """What the generator paints: 11 HU a slice, 17 a row, 7 a column, a bright and an empty corner."""
    k, j, i = np.mgrid[:16, :48, :56]
    hu = (-980 + 11 * k + 17 * j + 7 * i).astype(np.int16)
    hu[-3:, -9:, -11:] = 1330
    hu[:2, :6, :6] = -1000
    return hu


@pytest.fixture
def lab(db: None, settings: Any, tmp_path: Path) -> SimpleNamespace:
    """A study with one site and one manager, in folders of its own."""
    settings.DATA_DIR = tmp_path
    for name in ("FILES", "KEYS", "STAGING", "QUARANTINE"):
        setattr(settings, f"{name}_DIR", tmp_path / name.lower())
    settings.AUDIT_HEADS_FILE = tmp_path / "audit" / "heads.jsonl"
    study = create_study(slug="real", title="Reported inputs", sites=[("north", "North")], by=None)
    manager = User.objects.create_user("manager", password="a long test password")
    add_membership(user=manager, study=study, role="manager", site=None, by=None)
    return SimpleNamespace(study=study, site=Site.objects.get(code="north"), manager=manager)


def _ingest(lab: SimpleNamespace, path: Path) -> Any:
    job, _ = import_path(study=lab.study, site=lab.site, subject_pseudonym="R-001", path=path, by=lab.manager)
    return job


@pytest.mark.parametrize("name", TAKEN)
def test_the_library_reads_it(name: str, made: Path, pattern: np.ndarray) -> None:
    volume = read_series(made / name)
    np.testing.assert_array_equal(volume.hu, pattern)
    assert volume.spacing_mm == pytest.approx((0.4296875, 0.4296875, 0.625))
    assert read_source(made / name, volume).rows == 48


@pytest.mark.parametrize("name", TAKEN)
def test_an_import_takes_it(name: str, made: Path, pattern: np.ndarray, lab: SimpleNamespace) -> None:
    job = _ingest(lab, made / name)
    assert job.state == "succeeded", job.message
    np.testing.assert_array_equal(volume_of(job.exam).hu, pattern)
    from io import BytesIO

    stored = pydicom.dcmread(BytesIO(store().get(dicom_paths(job.exam)[0])))
    assert not (np.frombuffer(stored.PixelData, "<u2") >> 12).any()


def test_a_position_of_two_values_is_refused_by_file_and_tag(made: Path, lab: SimpleNamespace) -> None:
    said = "ImagePositionPatient (0020,0032) holds 2 values where 3 are needed"
    with pytest.raises(VolumeError) as error:
        read_series(made / "position-of-two-values")
    assert f"IM0006: {said}" in str(error.value)
    job = _ingest(lab, made / "position-of-two-values")
    assert job.state == "rejected"
    assert f"file 5: {said}" in job.message


def test_two_phases_in_one_series_are_named_and_chosen(
    made: Path, pattern: np.ndarray, lab: SimpleNamespace
) -> None:
    folder = made / "two-phases-one-series"
    assert [(v.part, v.slices) for v in list_volumes(folder).volumes] == [
        ("phase 45 %", 16),
        ("phase 75 %", 16),
    ]
    with pytest.raises(VolumeError, match="choose one with --phase"):
        read_volume(folder)
    volume, chosen = read_volume(folder, phase="75")
    np.testing.assert_array_equal(volume.hu, pattern)
    assert read_source(chosen.files, volume).image_uids[0].endswith(".75.1")
    job = _ingest(lab, folder)
    assert job.state == "rejected"
    assert "2 volumes (phase 45%, 16 slices; phase 75%, 16 slices)" in job.message
