"""``warm`` analyses a whole simulated patient, traces a vessel, and leaves nothing but what was compiled."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from inference.__main__ import main
from inference.commands import analyse, warm
from inference.errors import CentrelineError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(warm, "SCENARIO", "tiny")
    return tmp_path


def test_arteries_are_found_measured_and_traced_and_nothing_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(analyse, "run", asked.append)
    assert main(["warm"]) == 0
    (options,) = asked
    # Centrelines are searched for, DICOM objects made, the served network used: all that compiles.
    assert options.centrelines is options.points is options.lesions is None
    assert not options.no_dicom
    assert options.model == "served"
    assert list(folder.iterdir()) == []
    assert "Done in" in capsys.readouterr().err


def test_what_cannot_be_analysed_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(options: Any) -> None:
        raise CentrelineError("no-aorta", "No aorta was found.")

    monkeypatch.setattr(analyse, "run", refuse)
    assert main(["warm"]) == 2
    assert "No aorta was found." in capsys.readouterr().err
    assert list(folder.iterdir()) == []
