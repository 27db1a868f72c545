"""``python -m inference centrelines`` and ``analyse`` without centrelines."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.__main__ import main
from inference.centreline.formats import import_centrelines
from inference.phantom import generate, write_case


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("case")
    write_case(generate(5, "tree_tiny"), folder)
    return folder


@pytest.mark.parametrize("name", ["lines.csv", "lines.vtk", "lines.vtp"])
def test_found_centrelines_are_written_in_the_files_format(
    case: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["centrelines", str(case / "dicom"), "--out", str(tmp_path / name)]) == 0
    lines = import_centrelines(tmp_path / name)
    shown = capsys.readouterr()
    for line in lines:
        assert line.vessel in shown.out
    assert "dominance" in shown.err
    assert {"LM", "LAD", "LCx", "RCA"} <= {line.vessel for line in lines}


def test_cat08_text_is_one_file_a_vessel_and_json_says_how_good(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["centrelines", str(case / "dicom"), "--out", str(tmp_path / "v.txt"), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["source"] == "automatic"
    for vessel in summary["vessels"]:
        (line,) = import_centrelines(tmp_path / f"v-{vessel['vessel']}.txt", vessels=[vessel["vessel"]])
        assert line.length_mm == pytest.approx(vessel["length_mm"], abs=0.1)
        assert 0 <= vessel["quality"] <= 1


def test_wrong_endings_are_told_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["centrelines", str(tmp_path), "--out", str(tmp_path / "lines.stl")]) == 2
    assert ".vtp" in capsys.readouterr().err


def test_analyse_finds_the_centrelines_itself(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in segments: what counts here is that the found lines are used, written and told about."""

    def segment(vessel: Any, network: Any, **options: Any) -> tuple[np.ndarray, ...]:
        wall = np.zeros(vessel.hu.shape, np.float32)
        wall[:, 28:36, 28:36] = 1.0
        lumen = np.zeros_like(wall)
        lumen[:, 29:35, 29:35] = 1.0
        return wall, lumen, np.zeros_like(wall)

    monkeypatch.setattr("inference.pipeline.segment", segment)
    card = SimpleNamespace(name="stand-in", sha256="0" * 64, device="cpu", backend="torch")
    monkeypatch.setattr("inference.pipeline.load_network", lambda name, *, device: (None, card))
    out = tmp_path / "out"
    assert main(["analyse", str(case / "dicom"), "--out", str(out), "--no-dicom"]) == 0
    summary = json.loads((out / "analysis.json").read_text())
    assert summary["centrelines"]["dominance"] == "left"
    written = [line.vessel for line in import_centrelines(out / "centrelines.csv")]
    assert written == [v["vessel"] for v in summary["vessels"]]
    assert {"LM", "LAD", "LCx", "RCA"} <= set(written)
    told = summary["centrelines"]["doubts"]
    assert summary["doubts"][: len(told)] == told
    assert summary["timings_s"]["centrelines"] > 0
