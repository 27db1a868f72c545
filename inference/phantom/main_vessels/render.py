"""From tables and bodies to a CT volume: paint, blur with the scanner's point spread, add correlated noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.phantom.anatomy import LUNG_HU, Heart
from inference.phantom.curve import Curve
from inference.phantom.grid import Grid
from inference.phantom.main_vessels.background import paint_body, paint_heart, paint_tube, paint_vein
from inference.phantom.main_vessels.surroundings import claims, fill_vessels, surround
from inference.phantom.scanner import FWHM_PER_SD
from inference.phantom.scenario import Scenario
from inference.phantom.table import VesselTable


def _sheaths(
    rng: np.random.Generator,
    table: VesselTable,
    chosen: Scenario,
    heart: Heart,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What surrounds a vessel along its length: reach mm, HU, and the side of soft tissue (see ``surround``)."""
    n = len(table.curve.points)
    reach, hu, side = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros((n, 3), np.float32)
    at = 0
    while at < n:
        stop = min(n, at + int(rng.uniform(40, 200)))
        soft = rng.choice(3, p=chosen.surroundings) == 2
        reach[at:stop] = rng.uniform(3.0, 5.0) if soft else rng.uniform(0.8, 3.0)
        hu[at:stop] = rng.uniform(30.0, heart.muscle_hu) if soft else heart.fat_hu
        if soft:
            angle = rng.uniform(0, 6.28) + np.linspace(0, rng.normal(0, 0.7), stop - at)
            way = (
                np.cos(angle)[:, None] * table.curve.u[at:stop]
                + np.sin(angle)[:, None] * table.curve.v[at:stop]
            )
            side[at:stop] = way * rng.uniform(0.2, 4.5)  # 3 = the border passes through the centreline
        at = stop
    return reach, hu, side


def paint(
    rng: np.random.Generator,
    *,
    grid: Grid,
    heart: Heart,
    tables: tuple[VesselTable, ...],
    veins: tuple[Curve, ...],
    chosen: Scenario,
) -> NDArray[np.float32]:
    """The noise-free, unblurred scene on the grid, HU."""
    spacing = np.array([grid.pixel_mm, grid.pixel_mm, grid.slice_mm])
    out = np.empty(grid.shape, np.float32)
    field = gaussian_filter(rng.standard_normal((24, 48, 48)), 1.0, mode="wrap").astype(np.float32)
    field /= field.std()
    paint_heart(
        out,
        grid.origin,
        spacing,
        heart.frame,
        heart.axes,
        heart.waves,
        heart.fat_mm,
        heart.base_mm,
        heart.fat_hu,
        heart.muscle_hu,
        LUNG_HU,
        field,
    )
    for body in heart.bodies:
        paint_body(
            out, grid.origin, spacing, body.centre, body.matrix, body.hu, body.mixing_hu, body.reach_mm, field
        )
    paint_tube(out, grid.origin, spacing, heart.aorta_from, heart.aorta_to, heart.aorta_mm + 1.4, 60.0, 12.0)
    paint_tube(
        out, grid.origin, spacing, heart.aorta_from, heart.aorta_to, heart.aorta_mm, heart.blood_hu, 12.0
    )

    near = claims(grid, tables)
    for w, table in enumerate(tables):
        reach, hu, side = _sheaths(rng, table, chosen, heart)
        surround(
            out,
            near.slots,
            near.owner,
            near.distance,
            grid.origin,
            spacing,
            w,
            table.curve.points,
            table.wall.max(1),
            reach,
            hu,
            side,
        )
    for vein in veins:
        radius = rng.uniform(0.8, 1.7)
        paint_vein(out, vein.points, grid.origin, spacing, radius, heart.blood_hu * rng.uniform(0.25, 0.75))
    fill_vessels(out, grid=grid, tables=tables, near=near)
    return out


def scan(
    rng: np.random.Generator,
    scene: NDArray[np.float32],
    *,
    grid: Grid,
    psf_plane_mm: float,
    psf_along_mm: float,
    noise_hu: float,
    grain_mm: float,
    overshoot: float,
) -> NDArray[np.int16]:
    """What the scanner makes of a scene: point spread (widths at half maximum), overshoot, correlated noise."""
    plane, along = psf_plane_mm / FWHM_PER_SD, psf_along_mm / FWHM_PER_SD
    sigma = (along / grid.slice_mm, plane / grid.pixel_mm, plane / grid.pixel_mm)
    image = gaussian_filter(scene, sigma, truncate=3.0)
    if overshoot > 0.02:
        image += overshoot * (
            image - gaussian_filter(image, (0, sigma[1] * 1.2, sigma[2] * 1.2), truncate=2.5)
        )
    noise = rng.standard_normal(scene.shape, dtype=np.float32)
    noise = gaussian_filter(
        noise,
        (0.6 * grain_mm / grid.slice_mm, grain_mm / grid.pixel_mm, grain_mm / grid.pixel_mm),
        truncate=2.5,
    )
    image += noise * np.float32(noise_hu / noise[::7, ::5, ::5].std())
    return np.clip(np.rint(image), -1024, 3071).astype(np.int16)
