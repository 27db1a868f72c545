"""The whole way on a tiny phantom with a stand-in segmenter: contours, tracing, refusals, the command line."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from inference import __version__
from inference.__main__ import main
from inference.analysis import Settings
from inference.centreline import Centreline, read_centrelines, trace, write_centrelines
from inference.centreline.formats import export_centrelines
from inference.code_version import code_version
from inference.commands.analyse import COLUMNS
from inference.composition_profiles import PROFILES
from inference.contours import PIXEL_ANGLE, THETA, label_map
from inference.contours.from_probabilities import contours_from_probabilities
from inference.errors import CentrelineError, RefusedScan
from inference.phantom import generate, soft_targets, write_case
from inference.phantom.phantom import Phantom
from inference.pipeline import analyse
from inference.quantification import quantify

CARD = SimpleNamespace(name="truth", sha256="0" * 64, device="cpu", backend="torch")


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return generate(5, "tiny")


@pytest.fixture
def truthful(phantom: Phantom, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmenter that answers with the phantom's own soft labels."""

    def segment(vessel: Any, network: Any, **options: Any) -> tuple[np.ndarray, ...]:
        soft = soft_targets(phantom.vessels[vessel.vessel], vessel).astype(np.float32) / 255
        return soft[..., 0], soft[..., 1], soft[..., 2]

    def smaller(vessel: Any, network: Any, stretch: slice, **options: Any) -> tuple[np.ndarray, ...]:
        return tuple(part[stretch] for part in segment(vessel, network))

    monkeypatch.setattr("inference.pipeline.segment", segment)
    monkeypatch.setattr("inference.pipeline.segment_smaller", smaller)


def test_true_labels_give_true_measurements(phantom: Phantom, truthful: None) -> None:
    lines = phantom.centrelines
    given = {name: phantom.truth_read(v).lesions for v in (analysis_vessels(phantom)) for name in [v.vessel]}
    analysis = analyse(
        phantom.volume, lines, settings=Settings(lesions=given, profile="fixed"), network=(None, CARD)
    )
    got = {
        (r.vessel, r.lesion): r.value
        for r in analysis.measurements
        if r.level == "lesion" and r.metric == "total_plaque_volume"
    }
    area = {
        (r.vessel, r.lesion): r.value
        for r in analysis.measurements
        if r.level == "lesion" and r.metric == "minimal_luminal_area"
    }
    assert got
    for vessel in analysis.vessels:
        read = phantom.truth_read(vessel)
        rows = quantify(vessel, read, PROFILES["fixed"])
        for lesion in read.lesions:
            truth = {r.metric: r.value for r in rows if r.lesion == lesion.number}
            assert got[vessel.vessel, lesion.number] == pytest.approx(
                truth["total_plaque_volume"], rel=0.15, abs=4
            )
            assert area[vessel.vessel, lesion.number] == pytest.approx(
                truth["minimal_luminal_area"], rel=0.15, abs=0.5
            )
    assert set(analysis.timings) >= {"straighten", "segment", "contours", "quantify"}
    assert analysis.versions["weights_sha256"] == CARD.sha256
    assert analysis.versions["code_version"] == code_version()
    assert analysis.versions["inference"] == __version__
    assert {r.level for r in analysis.measurements} >= {"lesion", "vessel", "territory", "patient"}


def analysis_vessels(phantom: Phantom) -> list[Any]:
    from inference.straightening import straighten

    return [straighten(phantom.volume, line) for line in phantom.centrelines]


def test_adaptive_limits_take_their_noise_from_the_aorta_or_say_that_they_do_not(
    phantom: Phantom, truthful: None
) -> None:
    lines = sorted(phantom.centrelines, key=lambda line: line.vessel != "LM")[:2]
    assert lines[0].vessel == "LM"
    whole = analyse(phantom.volume, lines, settings=Settings(profile="adaptive"), network=(None, CARD))
    told = [w for w in whole.warnings if "stands for the aorta's noise" in w]
    assert (whole.aorta is None) == bool(told)
    if whole.aorta:
        assert float(whole.versions["aortic_sd_hu"]) == pytest.approx(whole.aorta.sd_hu, abs=1e-3)
    alone = analyse(phantom.volume, lines[1:], settings=Settings(profile="adaptive"), network=(None, CARD))
    assert alone.aorta is None
    assert "aortic_sd_hu" not in alone.versions
    assert any("no left main" in w for w in alone.warnings)
    fixed = analyse(phantom.volume, lines[1:], settings=Settings(profile="fixed"), network=(None, CARD))
    assert not any("aorta" in w for w in fixed.warnings)


def test_references_and_the_second_category_come_with_the_numbers(phantom: Phantom, truthful: None) -> None:
    found = analyse(phantom.volume, phantom.centrelines, network=(None, CARD))
    for read in found.reads:
        assert set(found.references[read.vessel]) == {lesion.number for lesion in read.lesions}
        for row in found.measurements:
            if (
                row.level == "lesion"
                and row.vessel == read.vessel
                and row.metric == "reference_luminal_diameter"
            ):
                told = found.references[read.vessel][row.lesion]
                assert told.diameter == (None if row.value is None else pytest.approx(row.value))
    assert found.cadrads2 is not None
    assert str(found.cadrads2).startswith("CAD-RADS ")


def test_progress_may_cancel(phantom: Phantom, truthful: None) -> None:
    class CancelledError(Exception):
        pass

    seen = []

    def progress(stage: str, fraction: float) -> None:
        seen.append(stage)
        if stage == "quantify":
            raise CancelledError

    with pytest.raises(CancelledError):
        analyse(phantom.volume, phantom.centrelines, progress=progress, network=(None, CARD))
    assert list(dict.fromkeys(seen)) == ["straighten", "segment", "contours", "quantify"]


def test_scan_without_contrast_is_refused(phantom: Phantom, truthful: None) -> None:
    plain = replace(phantom.volume, hu=np.clip(phantom.volume.hu, -1000, 60).astype(np.int16))
    with pytest.raises(RefusedScan, match="no arterial contrast") as error:
        analyse(plain, phantom.centrelines, network=(None, CARD))
    assert error.value.code == "no-contrast"
    with pytest.raises(CentrelineError):
        analyse(phantom.volume, [], network=(None, CARD))


def test_unusual_tube_voltage_is_a_warning(phantom: Phantom, truthful: None) -> None:
    volume = replace(phantom.volume, metadata={**phantom.volume.metadata, "kvp": 140.0})
    assert any("140 kVp" in w for w in analyse(volume, phantom.centrelines, network=(None, CARD)).warnings)


def _disc(radius: float, u0: float = 0.0, v0: float = 0.0) -> np.ndarray:
    """Soft disc (64, 64): probability falls from 1 to 0 over one pixel."""
    offset = (np.arange(64) - 31.5) * 0.3125
    u, v = np.meshgrid(offset, offset)
    return np.clip(0.5 + (radius - np.hypot(u - u0, v - v0)) / 0.3125, 0, 1)


def test_contours_lie_where_probability_is_one_half() -> None:
    lumen = np.repeat(_disc(1.3, 0.4, 0.2)[None], 8, 0)
    wall = np.repeat(_disc(2.4)[None], 8, 0)
    plaque = np.clip(wall - lumen, 0, 1)
    contours = contours_from_probabilities(wall, lumen, plaque)
    a = 0.4 * np.cos(THETA) + 0.2 * np.sin(THETA)
    exact = a + np.sqrt(1.3**2 - (0.4**2 + 0.2**2 - a**2))
    assert np.abs(contours.lumen_radius - exact).max() < 0.06
    assert np.abs(contours.wall_radius - 2.4).max() < 0.04
    assert contours.plaque.mean() > 0.95
    assert contours.masks == {}


def test_lumen_beside_the_centre_keeps_a_mask() -> None:
    lumen = np.repeat(_disc(0.7, 1.4, 0.0)[None], 5, 0)
    wall = np.repeat(_disc(2.6)[None], 5, 0)
    contours = contours_from_probabilities(wall, lumen, np.clip(wall - lumen, 0, 1))
    assert set(contours.masks) == set(range(5))
    assert (label_map(contours)[2] == 1).sum() * 0.3125**2 == pytest.approx(np.pi * 0.49, rel=0.15)


def test_a_lumen_of_a_pixel_or_two_is_open_and_a_closed_one_stays_closed() -> None:
    across = (np.arange(64) - 31.5) * 0.3125
    wall = (np.hypot(across, across[:, None]) < 1.6).astype(np.float32)[None].repeat(6, 0)
    spread = np.exp(-(np.hypot(across - 0.3, across[:, None]) ** 2) / 2 / 0.5**2)
    spread /= spread.sum() * 0.3125**2

    def area(expected: float) -> float:
        lumen = (expected * spread).astype(np.float32)[None].repeat(6, 0)
        assert lumen.max() < 0.5
        found = contours_from_probabilities(wall, lumen, wall - lumen)
        assert not found.masks
        return float((found.lumen_radius[3].astype(float) ** 2).sum() * np.pi / found.lumen_radius.shape[1])

    assert area(0.02) == 0
    assert area(0.2) == pytest.approx(0.2, rel=0.08)
    assert area(0.6) == pytest.approx(0.6, rel=0.08)


@pytest.mark.parametrize("radius", [0.6, 1.0, 2.0])
def test_a_contour_encloses_the_area_that_is_expected(radius: float) -> None:
    """A blurred lumen: one half is crossed inside the true border, the more so the narrower it is."""
    sharp = np.repeat(_disc(radius)[None], 7, 0)
    lumen = ndimage.gaussian_filter(sharp, (0, 1.2, 1.2))
    wall = np.repeat(_disc(radius + 1.0)[None], 7, 0)
    found = contours_from_probabilities(wall, lumen, np.clip(wall - lumen, 0, 1))
    area = (found.lumen_radius[3].astype(float) ** 2).mean() * np.pi
    assert area == pytest.approx(np.pi * radius**2, rel=0.03)


def test_only_the_part_nearest_to_the_centre_counts() -> None:
    wall = np.repeat(np.maximum(_disc(1.8), _disc(1.5, 5.5, 0))[None], 4, 0)
    lumen = np.repeat(np.maximum(_disc(1.4), _disc(1.2, 5.5, 0))[None], 4, 0)
    contours = contours_from_probabilities(wall, lumen, 0 * wall)
    assert np.abs(contours.wall_radius - 1.8).max() < 0.05
    assert contours.masks == {}
    assert not contours.plaque.any()


def test_two_points_find_the_vessel(phantom: Phantom) -> None:
    line = phantom.centrelines[0]
    found = trace(phantom.volume, line.points[2], line.points[-8], line.vessel)
    distance = np.linalg.norm(found.points[:, None] - line.points[None], axis=2).min(1)
    assert distance.mean() < 0.6
    assert distance.max() < 1.6


def test_points_outside_contrast_are_refused(phantom: Phantom) -> None:
    line = phantom.centrelines[0]
    air = phantom.volume.to_patient(np.array([1.0, 1.0, 1.0]))
    with pytest.raises(CentrelineError) as error:
        trace(phantom.volume, air, line.points[-8], line.vessel)
    assert error.value.code == "no-centreline-found"
    with pytest.raises(CentrelineError, match="outside the scan"):
        trace(phantom.volume, line.points[2] + 1000, line.points[-8], line.vessel)


def test_centreline_files_round_trip_and_name_the_bad_row(tmp_path: Path) -> None:
    line = Centreline("RCA", np.random.default_rng(1).normal(size=(5, 3)), ("pRCA",) * 5)
    write_centrelines(tmp_path / "c.csv", [line])
    (again,) = read_centrelines(tmp_path / "c.csv")
    np.testing.assert_allclose(again.points, line.points, atol=1e-4)
    assert again.segments == line.segments
    for text, said in (
        (b"vessel,x_mm\nRCA,1\n", "segment, y_mm, z_mm"),
        (b"vessel,segment,x_mm,y_mm,z_mm\nRCA,,1,2,3\nRCA,,1,two,3\n", "row 3"),
        (b"vessel,segment,x_mm,y_mm,z_mm\nXYZ,,1,2,3\n", "XYZ"),
        (b"vessel,segment,x_mm,y_mm,z_mm\n", "no points"),
    ):
        with pytest.raises(CentrelineError, match=said):
            read_centrelines(text)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, phantom: Phantom) -> Path:
    folder = tmp_path_factory.mktemp("case")
    write_case(phantom, folder)
    return folder


def test_command_line_writes_the_table(
    case: Path,
    tmp_path: Path,
    truthful: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("inference.pipeline.load_network", lambda name, *, device: (None, CARD))
    out = tmp_path / "out"
    arguments = [
        "analyse",
        str(case / "dicom"),
        "--out",
        str(out),
        "--centrelines",
        str(case / "centrelines.csv"),
    ]
    assert main([*arguments, "--lesions", str(case / "lesions.csv"), "--json"]) == 0
    shown = capsys.readouterr()
    summary = json.loads(shown.out)
    assert shown.err.splitlines() == ["read", "centrelines", "straighten", "segment", "quantify", "write"]
    assert summary["research_use_only"]
    assert summary["cadrads2"]["category"].startswith("CAD-RADS ")
    assert summary["aortic_region"] is None
    assert all(len(v["references"]) == v["lesions"] for v in summary["vessels"])
    assert str(summary["cadrads2"]["category"]) in (out / "report.html").read_text()
    rows = list(csv.DictReader((out / "measurements.csv").open()))
    assert tuple(rows[0]) == COLUMNS
    given = list(csv.DictReader((case / "lesions.csv").open()))
    measured = {(r["vessel"], r["lesion"]) for r in rows if r["level"] == "lesion"}
    assert measured == {(r["vessel"], r["lesion"]) for r in given}
    assert (out / "vessels.npz").exists()


@pytest.mark.parametrize(
    ("extra", "code", "said"),
    [
        ([], 3, "no-aorta"),
        (["--centrelines", "missing.csv"], 2, "missing.csv"),
        (["--points", "missing.csv"], 2, "missing.csv"),
    ],
)
def test_command_line_says_what_is_wrong(
    case: Path, tmp_path: Path, extra: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["analyse", str(case / "dicom"), "--out", str(out), *extra]) == code
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_lines_that_had_to_be_changed_take_no_lesions_by_position(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [replace(x, points=x.points[::-1]) for x in read_centrelines(case / "centrelines.csv")]
    named = [x.vessel for x in lines]
    for line in lines:
        export_centrelines(tmp_path / f"line-{line.vessel}.txt", [line])
    files = [word for v in named for word in ("--centrelines", str(tmp_path / f"line-{v}.txt"))]
    arguments = ["analyse", str(case / "dicom"), "--out", str(tmp_path / "o"), *files]
    assert main([*arguments, "--lesions", str(case / "lesions.csv")]) == 2
    said = capsys.readouterr().err
    assert "turned round" in said
    assert "lesions" in said


def test_a_wrong_profile_is_told_before_the_scan_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyse", str(tmp_path), "--out", str(tmp_path / "o"), "--profile", "nope"]) == 2
    said = capsys.readouterr().err
    assert "nope" in said
    assert "corrected" in said
    assert "read" not in said.splitlines()


def test_given_lesions_are_checked_by_row(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "lesions.csv"
    bad.write_text("vessel,lesion,start_mm,end_mm\nLAD,1,5,9\nLAD,2,9,4\n")
    arguments = ["analyse", str(case / "dicom"), "--out", str(tmp_path / "o"), "--lesions", str(bad)]
    assert main([*arguments, "--centrelines", str(case / "centrelines.csv")]) == 2
    assert "row 3" in capsys.readouterr().err


def test_in_a_given_lesion_plaque_fills_the_expected_area_likeliest_angles_first() -> None:
    """Doubt of 0.3 on average and below one half all around: without marks it would be drawn nowhere."""
    wall, lumen = (np.repeat(_disc(r)[None], 12, 0) for r in (2.6, 1.4))
    doubt = 0.3 + 0.15 * np.cos(PIXEL_ANGLE - 0.3) + 0.002 * np.arange(12)[:, None, None]
    plaque = np.clip(wall - lumen, 0, 1) * doubt
    given = np.zeros(12, bool)
    given[3:9] = True
    alone = contours_from_probabilities(wall, lumen, plaque)
    found = contours_from_probabilities(wall, lumen, plaque, given_lesions=given)
    assert not alone.plaque.any()
    assert not found.plaque[~given].any()
    ring = np.pi * (2.6**2 - 1.4**2)
    filled = (found.wall_radius.astype(float) ** 2 - found.lumen_radius.astype(float) ** 2) * np.pi / 64
    assert (filled * found.plaque)[given].sum() / 6 == pytest.approx(0.311 * ring, rel=0.05)
    away = np.cos(THETA - 0.3) < 0.3
    assert not found.plaque[:, away].any()
