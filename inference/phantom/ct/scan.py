"""From materials to HU: by the physics of a scanner, or by blur alone with the same modulation and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numba import njit
from numpy.typing import NDArray

from inference.phantom.filters import blur
from inference.phantom.grid import Grid
from inference.phantom.settings import PhysicsSettings

from .attenuation import Beam, beam
from .gantry import CELL_MM, UP, Gantry, wire_mm
from .materials import IODINE_FROM_HU, Materials
from .projection import Chest, signals
from .reconstruction import reconstruct, variance_at

Image = NDArray[np.float32]
FWHM_PER_SD = 2.3548  # full width at half maximum of a Gaussian, in standard deviations: 2·√(2·ln 2)
NEIGHBOUR = 0.1835  # of the slices beside it goes into a slice's noise: neighbours then correlate by a third
ELECTRONIC = 8.0  # noise of the electronics, as quanta: it counts where fewer than some hundred arrive
LEAST_SIGNAL = 1e-6  # a cell that noise leaves nothing reads this, as a scanner's does
SAMPLES_MM = 22.0  # noise is the asked one on average over the isocentre and four points so far beside it
VIEWS = 82  # whose noise is drawn at once
EDGE = 24  # pixels by which a slice is continued before it is blurred: beyond the point spread


@dataclass(frozen=True)
class CtSettings:
    """What one scan is made with: tube voltage, kernel (10 % of modulation), slice, focal spot, chest, noise."""

    kvp: int
    mtf10_lp_mm: float
    slice_fwhm_mm: float
    focal_mm: float
    chest: Chest
    noise_hu: float
    views: int = 984
    by_blur: bool = False

    @property
    def sharpness(self) -> float:
        """Overshoot of the kernel that a header would name for this one: below 0 soft, above 0.2 sharp."""
        return float(np.interp(self.mtf10_lp_mm, (0.55, 0.85), (-0.3, 0.4)))

    def gantry(self, grid: Grid) -> Gantry:
        """The scanner that turns about the middle of a grid."""
        return Gantry.around(grid, views=self.views, focal_mm=self.focal_mm, mtf10_lp_mm=self.mtf10_lp_mm)

    def settings(self, contrast_hu: float) -> dict[str, float]:
        """What the truth says of the scan; widths are full ones at half maximum, of a wire and of the slice."""
        return {
            "kvp": float(self.kvp),
            "mtf10_lp_mm": self.mtf10_lp_mm,
            "psf_plane_mm": wire_mm(self.mtf10_lp_mm),
            "psf_along_mm": self.slice_fwhm_mm,
            "focal_mm": self.focal_mm,
            "chest_across_mm": self.chest.across_mm,
            "chest_deep_mm": self.chest.deep_mm,
            "iodine_mg_ml": (contrast_hu - IODINE_FROM_HU) / beam(self.kvp).hu_per_mg_ml,
            "by_blur": float(self.by_blur),
        }


def draw_ct(rng: np.random.Generator, wish: PhysicsSettings, *, kvp: int, noise_hu: float) -> CtSettings:
    """Draw a scanner and the chest around the heart."""
    return CtSettings(
        kvp=kvp,
        mtf10_lp_mm=float(rng.choice(wish.mtf10_lp_mm)),
        slice_fwhm_mm=float(rng.uniform(*wish.slice_fwhm_mm)),
        focal_mm=float(rng.uniform(*wish.focal_mm)),
        chest=Chest(
            across_mm=float(rng.uniform(*wish.chest_across_mm)),
            deep_mm=float(rng.uniform(*wish.chest_deep_mm)),
            middle_mm=(float(rng.uniform(-40.0, -15.0)), float(rng.uniform(5.0, 25.0))),
        ),
        noise_hu=noise_hu,
        views=wish.views,
        by_blur=wish.by_blur,
    )


def _thick(materials: Materials, grid: Grid, fwhm_mm: float) -> Materials:
    """The materials mixed along z so that slices, which hold their own thickness already, have the asked profile."""
    left = (fwhm_mm / FWHM_PER_SD) ** 2 - grid.slice_mm**2 / 12
    along = float(np.sqrt(max(left, 0.0))) / grid.slice_mm
    return Materials(*(blur(x, along, 0.0) for x in (materials.tissue, materials.iodine, materials.calcium)))


@njit(cache=True, fastmath=True)
def _water(signal, noise, chest, step, table, quanta, electronic, least):  # type: ignore[no-untyped-def]
    """Replace signals by mm of water beyond the chest's, in place; ``noise`` is white, ``quanta`` 0 means none."""
    for v in range(signal.shape[0]):
        for c in range(signal.shape[1]):
            for k in range(signal.shape[2]):
                x = signal[v, c, k]
                if quanta > 0:
                    spread = np.sqrt(x * quanta + electronic * electronic) / quanta
                    x = max(x + np.float32(spread) * noise[v, c, k], least)
                at = max(-np.log(x) / step, 0.0)
                t = min(int(at), table.shape[0] - 2)
                f = at - t
                signal[v, c, k] = (1 - f) * table[t] + f * table[t + 1] - chest[v, c]


def _quanta(signal: Image, *, gantry: Gantry, ray: Beam, noise_hu: float) -> float:
    """Quanta that an empty cell counts, so that the image's noise is the asked one near its middle."""
    water = float((ray.share * ray.water).sum())  # 1/mm, nearly what the correction divides by
    step, table = ray.correction
    p = -np.log(np.maximum(signal[:, :, :: max(1, signal.shape[2] // 4)], LEAST_SIGNAL).mean(2))
    at = np.clip((p / step).astype(int), 0, len(table) - 2)
    slope = np.minimum((table[at + 1] - table[at]) / step, 4 / water)
    x = np.exp(-p)
    far = min(SAMPLES_MM, 0.3 * min(gantry.shape) * gantry.pixel_mm)
    points = np.array([[0, 0], [far, 0], [-far, 0], [0, far], [0, -far]], float)
    one = float(variance_at(points, slope**2 / x, gantry=gantry).mean())
    two = float(variance_at(points, slope**2 * (ELECTRONIC / x) ** 2, gantry=gantry).mean())
    wanted = (noise_hu / 1000) ** 2
    return float((one + np.sqrt(one**2 + 4 * wanted * two)) / (2 * wanted))


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Image:
    """White noise of unit size, the last axis a little correlated."""
    white = rng.standard_normal(shape, dtype=np.float32)
    out = white.copy()
    out[..., 1:] += np.float32(NEIGHBOUR) * white[..., :-1]
    out[..., :-1] += np.float32(NEIGHBOUR) * white[..., 1:]
    out /= np.float32(np.sqrt(1 + 2 * NEIGHBOUR**2))
    return out


def scan_materials(
    rng: np.random.Generator, materials: Materials, *, grid: Grid, settings: CtSettings
) -> NDArray[np.int16]:
    """HU of materials on a grid, by physics or by blur as the settings say."""
    make = blur_scan if settings.by_blur else ct_scan
    return make(rng, materials, grid=grid, settings=settings)


def ct_scan(
    rng: np.random.Generator, materials: Materials, *, grid: Grid, settings: CtSettings
) -> NDArray[np.int16]:
    """HU of materials on a grid, imaged by a turn of views. No scatter, motion, cone beam, helix; ``noise_hu`` 0 is none."""
    ray = beam(settings.kvp)
    gantry = settings.gantry(grid)
    signal = signals(
        _thick(materials, grid, settings.slice_fwhm_mm), gantry=gantry, chest=settings.chest, beam=ray
    )
    quanta, noise = 0.0, np.zeros((1, 1, 1), np.float32)
    if settings.noise_hu > 0:
        quanta = _quanta(signal, gantry=gantry, ray=ray, noise_hu=settings.noise_hu)
    step, table = ray.correction
    chest = settings.chest.path_mm(gantry, gantry.fan).astype(np.float32)
    for first in range(0, gantry.views, VIEWS):
        part = slice(first, first + VIEWS)
        if quanta > 0:
            noise = _noise(rng, signal[part].shape)
        _water(
            signal[part],
            noise,
            chest[part],
            step,
            table.astype(np.float32),
            quanta,
            ELECTRONIC,
            np.float32(LEAST_SIGNAL),
        )
    return _hu(1000 * reconstruct(signal, gantry=gantry))


def blur_scan(
    rng: np.random.Generator, materials: Materials, *, grid: Grid, settings: CtSettings
) -> NDArray[np.int16]:
    """HU of the same scene filtered by the kernel's modulation alone, with noise of the same size and spectrum."""
    ray = beam(settings.kvp)
    gantry = settings.gantry(grid)
    thick = _thick(materials, grid, settings.slice_fwhm_mm)
    scene = thick.tissue + thick.iodine + thick.calcium * np.float32(ray.hu_per_mg_cc)
    shape = tuple(scipy.fft.next_fast_len(n + 2 * EDGE, real=True) for n in grid.shape[1:])
    fy, fx = np.fft.fftfreq(shape[0], grid.pixel_mm), np.fft.rfftfreq(shape[1], grid.pixel_mm)
    f = np.hypot(fy[:, None], fx[None, :])
    pixels = np.sinc(fy * grid.pixel_mm)[:, None] * np.sinc(fx * grid.pixel_mm)[None, :]
    kernel = (gantry.modulation(f) / np.maximum(pixels, 0.3)).astype(np.float32)
    grain = np.sqrt(f) * gantry.window(f) * np.sinc(f * CELL_MM / UP) ** 2
    out = np.empty(grid.shape, np.float32)
    noise = np.moveaxis(_noise(rng, (*shape, grid.shape[0])), 2, 0)
    size = 0.0
    rough = np.empty(grid.shape, np.float32)
    rows, columns = slice(EDGE, EDGE + grid.shape[1]), slice(EDGE, EDGE + grid.shape[2])
    for k, plane in enumerate(scene):
        wide = np.pad(plane, [(EDGE, shape[n] - grid.shape[n + 1] - EDGE) for n in (0, 1)], mode="edge")
        out[k] = scipy.fft.irfft2(scipy.fft.rfft2(wide) * kernel, shape)[rows, columns]
        rough[k] = scipy.fft.irfft2(scipy.fft.rfft2(noise[k]) * grain.astype(np.float32), shape)[
            rows, columns
        ]
    size = float(rough.std())
    out += rough * np.float32(settings.noise_hu / max(size, 1e-9))
    return _hu(out)


def _hu(image: Image) -> NDArray[np.int16]:
    return np.clip(np.rint(image), -1024, 3071).astype(np.int16)
