"""Nothing that identifies the person survives an import: not in files, rows, logs or messages."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
from django.db import connection

IDENTIFIERS = (
    "Quillfeather", "Isolde", "HOSP-778812", "ACC-99120", "Brambleworth", "Ottoline", "Eadburga", "Gorse Lane",
    "MRN-55-1", "19530214", "20210317", "2021-03-17", "WORKSTATION-9", "1.2.826.0.1.3680043.8.498.77",
)  # fmt: skip


def _everything_stored(root: Path) -> bytes:
    """All files that the product keeps (not the source folders), with their names."""
    parts = []
    for folder in ("files", "staging", "quarantine", "audit"):
        for path in sorted((root / folder).rglob("*")):
            parts.append(str(path.relative_to(root)).encode())
            if path.is_file():
                parts.append(path.read_bytes())
    return b"\n".join(parts)


def _every_row() -> str:
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [repr(row) for row in cursor.fetchall()]
    return "\n".join(rows)


def _found(text: bytes) -> list[str]:
    lowered = text.lower()
    return [word for word in IDENTIFIERS if word.lower().encode() in lowered]


def test_no_source_identifier_is_left_anywhere(
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
) -> None:
    with caplog.at_level(logging.DEBUG):
        job = ingest(series())
    assert job.state == "succeeded", job.message
    exam = job.exam
    # The maker is kept although the patient bears its name: it is the scanner's identity, so it is set aside here.
    stored = _everything_stored(tmp_path).replace(b"Quillfeather Imaging", b"")
    rows = _every_row().replace("Quillfeather Imaging", "")
    assert _found(stored) == []
    assert _found(rows.encode()) == []
    assert _found(caplog.text.encode()) == []
    assert _found(" ".join(str(warning.message) for warning in recwarn).encode()) == []
    assert not any((tmp_path / "staging").iterdir())
    assert exam.subject.pseudonym == "A-001"


@pytest.mark.filterwarnings("ignore:Invalid value")
def test_an_error_tells_no_identifier(
    series: Callable[..., Path], ingest: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(k: int, ds: Any) -> None:
        if k == 3:
            ds.PatientID = "HOSP-1"
        ds.StudyDate = "Quillfeather"

    scan = series(spoil)
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        job = ingest(scan)
    assert job.state == "rejected"
    said = job.message + " ".join(job.issues.values_list("message", flat=True)) + caplog.text
    assert _found(said.encode()) == []


def _stored_images(job: Any) -> list[pydicom.FileDataset]:
    from plaquelab.imaging.selectors import dicom_paths
    from plaquelab.storage import store

    return [pydicom.dcmread(io.BytesIO(store().get(path))) for path in dicom_paths(job.exam)]


def test_stored_images_say_that_and_how_they_were_deidentified(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    image = _stored_images(ingest(series()))[0]
    assert image.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert "SourceApplicationEntityTitle" not in image.file_meta
    assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
    assert image.SOPInstanceUID.startswith("2.25.")
    assert len(image.SOPInstanceUID) <= 64
    assert image.PatientName == image.PatientID == "A-001"
    assert image.PatientIdentityRemoved == "YES"
    assert image.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [
        (code.CodeValue, code.CodingSchemeDesignator) for code in image.DeidentificationMethodCodeSequence
    ]
    assert codes == [(value, "DCM") for value in ("113100", "113105", "113107", "113109", "113111")]
    assert image.PatientBirthDate == ""
    assert image.AccessionNumber == ""
    assert "PatientAge" not in image
    assert "OperatorsName" not in image
    assert "InstitutionName" not in image


def test_what_is_needed_is_kept(series: Callable[..., Path], ingest: Callable[..., Any]) -> None:
    image = _stored_images(ingest(series()))[0]
    assert (image.Manufacturer, image.DeviceSerialNumber, image.StationName) == (
        "Quillfeather Imaging",
        "SN-4711",
        "CT-3",
    )
    assert (image.KVP, image.ConvolutionKernel, image.HeartRate) == (120, "Bv40", 58)
    assert image.SeriesDescription == "CTA 0.6 Bv40 75%"
    assert image.ProtocolName == "Coronary CTA"
    assert image.ContrastBolusAgent == "Omnipaque 350 for"
    # A safe private element stays with its creator; its neighbours go.
    assert image[0x0019, 0x1023].value == pytest.approx(39.37)
    assert (0x0019, 0x1099) not in image
    assert (0x0009, 0x1001) not in image
    # A text that repeats a name goes whole.
    assert "SoftwareVersions" not in image
    reference = image.ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID.startswith("2.25.")
    assert reference.PatientID == "A-001"


def test_dates_of_one_subject_move_by_one_offset(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    from datetime import datetime

    def later(k: int, ds: Any) -> None:
        ds.StudyDate = "20210410"

    first = _stored_images(ingest(series()))[0]
    second = _stored_images(ingest(series(later, series="2")))[0]
    other = _stored_images(ingest(series(series="3", patient="HOSP-2"), subject="A-002"))[0]
    days = [datetime.strptime(image.StudyDate, "%Y%m%d") for image in (first, second, other)]
    assert (days[1] - days[0]).days == 24
    assert 365 <= (datetime(2021, 3, 17) - days[0]).days <= 3650
    assert days[2] != days[0]
    assert first.AcquisitionDateTime == f"{days[0]:%Y%m%d}101112.5"


def test_uids_are_mapped_the_same_within_a_study_and_differently_between_studies(
    series: Callable[..., Path], ingest: Callable[..., Any], two_studies: SimpleNamespace
) -> None:
    first = _stored_images(ingest(series()))[0]
    second = _stored_images(ingest(series(series="2")))[0]
    elsewhere = _stored_images(ingest(series(), tenant=two_studies.b))[0]
    assert first.FrameOfReferenceUID == second.FrameOfReferenceUID
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert first.SOPInstanceUID != elsewhere.SOPInstanceUID


def test_hu_and_geometry_are_what_was_scanned(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    from plaquelab.imaging.selectors import volume_of

    exam = ingest(series()).exam
    volume = volume_of(exam)
    k, j, i = 4, 7, 9
    assert volume.hu.shape == (12, 24, 32)
    assert volume.hu[k, j, i] == -900 + 10 * k + 20 * j + 5 * i
    assert np.allclose(volume.to_patient(np.array([i, j, k])), [-8 + 0.5 * i, -6 + 0.5 * j, -100 + 0.5 * k])
    header = exam.series.get().header
    assert header["kernel"] == "Bv40"
    assert header["kvp"] == 120


def test_the_report_names_tags_and_actions_and_no_value(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    actions = ingest(series()).exam.deidentification.actions
    assert actions["(0010,0010)"] == {"replaced": 12}
    assert actions["(0008,0080)"] == {"removed": 12}
    assert actions["(0008,0018)"] == {"mapped": 12}
    assert actions["(0008,0020)"] == {"moved": 12}
    assert actions["private"]["removed"] > 0
    assert _found(json.dumps(actions).encode()) == []
