"""A whole simulated patient: seed and scenario in, CT volume with exact truth out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d

from inference.centreline import Centreline
from inference.quantification import VesselRead
from inference.scan import Volume
from inference.straightening import StraightenedVessel

from .anatomy import make_heart
from .curve import STEP_MM
from .grid import Grid, grid_around
from .lesions import build_table
from .paths import Path, make_paths, make_veins
from .patient import Patient, make_patient
from .render import paint, scan
from .scenario import scenario as scenario_named
from .table import VesselTable
from .truth import truth_read


@dataclass(frozen=True)
class Phantom:
    """One simulated patient.

    volume : the scan; tables : truth of every path, side branches included; settings : what was drawn;
    patient : dominance, bridges, stents, artefacts and the header's style, for scenarios with a whole tree.
    """

    seed: int
    scenario: str
    volume: Volume
    tables: tuple[VesselTable, ...]
    settings: dict[str, float]
    patient: Patient | None = None

    @cached_property
    def vessels(self) -> dict[str, VesselTable]:
        """The tracked vessels by name."""
        return {t.name: t for t in self.tables if t.tracked}

    @property
    def centrelines(self) -> list[Centreline]:
        """The true lumen centrelines every 0.25 mm, LPS mm."""
        return [
            Centreline(vessel=t.name, points=t.curve.points.copy(), segments=t.segment)
            for t in self.vessels.values()
        ]

    def stored_points(self, displacement_mm: float = 1.0) -> list[Centreline]:
        """Centrelines as a hurried person would leave them: off by this much, smoothly (root mean square, mm).

        The displacement is across the vessel and depends on the seed alone.
        """
        rng = np.random.default_rng([self.seed, 977])
        return [displaced(rng, t, displacement_mm) for t in self.vessels.values()]

    def truth_read(self, vessel: StraightenedVessel) -> VesselRead:
        """The true contours, marks and lesions of this vessel, on whatever centreline it was straightened."""
        return truth_read(self.vessels[vessel.vessel], vessel)


def displaced(rng: np.random.Generator, table: VesselTable, displacement_mm: float) -> Centreline:
    """The table's centreline moved across the vessel by a smooth random curve (root mean square, mm)."""
    n = len(table.curve.points)
    shift = gaussian_filter1d(rng.standard_normal((n + 240, 2)), 20.0, axis=0)[120 : 120 + n]
    shift -= 0.5 * shift.mean(0)
    size = np.sqrt((shift**2).sum(1).mean())
    shift *= displacement_mm / max(size, 1e-9)
    points = table.curve.points + shift[:, :1] * table.curve.u + shift[:, 1:] * table.curve.v
    return Centreline(vessel=table.name, points=points, segments=table.segment)


def _segments(path: Path, paths: tuple[Path, ...]) -> tuple[str, ...]:
    """SCCT short names along one path (definitions.md)."""
    n = len(path.curve.points)
    starts = {
        p.name: p.origin_mm / STEP_MM for p in paths if p.parent == path.name and p.name not in ("side", "AM")
    }
    at = np.arange(n)
    if path.name == "LAD":
        first = starts.get("D1", 0.25 * n)
        return tuple("pLAD" if i < first else "mLAD" if i < 0.5 * (first + n) else "dLAD" for i in at)
    if path.name == "LCx":
        first = starts.get("OM1", 0.35 * n)
        return tuple("pLCx" if i < first else "mid-distal LCx" for i in at)
    if path.name == "RCA":
        return tuple("pRCA" if i < n / 3 else "mRCA" if i < 2 * n / 3 else "dRCA" for i in at)
    return ("" if path.name in ("AM", "side") else path.name,) * n


def generate(seed: int, scenario: str = "train") -> Phantom:
    """Draw and scan one patient. The same seed and scenario give the same bytes.

    Raises ValueError for an unknown scenario or a negative seed.
    """
    if seed < 0:
        raise ValueError("the seed must not be negative")
    chosen = scenario_named(scenario)
    if chosen.tree is not None:
        patient = make_patient(seed, chosen)
        return Phantom(
            seed=seed,
            scenario=scenario,
            volume=patient.volume,
            tables=patient.tables,
            settings=patient.settings,
            patient=patient,
        )
    rng = np.random.default_rng([seed, chosen.salt])
    contrast = float(rng.uniform(*chosen.contrast_hu))
    pixel, slab = round(float(rng.uniform(*chosen.pixel_mm)), 4), float(rng.choice(chosen.slice_mm))
    settings = {
        "contrast_hu": contrast,
        "noise_hu": float(rng.uniform(*chosen.noise_hu)),
        "psf_plane_mm": float(rng.uniform(*chosen.psf_plane_mm)),
        "psf_along_mm": float(rng.uniform(*chosen.psf_along_mm)),
        "grain_mm": float(rng.uniform(*chosen.noise_grain_mm)),
        "overshoot": float(rng.uniform(*chosen.overshoot)),
    }
    kvp = int(rng.choice(chosen.kvp))
    heart = make_heart(rng, chosen, contrast)
    paths = tuple(
        p
        for p in make_paths(rng, heart, chosen)
        if p.name in chosen.vessels or (not p.tracked and chosen.side_branches)
    )
    tables: list[VesselTable] = []
    for path in paths:
        parent = next((t for t in tables if t.name == path.parent), None)
        radius = None
        if parent is not None:
            row = min(int(path.origin_mm / STEP_MM), len(parent.lumen) - 1)
            radius = float(np.sqrt(max(parent.lumen_area()[max(0, row - 40) : row + 40].max(), 0.5) / np.pi))
        tables.append(build_table(rng, path, chosen, contrast, radius, _segments(path, paths)))
    veins = make_veins(rng, heart)
    grid = grid_around([t.curve for t in tables], margin_mm=chosen.margin_mm, pixel_mm=pixel, slice_mm=slab)
    scene = paint(rng, grid=grid, heart=heart, tables=tuple(tables), veins=veins, chosen=chosen)
    hu = scan(
        rng,
        scene,
        grid=grid,
        psf_plane_mm=settings["psf_plane_mm"],
        psf_along_mm=settings["psf_along_mm"],
        noise_hu=settings["noise_hu"],
        grain_mm=settings["grain_mm"],
        overshoot=settings["overshoot"],
    )
    volume = Volume(hu=hu, affine=grid.affine, metadata=_metadata(grid, kvp))
    return Phantom(seed=seed, scenario=scenario, volume=volume, tables=tuple(tables), settings=settings)


def _metadata(grid: Grid, kvp: int) -> dict[str, object]:
    slices, rows, columns = grid.shape
    return {
        "manufacturer": "Plaquelab simulation",
        "model": "Digital phantom",
        "kvp": kvp,
        "kernel": "SIM40",
        "slice_thickness_mm": grid.slice_mm,
        "rows": rows,
        "columns": columns,
        "slices": slices,
        "spacing_mm": [grid.pixel_mm, grid.pixel_mm, grid.slice_mm],
        "contrast": True,
        "simulated": True,
    }
