"""Calibration patients: the truth of given and of found lesions, and a run that goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.certainty.intervals import CALIBRATED, PREDICTORS, calibrate
from inference.phantom import generate, lesion_truth, soft_targets
from inference.phantom.phantom import Phantom
from inference.training import calibration
from inference.training.calibration import checked, judge, lesions_of

CARD = SimpleNamespace(name="truth", sha256="0" * 64, device="cpu", backend="torch")


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return generate(5, "tiny")


@pytest.fixture
def truthful(phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmenter that answers with the phantom's own soft labels, at either scale."""

    def segment(vessel: Any, network: Any, **options: Any) -> tuple[np.ndarray, ...]:
        soft = soft_targets(phantom.vessels[vessel.vessel], vessel).astype(np.float32) / 255
        return soft[..., 0], soft[..., 1], soft[..., 2]

    def smaller(vessel: Any, network: Any, stretch: slice, **options: Any) -> tuple[np.ndarray, ...]:
        return tuple(part[stretch] for part in segment(vessel, network))

    monkeypatch.setattr("inference.pipeline.segment", segment)
    monkeypatch.setattr("inference.pipeline.segment_smaller", smaller)


def test_truth_of_found_lesions_is_what_lies_in_their_extents(phantom: Phantom, truthful: None) -> None:
    rows = judge(phantom, (None, CARD))
    true = sum(lesion_truth(t, x)["tpv_true"] for t in phantom.vessels.values() for x in t.lesions)
    for how in ("given", "found"):
        mine = [row for row in rows if row.how == how]
        assert mine
        assert sum(row.truth["total_plaque_volume"] or 0 for row in mine) == pytest.approx(true, rel=0.1)
        for row in mine:
            assert row.patient == "tiny 5"
            assert len(row.predictors) == len(PREDICTORS)
            assert set(row.truth) == set(row.numbers) == set(CALIBRATED)
            number, exact = row.numbers["total_plaque_volume"], row.truth["total_plaque_volume"]
            assert number == pytest.approx(exact, rel=0.25, abs=6)


def test_a_patient_that_is_done_is_not_analysed_again(
    phantom: Phantom, truthful: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def generated(seed: int, scenario: str) -> Phantom:
        made.append(seed)
        return phantom

    monkeypatch.setattr(calibration, "generate", generated)
    said: list[str] = []
    sets = [("tiny", 5, 1)]
    first = lesions_of(sets, (None, CARD), kept=tmp_path, say=said.append)
    again = lesions_of(sets, (None, CARD), kept=tmp_path, say=said.append)
    assert made == [5]
    assert [row.numbers for row in again] == [row.numbers for row in first]
    monkeypatch.setattr(calibration, "measuring_code", lambda: "another")
    lesions_of(sets, (None, CARD), kept=tmp_path, say=said.append)
    assert made == [5, 5]
    assert said[-1] == f"tiny 5: {len(first)} lesions"


def test_the_check_counts_what_is_held_and_what_reading_by_it_recovers(
    phantom: Phantom, truthful: None
) -> None:
    rows = judge(phantom, (None, CARD)) * 6
    rows = [type(row)(**{**vars(row), "patient": f"p{n % 7}"}) for n, row in enumerate(rows)]
    found = checked(calibrate("itself", "corrected", rows), rows)
    for how in ("given", "found"):
        total = found[how]["metrics"]["total_plaque_volume"]
        assert 0.85 <= total["coverage"] <= 1.0
        assert 0.15 <= total["first_fifth"] <= total["at_best"] <= 1.0
        assert found[how]["patients"] == 7
        for told in found[how]["doubts"].values():
            assert 0 < told["share"] <= 1
