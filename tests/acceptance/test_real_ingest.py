"""Real series through the platform: ingest, quality control, what is shown, analysis between two points."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from plaquelab.accounts.models import User
from plaquelab.analysis import execution
from plaquelab.analysis.centreline_sets import TwoPoints
from plaquelab.analysis.selectors import current_run
from plaquelab.analysis.services import add_two_points
from plaquelab.imaging.planes import orient, plane_hu
from plaquelab.imaging.selectors import volume_of
from plaquelab.imaging.services import accept_exam, import_path
from plaquelab.studies.models import Site
from plaquelab.studies.services import add_membership, create_study

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
SERIES = (
    "ge_ctpa_rider_pilot",
    "siemens_chest_cptac_pda",
    "toshiba_abdomen_tcga_ov",
    "philips_neck_tcga_thca",
)


@pytest.fixture
def lab(db: None, settings: Any, tmp_path: Path) -> SimpleNamespace:
    """A study with one site and one manager, in folders of its own."""
    settings.DATA_DIR = tmp_path
    for name in ("FILES", "KEYS", "STAGING", "QUARANTINE"):
        setattr(settings, f"{name}_DIR", tmp_path / name.lower())
    settings.AUDIT_HEADS_FILE = tmp_path / "audit" / "heads.jsonl"
    study = create_study(slug="real", title="Real series", sites=[("north", "North")], by=None)
    manager = User.objects.create_user("manager", password="a long test password")
    add_membership(user=manager, study=study, role="manager", site=None, by=None)
    site = Site.objects.get(code="north")
    return SimpleNamespace(study=study, site=site, manager=manager)


def _ingest(lab: SimpleNamespace, path: Path) -> Any:
    job, _ = import_path(study=lab.study, site=lab.site, subject_pseudonym="R-001", path=path, by=lab.manager)
    return job


def _two_points(volume: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The two farthest voxels (LPS mm) of the largest enhanced pool in the middle slice."""
    k = volume.hu.shape[0] // 2
    labels, _ = ndimage.label((volume.hu[k] > 150) & (volume.hu[k] < 500))
    pool = np.argwhere(labels == np.bincount(labels.ravel())[1:].argmax() + 1)
    far = pool[np.linalg.norm(pool - pool[0], axis=1).argmax()]
    ends = volume.to_patient(np.array([[i, j, k] for j, i in (pool[0], far)], float))
    return tuple(map(float, ends[0])), tuple(map(float, ends[1]))


@pytest.mark.parametrize("name", SERIES)
def test_a_real_series_is_ingested_shown_upright_and_analysed(name: str, lab: SimpleNamespace) -> None:
    job = _ingest(lab, REAL / name / "dicom")
    assert job.state == "succeeded", [issue.message for issue in job.issues.all()]
    exam = job.exam
    assert exam.state == "qc_pending"
    volume = volume_of(exam)

    # What is shown: air in front of the patient, the table's side behind, HU of soft tissue where it belongs.
    axial = plane_hu(orient(volume), "axial", orient(volume).count("axial") // 2).astype(float)
    soft = axial[(axial > -20) & (axial < 120)]
    assert 25 < np.median(soft) < 75
    sources = sorted((REAL / name / "dicom").iterdir())
    one = pydicom.dcmread(sources[len(sources) // 2])
    exact = one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept)
    k = round((np.linalg.inv(volume.affine) @ [*map(float, one.ImagePositionPatient), 1])[2])
    assert np.array_equal(volume.hu[k], np.maximum(exact, -1024).astype(np.int16))

    accept_exam(exam=exam, by=lab.manager, image_quality=3)
    start, end = _two_points(volume)
    add_two_points(exam=exam, points=[TwoPoints("LAD", start, end)], by=lab.manager)
    run = current_run(exam)
    assert run is not None
    execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.state == "succeeded" and run.warnings) or run.refusal


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("ct_transfer_syntaxes/no-pixel-data.dcm", {"quarantined-report"}),
        ("ct_transfer_syntaxes/no-pixel-spacing.dcm", {"quarantined-not-ct"}),
        ("ct_transfer_syntaxes/eCT_Supplemental.dcm", {"multi-frame"}),
        ("ct_transfer_syntaxes/CT1_J2KR", {"too-few-slices"}),
        ("clinical_tables", {"not-dicom"}),
    ],
)
def test_what_is_no_series_is_refused_by_name(path: str, codes: set[str], lab: SimpleNamespace) -> None:
    job = _ingest(lab, REAL / path)
    said = {issue.code for issue in job.issues.all()}
    assert job.state == "rejected"
    assert said & codes
    assert not lab.study.subjects.exists()
