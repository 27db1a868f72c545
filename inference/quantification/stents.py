"""Stents found by their metal, so that nobody counts it as calcified plaque.

A stent is a ring: nearly all around the lumen something is brighter than blood, over at least 7 mm of the vessel.
Calcified plaque, however dense, leaves a side free. Limits were chosen on simulated patients of the validation
settings with one to three stents each and more calcium than usual; their docstrings say what they do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from inference.contours import THETA
from inference.sampling import bilinear
from inference.section_grid import PIXELS, SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel

REASON = "stent"
RADII_MM = np.arange(0.4, 3.6, 0.15)
# Of 17 simulated stents on validation settings 16 were found, their ends off by 0.6 mm (root mean square), and nothing else
# was taken for one (decision 31).
FAINTEST = 10  # per cent of angles that may be fainter than the ring
OVER_BLOOD_HU = 115.0  # the ring over the blood
SHORTEST_MM = 7.0  # implanted stents are longer
RING_SECTIONS = 7  # a section borrows what the struts of ±0.9 mm show; rings of struts lie up to 1.7 mm apart
GAP_SECTIONS = 7  # shorter gaps belong to the stent
CORE = slice(PIXELS // 2 - 4, PIXELS // 2 + 4)


@numba.njit(cache=True, nogil=True)
def _peaks(hu, cos, sin, radii, spacing):  # type: ignore[no-untyped-def]
    """Brightest sample along every ray (S, angles), HU."""
    out = np.empty((hu.shape[0], len(cos)), np.float32)
    middle = (hu.shape[1] - 1) / 2
    for s in range(hu.shape[0]):
        for k in range(len(cos)):
            best = -2000.0
            for r in radii:
                x, y = middle + r * cos[k] / spacing, middle + r * sin[k] / spacing
                best = max(best, bilinear(hu[s], x, y))
            out[s, k] = best
    return out


def blood_hu(vessels: Sequence[StraightenedVessel]) -> float:
    """A patient's arterial blood, HU: the highest of the vessels' medians (fine vessels are mixed with their wall)."""
    return max(float(np.median(np.percentile(v.hu[:, CORE, CORE], 70, axis=(1, 2)))) for v in vessels)


def find_stents(vessels: Sequence[StraightenedVessel]) -> dict[str, tuple[tuple[float, float], ...]]:
    """Extents (start, end) in mm of the stents of each vessel that has any.

    Parameters
    ----------
    vessels : all straightened vessels of one patient: blood is brightest where the vessel is widest.
    """
    if not vessels:
        return {}
    limit = blood_hu(vessels) + OVER_BLOOD_HU
    found = {}
    for vessel in vessels:
        peaks = _peaks(vessel.hu, np.cos(THETA), np.sin(THETA), RADII_MM, SPACING_ACROSS)
        ring = np.percentile(maximum_filter1d(peaks, RING_SECTIONS, axis=0), FAINTEST, axis=1)
        edges = np.flatnonzero(np.diff(np.r_[0, uniform_filter1d(ring, RING_SECTIONS) > limit, 0]))
        runs: list[list[int]] = []
        for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if runs and first - runs[-1][1] < GAP_SECTIONS:
                runs[-1][1] = after
            else:
                runs.append([first, after])
        long = [
            (a * SPACING_ALONG, (b - 1) * SPACING_ALONG)
            for a, b in runs
            if (b - a) * SPACING_ALONG >= SHORTEST_MM
        ]
        if long:
            found[vessel.vessel] = tuple(long)
    return found
