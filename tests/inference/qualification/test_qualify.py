"""A drawn scan of the calcification insert: its parts are found, masses are right, and what is no insert is refused."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from inference.__main__ import main
from inference.errors import VolumeError
from inference.qualification import Qualification, qualify
from inference.scan import Volume

PIXEL, SLICE = 0.5, 1.0
SHAPE = (40, 230, 230)
INSERT_HU, HU_PER_MG_CC, NOISE = 60.0, 1.25, 18.0
AXIS = (115.3, 113.6)  # row, column
CYLINDERS_AT, ROD_FROM = 8.4, 22


@lru_cache(maxsize=1)
def scanned(
    turn: float = 20.0, *, rod: bool = True, cylinders: bool = True, mirrored: bool = False
) -> Volume:
    k, r, c = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    far = np.hypot(r - AXIS[0], c - AXIS[1]) * PIXEL
    hu = np.broadcast_to(np.where(far < 50, INSERT_HU, -1000.0), SHAPE).astype(np.float32)
    if rod:
        hu[ROD_FROM:, (far < 10)[0]] = INSERT_HU + 200 * HU_PER_MG_CC
    for n, mg_cc in enumerate((800.0, 400.0, 200.0) if cylinders else ()):
        angle = np.radians(turn + (-120 if mirrored else 120) * n)
        for size, radius in ((5.0, 37.0), (3.0, 24.7), (1.0, 12.3)):
            row = AXIS[0] + radius * np.sin(angle) / PIXEL
            column = AXIS[1] + radius * np.cos(angle) / PIXEL
            near = np.hypot(r - row, c - column) * PIXEL
            # Shares of pixel and slice, so that every cylinder has its volume.
            inside = np.clip((size / 2 - near) / PIXEL + 0.5, 0, 1)
            depth = np.abs(k - CYLINDERS_AT) * SLICE
            hu += (mg_cc * HU_PER_MG_CC * inside * np.clip((size / 2 - depth) / SLICE + 0.5, 0, 1)).astype(
                np.float32
            )
    hu = gaussian_filter(hu, (0.0, *[1.0 / 2.3548 / PIXEL] * 2))
    noise = gaussian_filter(np.random.default_rng(4).standard_normal(SHAPE, np.float32), (0, 0.8, 0.8))
    hu += NOISE * noise / noise.std()
    affine = np.diag([PIXEL, PIXEL, SLICE, 1.0])
    return Volume(
        hu.astype(np.int16), affine, {"kvp": 120.0, "slice_thickness_mm": SLICE, "manufacturer": "Maker"}
    )


@lru_cache(maxsize=2)
def found(turn: float = 20.0, mirrored: bool = False) -> Qualification:
    return qualify(scanned(turn, mirrored=mirrored))


@pytest.mark.parametrize(("turn", "mirrored"), [(20.0, False), (-131.0, True)])
def test_masses_are_right_at_every_density_whatever_the_turn(turn: float, mirrored: bool) -> None:
    for c in found(turn, mirrored).cylinders:
        if c.cylinder.diameter_mm > 1.0:
            assert abs(c.mass_error) < (4.0 if c.cylinder.diameter_mm == 5.0 else 12.0), c.cylinder
            assert c.mass_plain_mg == pytest.approx(c.cylinder.mass_mg, rel=0.2)


def test_the_volume_above_350_hu_hangs_on_density() -> None:
    errors = [c.volume_350_error for c in found().cylinders if c.cylinder.diameter_mm == 5.0]
    assert errors[0] > 10
    assert -25 < errors[1] < errors[0]
    assert errors[2] < -90


def test_rod_noise_and_edge_are_found() -> None:
    q = found()
    assert q.hu_per_mg_cc == pytest.approx(HU_PER_MG_CC, rel=0.01)
    assert q.noise_hu == pytest.approx(NOISE, rel=0.05)
    assert q.edge_mm == pytest.approx(1.0, abs=0.12)
    assert q.insert.rod_diameter_mm == pytest.approx(20.0, abs=1.0)
    assert q.verdict == "Calcium's mass is within the limits; all limits are kept."


@pytest.mark.parametrize(
    ("rod", "cylinders", "code", "words"),
    [(False, True, "no-rod", "2 cm wide"), (True, False, "no-cylinders", "120° apart")],
)
def test_what_is_no_insert_is_refused_in_words(rod: bool, cylinders: bool, code: str, words: str) -> None:
    with pytest.raises(VolumeError, match=words) as refused:
        qualify(scanned(rod=rod, cylinders=cylinders))
    assert refused.value.code == code


def test_the_command_writes_json_and_a_page_with_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("inference.commands.qualify.read_volume", lambda *_, **__: (scanned(), None))
    assert main(["qualify", "insert", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("%") == 27
    assert "within the limits" in printed
    said = json.loads((tmp_path / "qualify.json").read_text())
    assert said["all_limits_kept"]
    assert len(said["cylinders"]) == 9
    page = (tmp_path / "qualify.html").read_text()
    assert page.count("<svg") == 2
    assert "800 mg/cc, 5 mm" in page


def test_a_scan_without_the_insert_ends_with_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Volume(np.full((6, 40, 40), 40, np.int16), np.eye(4))
    monkeypatch.setattr("inference.commands.qualify.read_volume", lambda *_, **__: (empty, None))
    assert main(["qualify", "somewhere"]) == 2
    assert "no-rod" in capsys.readouterr().err
