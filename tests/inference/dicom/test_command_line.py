"""``analyse`` writes both objects of a phantom, valid, agreeing with the table, and simulated on their face."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest

from inference import __version__
from inference.__main__ import main
from inference.code_version import code_version
from inference.dicom import lesion_agreement, read_report
from inference.phantom import generate, soft_targets, write_case
from inference.phantom.phantom import Phantom
from tests.inference.dicom.cases import errors_of

CARD = SimpleNamespace(name="truth", sha256="12" * 32, device="cpu", backend="torch")


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return generate(8, "tiny")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, phantom: Phantom) -> Path:
    folder = tmp_path_factory.mktemp("case")
    write_case(phantom, folder)
    return folder


@pytest.fixture(autouse=True)
def truthful(phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmenter that answers with the phantom's own soft labels."""

    def segment(vessel: Any, network: Any, **options: Any) -> tuple[np.ndarray, ...]:
        soft = soft_targets(phantom.vessels[vessel.vessel], vessel).astype(np.float32) / 255
        return soft[..., 0], soft[..., 1], soft[..., 2]

    def smaller(vessel: Any, network: Any, stretch: slice, **options: Any) -> tuple[np.ndarray, ...]:
        return tuple(part[stretch] for part in segment(vessel, network))

    monkeypatch.setattr("inference.pipeline.segment", segment)
    monkeypatch.setattr("inference.pipeline.segment_smaller", smaller)
    monkeypatch.setattr("inference.pipeline.load_network", lambda name, *, device: (None, CARD))


def analyse(case: Path, dicom: Path, out: Path, *options: str) -> int:
    given = ["--centrelines", str(case / "centrelines.csv"), "--lesions", str(case / "lesions.csv")]
    return main(["analyse", str(dicom), "--out", str(out), *given, *options])


def test_both_objects_are_written_valid_and_agree(case: Path, tmp_path: Path, dciodvfy: str) -> None:
    out = tmp_path / "out"
    assert analyse(case, case / "dicom", out) == 0
    summary = json.loads((out / "analysis.json").read_text())
    assert {"dicom", "dicom_files"} <= set(summary["timings_s"])
    report = read_report(out / "report.dcm")
    for name in ("segmentation", "report"):
        path = out / summary["dicom"][name]["file"]
        assert errors_of(dciodvfy, path) == []
        made = pydicom.dcmread(path)
        assert made.SOPInstanceUID == summary["dicom"][name]["sop_instance_uid"]
        assert made.SeriesDescription.startswith("SIMULATED")
        assert str(made.PatientName).startswith("PHANTOM")
        assert made.ContentQualification == "RESEARCH"
        assert "InstitutionName" not in made
        assert list(made.SoftwareVersions) == [__version__, code_version()]
    assert report.parameters["weights_sha256"] == CARD.sha256
    assert report.parameters["code_version"] == summary["versions"]["code_version"] == code_version()
    assert report.parameters["volume_sha256"] == summary["versions"]["volume_sha256"]
    with (out / "measurements.csv").open() as file:
        table = {
            (r["level"], r["vessel"], r["segment"], r["lesion"], r["metric"]): r["value"]
            for r in csv.DictReader(file)
        }
    assert len(report.measurements) == len(table)
    for m in report.measurements:
        lesion = "" if m.lesion is None else str(m.lesion)
        said = table[m.level, m.vessel, m.segment, lesion, m.metric]
        assert said == ("" if m.value is None else m.value if isinstance(m.value, str) else f"{m.value:.6g}")
    agreement = lesion_agreement(out / "segmentation.dcm", out / "report.dcm")
    assert agreement
    assert max(abs(x.error_percent) for x in agreement) <= 5


def test_no_dicom_leaves_them_out(case: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert analyse(case, case / "dicom", out, "--no-dicom") == 0
    assert "dicom" not in json.loads((out / "analysis.json").read_text())
    assert not list(out.glob("*.dcm"))


def test_a_series_without_uids_is_refused_before_the_work_and_can_be_analysed_without(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stripped, out = tmp_path / "dicom", tmp_path / "out"
    stripped.mkdir()
    for path in (case / "dicom").iterdir():
        image = pydicom.dcmread(path)
        image.StudyInstanceUID = ""
        image.save_as(stripped / path.name)
    assert analyse(case, stripped, out) == 2
    assert "StudyInstanceUID is empty" in capsys.readouterr().err
    assert not out.exists()
    assert analyse(case, stripped, out, "--no-dicom") == 0
