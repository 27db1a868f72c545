"""A patient of the first family: seed and scenario in, scan and tables out."""

from __future__ import annotations

import numpy as np

from inference.phantom.anatomy import make_heart
from inference.phantom.curve import STEP_MM
from inference.phantom.grid import grid_around
from inference.phantom.lesions import build_table
from inference.phantom.main_vessels.paths import make_paths
from inference.phantom.main_vessels.render import paint, scan
from inference.phantom.paths import Path, make_veins
from inference.phantom.settings import Scenario, draw_scan
from inference.phantom.table import VesselTable
from inference.scan import Volume

HEADER = {"manufacturer": "Plaquelab simulation", "model": "Digital phantom", "kernel": "SIM40"}


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


def main_vessels(seed: int, chosen: Scenario) -> tuple[Volume, tuple[VesselTable, ...], dict[str, float]]:
    """Draw and scan one patient: the scan, the truth of every path, and what was drawn."""
    rng = np.random.default_rng([seed, chosen.salt])
    pixel, slab, settings = draw_scan(rng, chosen)
    contrast = settings["contrast_hu"]
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
    volume = Volume(hu=hu, affine=grid.affine, metadata={**HEADER, "kvp": kvp, **grid.metadata})
    return volume, tuple(tables), settings
