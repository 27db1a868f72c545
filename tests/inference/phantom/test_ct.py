"""CT physics on small objects: water is flat, a wire shows the kernel's modulation, materials keep their order, noise its size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import j1

from inference.phantom import SCENARIOS, lesion_truth
from inference.phantom.ct import CtSettings, Materials, at_voltage, beam, scan_materials, without_calcium
from inference.phantom.ct.attenuation import REFERENCE_MM, VOLTAGES
from inference.phantom.ct.gantry import CELL_MM, Gantry, wire_mm
from inference.phantom.ct.projection import Chest
from inference.phantom.grid import Grid
from inference.phantom.patient import make_patient
from inference.phantom.truth_levels import tree_truth_document
from inference.quantification.calcium import HU_PER_MG_CC
from tests.inference.phantom.test_scanner import straight_table

CHEST = Chest(150.0, 105.0, (-20.0, 15.0))
QUIET = CtSettings(
    kvp=120, mtf10_lp_mm=0.62, slice_fwhm_mm=0.1, focal_mm=0.9, chest=CHEST, noise_hu=0.0, views=492
)


def a_grid(n: int, pixel_mm: float, slices: int = 1) -> Grid:
    return Grid(shape=(slices, n, n), origin=np.zeros(3), pixel_mm=pixel_mm, slice_mm=0.6)


def disc(n: int, pixel_mm: float, radius_mm: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Share of each pixel within a disc about a point, mm from the middle of the grid."""
    c = ((np.arange(n * 16) + 0.5) / 16 - 0.5 * n) * pixel_mm
    inside = (c[None] - x) ** 2 + (c[:, None] - y) ** 2 < radius_mm**2
    return inside.reshape(n, 16, n, 16).mean((1, 3)).astype(np.float32)


def imaged(grid: Grid, settings: CtSettings = QUIET, **images: np.ndarray) -> np.ndarray:
    nothing = np.zeros(grid.shape, np.float32)
    parts = {name: images.get(name, nothing) for name in ("tissue", "iodine", "calcium")}
    return scan_materials(np.random.default_rng(3), Materials(**parts), grid=grid, settings=settings).astype(
        float
    )


def test_water_in_lung_is_flat_zero_without_streaks():
    n = 64  # mm: the lung about the cylinder ends where the chest's ellipse of water begins
    image = imaged(a_grid(n, 1.0), tissue=(-850.0 * (1 - disc(n, 1.0, 22.0)))[None])[0]
    inside, outside = disc(n, 1.0, 18.0) == 1, (disc(n, 1.0, 26.0) == 0) & (disc(n, 1.0, 29.0) == 1)
    assert np.abs(image[inside]).max() < 3
    assert image[outside] == pytest.approx(-850, abs=12)


def test_a_wire_shows_the_modulation_of_its_kernel():
    n, pixel, radius = 48, 0.38, 0.25
    off = np.random.default_rng(1).uniform(-0.5 * pixel, 0.5 * pixel, (6, 2))
    wires = np.stack([3000 * disc(n, pixel, radius, *at) for at in off])
    grid = a_grid(n, pixel, len(off))
    c = (np.arange(n) - 0.5 * (n - 1)) * pixel
    near = np.hypot(c[None], c[:, None]) < 7
    for mtf10 in (0.62, 0.82):
        image = imaged(grid, replace(QUIET, mtf10_lp_mm=mtf10), iodine=wires)
        f = np.array([0.677 * mtf10, mtf10])
        found = []
        for plane, (x, y) in zip(image * near, off, strict=True):
            for angle in np.linspace(0, np.pi, 8, endpoint=False):
                way = (c[None] - x) * np.cos(angle) + (c[:, None] - y) * np.sin(angle)
                found.append((plane * np.cos(2 * np.pi * f[:, None, None] * way)).sum((1, 2)) / plane.sum())
        blunt = 2 * j1(2 * np.pi * f * radius) / (2 * np.pi * f * radius)
        modulation = np.mean(found, axis=0) / blunt
        assert modulation[0] == pytest.approx(0.5, rel=0.1)
        # 10 % is met within a tenth of its frequency, where modulation falls steeply
        assert 0.1 ** (1.1**3.08) < modulation[1] < 0.1 ** (0.9**3.08)
    assert wire_mm(0.62) == pytest.approx(1.35, abs=0.1)
    assert wire_mm(0.82) == pytest.approx(1.05, abs=0.1)


def test_lower_voltages_show_iodine_and_calcium_brighter():
    n, pixel = 48, 0.9
    calcium = (400 * disc(n, pixel, 5.0, 10, 0))[None]
    blood = disc(n, pixel, 5.0, -10, 0)[None]
    read = {}
    for kvp in (80, 120, 140):
        ray = beam(kvp)
        image = imaged(
            a_grid(n, pixel),
            replace(QUIET, kvp=kvp, views=180),
            calcium=calcium,
            iodine=12 * ray.hu_per_mg_ml * blood,
        )[0]
        core = (disc(n, pixel, 3.0, 10, 0) == 1, disc(n, pixel, 3.0, -10, 0) == 1)
        read[kvp] = [float(image[x].mean()) for x in core]
        # near the reference path each material reads what its beam says
        assert read[kvp] == pytest.approx([400 * ray.hu_per_mg_cc, 12 * ray.hu_per_mg_ml], rel=0.08)
    values = np.array([read[kvp] for kvp in sorted(read)])
    assert (np.diff(values, axis=0) < 0).all()


def test_beams_agree_with_the_calibration_of_calcium():
    """Two readings of the same tables: without and with muscle's own displacement, 25 and 30 cm of water."""
    for kvp in VOLTAGES:
        assert beam(kvp).hu_per_mg_cc == pytest.approx(HU_PER_MG_CC[kvp], rel=0.08)
        step, table = beam(kvp).correction
        p = -np.log((beam(kvp).share * np.exp(-REFERENCE_MM * beam(kvp).water)).sum())
        assert np.interp(p / step, np.arange(len(table)), table) == pytest.approx(REFERENCE_MM, abs=0.05)
    with pytest.raises(ValueError, match="90 kVp"):
        beam(90)


@pytest.mark.parametrize("by_blur", [False, True])
def test_noise_has_the_asked_size_and_little_at_zero_frequency(by_blur):
    n = 56
    grid = a_grid(n, 0.6, 8)
    image = imaged(grid, replace(QUIET, noise_hu=25.0, by_blur=by_blur))
    middle = image[:, 8:-8, 8:-8]
    assert middle.std() == pytest.approx(25.0, rel=0.12)
    assert abs(middle.mean()) < 3
    neighbours = (middle[1:] * middle[:-1]).mean() / (middle**2).mean()
    assert neighbours == pytest.approx(1 / 3, abs=0.1)
    power = (np.abs(np.fft.fft2(middle)) ** 2).mean(0)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(40, 0.6), np.fft.fftfreq(40, 0.6)))
    assert power[(f > 0) & (f < 0.06)].mean() < 0.5 * power[(f > 0.2) & (f < 0.3)].mean()
    assert power[f > 0.7].mean() < 0.1 * power[(f > 0.2) & (f < 0.3)].mean()


def test_what_a_gantry_cannot_do_is_refused():
    with pytest.raises(ValueError, match="field of view"):
        Gantry((512, 512), 0.9, 984, 0.9, 0.62)
    with pytest.raises(ValueError, match="lp/mm"):
        Gantry((64, 64), 0.4, 984, 0.9, 0.5 / CELL_MM)
    with pytest.raises(ValueError, match="stents"):
        replace(SCENARIOS["tree_validation"], physics=SCENARIOS["tree_physics_validation"].physics)


def test_calcium_of_a_table_reads_by_voltage_and_keeps_its_density():
    table = straight_table()
    table.hu[40:60, :10, 3:6] = 80.0 + 500 * beam(120).hu_per_mg_cc
    low = at_voltage(table, 80)
    assert low.calcium is not None
    assert low.calcium[50, 5, 4] == pytest.approx(500, rel=1e-4)
    assert low.hu[50, 5, 4] == pytest.approx(80 + 500 * beam(80).hu_per_mg_cc, rel=1e-4)
    assert np.array_equal(at_voltage(table, 120).hu, table.hu)
    assert without_calcium(table).hu.max() == 80.0


@pytest.fixture(scope="module")
def small():
    """The smallest heart, by physics and by blur, with few views."""
    physics = SCENARIOS["tree_physics_validation"]
    tiny = SCENARIOS["tree_tiny"]
    assert physics.physics is not None
    return [
        make_patient(
            2,
            replace(
                tiny,
                pixel_mm=(1.0, 1.0),
                slice_mm=(1.5,),
                tree=replace(physics.whole_tree, extra_branches=(0, 0), septals=(0, 0), healthy=(0.0, 0.0)),
                compositions=(0.0, 0.0, 1.0, 0.0),
                wide=physics.wide,
                physics=replace(physics.physics, views=240, by_blur=by_blur),
            ),
        )
        for by_blur in (False, True)
    ]


def test_a_heart_by_physics_has_the_truth_of_its_blurred_twin(small):
    physics, blurred = small
    assert [t.name for t in physics.tables] == [t.name for t in blurred.tables]
    for a, b in zip(physics.tables, blurred.tables, strict=True):
        assert np.array_equal(a.hu, b.hu)
        assert np.array_equal(a.wall, b.wall)
    assert physics.volume.hu.shape == blurred.volume.hu.shape
    one, two = physics.volume.hu.astype(float), blurred.volume.hu.astype(float)
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.98
    assert physics.settings["mtf10_lp_mm"] in (0.62, 0.82)
    assert int(physics.volume.metadata["kvp"]) == int(physics.settings["kvp"])


def test_truth_holds_calcium_by_material(small):
    patient = small[0]
    tables = {t.name: t for t in patient.tables if t.tracked}
    rows = [lesion_truth(t, x) for t in tables.values() for x in t.lesions]
    dense = [r for r in rows if r["calcium_mg"] > 0]
    assert dense
    for row in dense:
        assert row["calcium_mg"] == pytest.approx(row["calcium_volume_true"] * row["calcium_mg_cc"] / 1000)
        assert 130 < row["calcium_mg_cc"] < 1250
        assert row["cp_true"] <= row["calcium_volume_true"] + 1e-9
    document = tree_truth_document(tables, patient, seed=2, scenario="tree_physics_validation")
    assert document["units"]["*_mg"].startswith("mg hydroxyapatite")
