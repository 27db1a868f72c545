"""Each kind of bad input: a clear message to the person, by file number, and nothing half-stored."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from plaquelab.imaging.models import Exam, Instance, Quarantine
from plaquelab.studies.models import Subject

NAME = "Quillfeather^Isolde"


def _kept(root: Path) -> list[str]:
    """Return files that the product keeps of uploads."""
    folders = ("staging", "quarantine", "files/studies")
    return [str(path) for folder in folders for path in (root / folder).rglob("*") if path.is_file()]


def _codes(job: Any) -> list[tuple[int | None, int | None, str]]:
    return list(job.issues.values_list("file_index", "member", "code"))


def assert_rejected(job: Any, code: str, root: Path) -> None:
    """The import is rejected for this reason, no exam exists and no byte is kept."""
    assert job.state == "rejected", (job.state, job.message)
    assert code in {row[2] for row in _codes(job)}, _codes(job)
    assert job.message.endswith((".", "files."))
    assert not Exam.objects.exists()
    assert not Instance.objects.exists()
    assert not Subject.objects.exclude(patient_key="").exists()
    assert _kept(root) == []


def _zip(path: Path, members: dict[str, bytes], *, link: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        if link:
            info = zipfile.ZipInfo(link)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    return path


def _zip_of(folder: Path, target: Path, **more: bytes) -> Path:
    members = {f"exam/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}
    return _zip(target, {**members, **more})


def test_a_folder_without_dicom(ingest: Callable[..., Any], tmp_path: Path) -> None:
    source = tmp_path / "text"
    source.mkdir()
    (source / "a.txt").write_text("hello")
    (source / "b.jpg").write_bytes(b"\xff\xd8\xff" + b"\0" * 500)
    job = ingest(source)
    assert_rejected(job, "no-ct-images", tmp_path)
    assert (0, None, "not-dicom") in _codes(job)
    assert (1, None, "not-dicom") in _codes(job)


def test_a_text_beside_the_images_is_left_out_and_told(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    source = series()
    (source / "README.txt").write_text("hello")
    job = ingest(source)
    assert job.state == "partial"
    assert _codes(job) == [(12, None, "not-dicom")]
    assert job.exam.series.get().instance_count == 12


def test_no_pixel_data(series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path) -> None:
    def drop(k: int, ds: Any) -> None:
        if k == 5:
            del ds.PixelData

    job = ingest(series(drop))
    assert_rejected(job, "no-pixel-data", tmp_path)
    assert (5, None, "no-pixel-data") in _codes(job)


def test_a_slice_cut_short(series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path) -> None:
    source = series()
    path = sorted(source.iterdir())[4]
    path.write_bytes(path.read_bytes()[:-300])
    job = ingest(source)
    assert job.state == "rejected"
    assert {code for index, _, code in _codes(job) if index == 4} & {
        "no-pixel-data",
        "damaged-dicom",
        "damaged-pixel-data",
    }
    assert not Exam.objects.exists()


def test_missing_slices(series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path) -> None:
    job = ingest(series(lambda k, ds: k not in (5, 6)))
    assert_rejected(job, "missing-slices", tmp_path)


def test_unsupported_transfer_syntax(
    series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    from pydicom.encaps import encapsulate

    def pack(k: int, ds: Any) -> None:
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.55"  # retired: JPEG full progression
        ds.PixelData = encapsulate([b"\xff\xd8\xff\xd9" + b"\0" * 64])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True

    job = ingest(series(pack))
    assert_rejected(job, "unsupported-transfer-syntax", tmp_path)
    assert "uncompressed" in job.message


def test_two_series_of_like_kind(
    series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    source = series()
    series(folder=source, series="2")
    job = ingest(source)
    assert_rejected(job, "several-series", tmp_path)
    assert "12 and 12" in job.message


def test_slices_of_another_size_in_one_series(
    series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    def enlarge(k: int, ds: Any) -> None:
        if k == 7:
            ds.Rows, ds.Columns = 10, 10
            ds.PixelData = b"\0" * 200

    assert_rejected(ingest(series(enlarge)), "mixed-series", tmp_path)


def test_two_patients_in_one_upload(
    series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    source = series()
    series(folder=source, series="2", patient="HOSP-2")
    assert_rejected(ingest(source), "two-patients", tmp_path)


def test_another_patient_than_at_the_subjects_earlier_exam(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    assert ingest(series()).state == "succeeded"
    job = ingest(series(series="2", patient="HOSP-2"))
    assert job.state == "rejected"
    assert _codes(job) == [(None, None, "identity")]
    assert Exam.objects.count() == 1


def test_the_same_patient_under_another_pseudonym_is_noted_for_quality_control(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    ingest(series())
    job = ingest(series(series="2"), subject="A-002")
    assert job.state == "succeeded"
    assert _codes(job) == [(None, None, "patient-under-other-pseudonym")]
    assert "A-001" not in job.issues.get().message


def test_the_same_scan_again(series: Callable[..., Path], ingest: Callable[..., Any]) -> None:
    source = series()
    ingest(source)
    job = ingest(source)
    assert job.state == "rejected"
    assert _codes(job) == [(None, None, "duplicate")]
    assert "exam 1" in job.message
    assert Exam.objects.count() == 1


def test_the_same_scan_under_another_pseudonym(
    series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    source = series()
    ingest(source)
    before = sorted(_kept(tmp_path))
    job = ingest(source, subject="A-002")
    assert _codes(job) == [(None, None, "duplicate-other-subject")]
    assert "A-001" not in job.message
    assert sorted(_kept(tmp_path)) == before


def test_one_image_of_a_known_scan_under_a_new_series_uid(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    ingest(series())

    def rename(k: int, ds: Any) -> None:
        ds.SeriesInstanceUID += ".99"

    assert _codes(ingest(series(rename), subject="A-002")) == [(None, None, "duplicate-other-subject")]


def test_the_same_scan_in_another_study_is_no_duplicate(
    series: Callable[..., Path], ingest: Callable[..., Any], two_studies: SimpleNamespace
) -> None:
    source = series()
    assert ingest(source).state == "succeeded"
    assert ingest(source, tenant=two_studies.b).state == "succeeded"


def test_a_copy_of_a_file_is_left_out(series: Callable[..., Path], ingest: Callable[..., Any]) -> None:
    source = series()
    first = sorted(source.iterdir())[0]
    shutil.copy(first, source / "zz_copy.dcm")
    job = ingest(source)
    assert job.state == "partial"
    assert _codes(job) == [(12, None, "copy")]


def test_a_zip_gives_the_same_exam_as_its_folder(
    series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    job = ingest(_zip_of(series(), tmp_path / "exam.zip"))
    assert job.state == "succeeded", job.message
    assert job.exam.series.get().instance_count == 12


def test_an_empty_zip(ingest: Callable[..., Any], tmp_path: Path) -> None:
    job = ingest(_zip(tmp_path / "empty.zip", {}))
    assert_rejected(job, "empty-archive", tmp_path)


@pytest.mark.parametrize(
    "name", ["../outside.dcm", "a/../../outside.dcm", "/etc/outside", "..\\outside", "C:\\x"]
)
def test_a_zip_with_paths_upward(
    name: str, series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path
) -> None:
    archive = _zip_of(series(), tmp_path / "up.zip", **{name: b"x"})
    job = ingest(archive)
    assert_rejected(job, "archive-path-upward", tmp_path)
    assert (0, 12, "archive-path-upward") in _codes(job)
    assert not list(tmp_path.parent.rglob("outside*"))
    assert "outside" not in job.message


def test_a_zip_with_a_link(ingest: Callable[..., Any], tmp_path: Path) -> None:
    assert_rejected(ingest(_zip(tmp_path / "l.zip", {"a": b"x"}, link="b")), "archive-link", tmp_path)


def test_a_zip_in_a_zip(series: Callable[..., Path], ingest: Callable[..., Any], tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a", b"x")
    job = ingest(_zip(tmp_path / "nested.zip", {"a/inner.zip": inner.getvalue()}))
    assert_rejected(job, "nested-archive", tmp_path)


def test_a_zip_that_unpacks_to_too_much(ingest: Callable[..., Any], tmp_path: Path, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1 << 20
    job = ingest(_zip(tmp_path / "bomb.zip", {"zeros": b"\0" * (3 << 20)}))
    assert_rejected(job, "archive-too-large", tmp_path)


def test_a_zip_that_lies_about_its_size(ingest: Callable[..., Any], tmp_path: Path, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1 << 20
    path = _zip(tmp_path / "liar.zip", {"zeros": b"\0" * (3 << 20)})
    data = bytearray(path.read_bytes())
    true, said = (3 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little")
    path.write_bytes(bytes(data.replace(true, said)))
    job = ingest(path)
    assert job.state == "rejected"
    assert {row[2] for row in _codes(job)} & {"archive-too-large", "damaged-archive"}
    assert _kept(tmp_path) == []


def test_a_damaged_zip(ingest: Callable[..., Any], series: Callable[..., Path], tmp_path: Path) -> None:
    path = _zip_of(series(), tmp_path / "half.zip")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_rejected(ingest(path), "damaged-archive", tmp_path)


def _secondary_capture(k: int, ds: Any) -> None:
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"


def _dose_report(k: int, ds: Any) -> None:
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.67"
    ds.Modality = "SR"
    del ds.PixelData


def _document(k: int, ds: Any) -> None:
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    ds.Modality = "DOC"
    del ds.PixelData
    ds.EncapsulatedDocument = b"%PDF Quillfeather"


def _burned_in(k: int, ds: Any) -> None:
    ds.BurnedInAnnotation = "YES"


def _magnetic_resonance(k: int, ds: Any) -> None:
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    ds.Modality = "MR"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_secondary_capture, "quarantined-secondary-capture"),
        (_dose_report, "quarantined-dose-report"),
        (_document, "quarantined-document"),
        (_burned_in, "quarantined-burned-in"),
        (_magnetic_resonance, "quarantined-not-ct"),
    ],
)
def test_what_is_no_plain_ct_image_goes_into_quarantine(
    change: Callable[[int, Any], None],
    code: str,
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    tmp_path: Path,
) -> None:
    source = series()

    def only_first(k: int, ds: Dataset) -> object:
        if k > 0:
            return False
        return change(k, ds)

    series(only_first, folder=source, series="8")
    job = ingest(source)
    assert job.state == "partial"
    assert _codes(job) == [(12, None, code)]
    held = Quarantine.objects.get()
    assert (held.job_id, held.file_index, held.state) == (job.pk, 12, "held")
    files = [path for path in (tmp_path / "quarantine").rglob("*") if path.is_file()]
    assert len(files) == 1
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "quarantine").stat().st_mode) == 0o700
    assert job.exam.series.get().instance_count == 12


def test_a_localiser_is_left_out(series: Callable[..., Path], ingest: Callable[..., Any]) -> None:
    source = series()

    def scout(k: int, ds: Any) -> object:
        ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        return k == 0

    series(scout, folder=source, series="8")
    assert _codes(ingest(source)) == [(12, None, "localiser")]


def test_the_thin_contrast_series_is_taken_from_several(
    series: Callable[..., Path], ingest: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from plaquelab.imaging import selection

    monkeypatch.setattr(selection, "CORONARY_SLICES", 10)

    def calcium_score(k: int, ds: Any) -> None:
        ds.SliceThickness, ds.ContrastBolusAgent = "3", ""

    source = series()
    series(calcium_score, folder=source, series="2")
    job = ingest(source)
    assert job.state == "succeeded", job.message
    assert _codes(job) == [(None, None, "series-left-out")]
    assert job.exam.series.get().header["slice_thickness_mm"] == 0.6


def test_no_patient_identifier_at_all_is_noted(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    def anonymous(k: int, ds: Any) -> None:
        ds.PatientID, ds.PatientName = "", ""

    job = ingest(series(anonymous))
    assert _codes(job) == [(None, None, "no-patient-id")]
    assert job.exam.subject.patient_key == ""


def test_a_failure_of_ours_shows_a_number_and_can_be_tried_again(
    series: Callable[..., Path],
    ingest: Callable[..., Any],
    two_studies: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    from plaquelab.imaging import importing, services

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"value {NAME} at fault")

    with monkeypatch.context() as patch:
        patch.setattr(importing, "prepare", broken)
        job = ingest(series())
    assert job.state == "failed"
    assert job.error_id
    assert job.error_id in job.message
    assert job.error_id in caplog.text
    assert "Quillfeather" not in caplog.text + job.message
    assert not Exam.objects.exists()
    services.retry_import(job=job, by=two_studies.a.technician)
    importing.run_import(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded"
    assert Exam.objects.count() == 1
    assert not any((tmp_path / "staging").iterdir())


def test_signed_pixels_below_zero_keep_their_hu(
    series: Callable[..., Path], ingest: Callable[..., Any]
) -> None:
    from plaquelab.imaging.selectors import volume_of

    def signed(k: int, ds: Any) -> None:
        stored = np.frombuffer(ds.PixelData, "<u2").astype(np.int32) - 1024
        ds.PixelData = stored.astype("<i2").tobytes()
        ds["PixelData"].VR = "OW"
        ds.PixelRepresentation, ds.RescaleIntercept = 1, "0"

    volume = volume_of(ingest(series(signed)).exam)
    assert volume.hu[0, 0, 0] == -900
    assert volume.hu[-1, -1, -1] == 1200
