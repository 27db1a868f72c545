"""What a CT scanner makes of a scene: blooming, dark halos, motion, slab steps, point spread, kernel, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inference.sampling import held, trilinear_fast

from .curve import STEP_MM, Curve, Slabs
from .filters import blur
from .grid import Grid
from .layers import near_vessels

FWHM_PER_SD = 2.3548  # full width at half maximum of a Gaussian, in standard deviations: 2·√(2·ln 2)
# A Gaussian after the first of this many standard deviations makes the skirt 2.2 times as wide: √(1 + 1.96²). The modulation
# of a clinical kernel falls slower at first and faster later than a Gaussian's; by hand, no figure was kept.
SKIRT = 1.96
DENSE_HU = 650.0  # above this, calcium and metal bloom and darken what lies around them
Array = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """A blurred stretch of a vessel: extent (mm along it) and path (mm, LPS) travelled during the exposure."""

    vessel: str
    start_mm: float
    end_mm: float
    path_mm: tuple[float, float, float]

    @property
    def length_mm(self) -> float:
        """Length of the path, mm."""
        return float(np.linalg.norm(self.path_mm))


@dataclass(frozen=True)
class Step:
    """A slab whose image, and whose truth, lie shifted: z range (LPS mm) and shift (x, y, mm)."""

    from_z_mm: float
    to_z_mm: float
    shift_mm: tuple[float, float]


@njit(cache=True, fastmath=True)
def _spread(out, voxels, amount, kernel):  # type: ignore[no-untyped-def]
    nk, nj, ni = out.shape
    hk, hj, hi = kernel.shape[0] // 2, kernel.shape[1] // 2, kernel.shape[2] // 2
    for n in range(voxels.shape[0]):
        k, j, i = voxels[n, 0], voxels[n, 1], voxels[n, 2]
        a0, a1 = max(0, hk - k), min(2 * hk + 1, nk - k + hk)
        b0, b1 = max(0, hj - j), min(2 * hj + 1, nj - j + hj)
        c0, c1 = max(0, hi - i), min(2 * hi + 1, ni - i + hi)
        for a in range(a0, a1):
            for b in range(b0, b1):
                for c in range(c0, c1):
                    out[k + a - hk, j + b - hj, i + c - hi] += amount[n] * kernel[a, b, c]


def _gaussian(grid: Grid, plane_mm: float, along_mm: float, size: tuple[int, int, int]) -> Array:
    z = (np.arange(size[0]) - size[0] // 2) * grid.slice_mm / along_mm
    y = (np.arange(size[1]) - size[1] // 2) * grid.pixel_mm / plane_mm
    g = np.exp(-0.5 * (z[:, None, None] ** 2 + y[None, :, None] ** 2 + y[None, None, :] ** 2))
    return np.asarray(g / g.sum())


def bloom_and_halo(
    scene: Image,
    *,
    grid: Grid,
    voxels: NDArray[np.int32],
    bloom: float,
    bloom_mm: float,
    halo: float,
    halo_mm: float,
) -> None:
    """Smear and darken around what is denser than ``DENSE_HU`` among ``voxels`` (n, 3), in place.

    Each dense voxel adds ``bloom`` times its excess over a Gaussian of ``bloom_mm`` (width at half maximum) and takes
    ``halo`` times its excess from a flat zone three times as wide in plane as along z.
    """
    values = scene[voxels[:, 0], voxels[:, 1], voxels[:, 2]]
    dense = values > DENSE_HU
    if not dense.any() or (bloom <= 0 and halo <= 0):
        return
    half = int(np.ceil(2.4 * halo_mm / grid.pixel_mm))
    size = (2 * int(np.ceil(0.8 * halo_mm / grid.slice_mm)) + 1, 2 * half + 1, 2 * half + 1)
    wide = bloom_mm / FWHM_PER_SD
    kernel = bloom * _gaussian(grid, wide, wide, size) - halo * _gaussian(grid, halo_mm, halo_mm / 3, size)
    _spread(scene, voxels[dense], (values[dense] - DENSE_HU).astype(np.float32), kernel.astype(np.float32))


@njit(cache=True, fastmath=True)
def _smear(out, scene, distance, moves, inner, outer):  # type: ignore[no-untyped-def]  # noqa: C901 - a compiled kernel: calls cost, and it is one loop
    """Average shifted copies (``moves`` (n, 3) in voxels k, j, i) near a stretch; fades between two distances."""
    nk, nj, ni = out.shape
    ck, cj, ci = distance.shape
    for a in range(ck - 1):
        for b in range(cj - 1):
            for c in range(ci - 1):
                if distance[a, b, c] > outer + 3.0:
                    continue
                for k in range(a * 4, min(nk, a * 4 + 4)):
                    fk = (k - a * 4) * 0.25
                    for j in range(b * 4, min(nj, b * 4 + 4)):
                        fj = (j - b * 4) * 0.25
                        for i in range(c * 4, min(ni, c * 4 + 4)):
                            fi = (i - c * 4) * 0.25
                            d = 0.0
                            for p in range(2):
                                for q in range(2):
                                    for r in range(2):
                                        d += (
                                            (fk if p else 1 - fk)
                                            * (fj if q else 1 - fj)
                                            * (fi if r else 1 - fi)
                                            * distance[a + p, b + q, c + r]
                                        )
                            if d >= outer:
                                continue
                            total = 0.0
                            for m in range(moves.shape[0]):
                                z, y = held(k - moves[m, 0], nk), held(j - moves[m, 1], nj)
                                total += trilinear_fast(scene, held(i - moves[m, 2], ni), y, z)
                            f = min(max((outer - d) / (outer - inner), 0.0), 1.0)
                            out[k, j, i] += f * (total / moves.shape[0] - scene[k, j, i])


def move(scene: Image, *, grid: Grid, curve: Curve, motion: Motion) -> Image:
    """The scene with one stretch blurred along a slightly curved path about its true, mean position."""
    rows = slice(int(motion.start_mm / STEP_MM), int(motion.end_mm / STEP_MM) + 1)
    points = curve.points[rows][::2]
    way = np.array(motion.path_mm)
    bow = np.cross(way, curve.tangent[(rows.start + rows.stop) // 2]) * 0.25
    steps = max(5, 2 * int(np.ceil(motion.length_mm / grid.pixel_mm / 2)) + 1)
    t = np.linspace(-0.5, 0.5, steps)
    path = t[:, None] * way + (4 * t**2 - (4 * t**2).mean())[:, None] * bow
    moves = path[:, ::-1] / [grid.slice_mm, grid.pixel_mm, grid.pixel_mm]
    inner = 4.0 + 0.5 * motion.length_mm
    distance, _ = near_vessels(grid, points, np.zeros(len(points)), reach_mm=inner + 7.0)
    out = scene.copy()
    _smear(out, scene, distance, moves, inner, inner + 4.0)
    return out


def slab_shifts(grid: Grid, steps: tuple[Step, ...]) -> NDArray[np.int64]:
    """(slices, 2) whole pixels by which each slice lies shifted along x and y."""
    z = grid.origin[2] + np.arange(grid.shape[0]) * grid.slice_mm
    out = np.zeros((grid.shape[0], 2), np.int64)
    for step in steps:
        inside = (z >= step.from_z_mm - 1e-6) & (z < step.to_z_mm - 1e-6)
        out[inside] = np.rint(np.array(step.shift_mm) / grid.pixel_mm).astype(int)
    return out


def shift_slabs(scene: Image, *, shifts: NDArray[np.int64], border: int) -> Image:
    """Cut the borders (``border`` pixels) off every slice so that its content lies shifted: exact, no interpolation."""
    rows, columns = scene.shape[1] - 2 * border, scene.shape[2] - 2 * border
    out = np.empty((len(scene), rows, columns), np.float32)
    for k, (x, y) in enumerate(shifts):
        out[k] = scene[k, border - y : border - y + rows, border - x : border - x + columns]
    return out


def shifted_curve(curve: Curve, *, grid: Grid, shifts: NDArray[np.int64]) -> Curve:
    """The curve as it lies in the stepped image; frames and curvature stay those of the vessel itself."""
    slabs = Slabs(float(grid.origin[2]), grid.slice_mm, shifts.astype(np.float64) * grid.pixel_mm)
    points = curve.points.copy()
    points[:, :2] += slabs.at(points[:, 2])
    return Curve(
        points=points,
        tangent=curve.tangent,
        u=curve.u,
        v=curve.v,
        curvature=curve.curvature,
        slabs=slabs,
    )


def scan(
    rng: np.random.Generator,
    scene: Image,
    *,
    grid: Grid,
    psf_plane_mm: float,
    psf_along_mm: float,
    noise_hu: float,
    grain_mm: float,
    overshoot: float,
    tails: float = 0.0,
) -> NDArray[np.int16]:
    """Point spread (widths at half maximum, ``tails`` of it in a wider skirt), kernel overshoot, correlated noise; the model of ``main_vessels.render.scan``, faster."""
    plane, along = psf_plane_mm / FWHM_PER_SD / grid.pixel_mm, psf_along_mm / FWHM_PER_SD / grid.slice_mm
    image = blur(scene, along, plane)
    if tails > 0:
        skirt = blur(image, 0.0, SKIRT * plane, truncate=2.5)
        skirt -= image
        skirt *= np.float32(tails)
        image += skirt
        del skirt
    if overshoot > 0.02:
        smooth = blur(image, 0.0, 1.2 * plane, truncate=2.5)
        image *= np.float32(1 + overshoot)
        smooth *= np.float32(overshoot)
        image -= smooth
        del smooth
    noise = rng.standard_normal(scene.shape, dtype=np.float32)
    noise = blur(noise, 0.6 * grain_mm / grid.slice_mm, grain_mm / grid.pixel_mm, truncate=2.5)
    noise *= np.float32(noise_hu / noise[::7, ::5, ::5].std())
    image += noise
    del noise
    np.rint(image, out=image)
    np.clip(image, -1024, 3071, out=image)
    return image.astype(np.int16)
