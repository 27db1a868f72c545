"""One rule of geometric likeness: two headers say the same where no voxel of the image moves by more than 0.1 mm.

Numbers are compared as numbers. Digits that were cut in writing are no difference, as long as the cut could move no voxel
by more than one pixel; of two spellings of one number the one with more digits counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from inference.scan.values import Written, number, written

HARMLESS_MM = 0.1  # headers round positions; a fifth of a usual slice distance


def same_spacing(a: Sequence[Written], b: Sequence[Written], pixels: Sequence[int]) -> bool:
    """Whether two pixel spacings are one, over an image of so many rows and columns.

    A difference is none where it moves the last pixel by at most 0.1 mm, or where it lies in the digits that one of the
    two lacks and moves the last pixel by at most one pixel.
    """
    if len(a) != len(b) or len(a) != len(pixels):
        return False
    for x, y, count in zip(a, b, pixels, strict=True):
        off = abs(x.value - y.value)
        cut = off <= x.half_step + y.half_step and off * count <= min(x.value, y.value)
        if off * count > HARMLESS_MM and not cut:
            return False
    return True


def same_orientation(a: Sequence[Written], b: Sequence[Written], reach_mm: float) -> bool:
    """Whether two image orientations are one: the corner at ``reach_mm`` moves by at most 0.1 mm, or by cut digits.

    Cut digits may move a corner by a millimetre at most; that is a pixel or two.
    """
    if len(a) != 6 or len(b) != 6:
        return False
    off = np.array([abs(x.value - y.value) for x, y in zip(a, b, strict=True)])
    if max(float(np.linalg.norm(off[:3])), float(np.linalg.norm(off[3:]))) * reach_mm <= HARMLESS_MM:
        return True
    cut = all(o <= x.half_step + y.half_step for o, x, y in zip(off, a, b, strict=True))
    return cut and float(off.max()) * reach_mm <= 10 * HARMLESS_MM


def same_image_plane(a: Dataset, b: Dataset) -> str:
    """Return the keyword in which two settled headers' planes differ; empty where they are alike.

    Looks at Rows, Columns, PixelSpacing and ImageOrientationPatient; headers that lack one both are alike in it.
    """
    for keyword in ("Rows", "Columns"):
        if number(a, keyword) != number(b, keyword):
            return keyword
    size = [int(number(a, keyword) or 0) for keyword in ("Rows", "Columns")]
    spacing = written(a, "PixelSpacing"), written(b, "PixelSpacing")
    if any(spacing) and not same_spacing(*spacing, size):
        return "PixelSpacing"
    turn = written(a, "ImageOrientationPatient"), written(b, "ImageOrientationPatient")
    reach = max((x.value * n for x, n in zip(spacing[0], size, strict=False)), default=0.0)
    if any(turn) and not same_orientation(*turn, reach):
        return "ImageOrientationPatient"
    return ""


def finest(headers: Sequence[Dataset], keyword: str) -> tuple[Written, ...]:
    """Return the numbers of like headers from the one that writes them with most digits; the first of several such."""
    found = [x for header in headers if (x := written(header, keyword))]
    return min(found, key=lambda numbers: max(x.half_step for x in numbers))


def cut_mm(places: Sequence[Sequence[Written]]) -> np.ndarray:
    """Return (3,) by how many mm the writing of positions may have moved each coordinate: half of its last digit.

    The most digits that any image has count: many write −20.0 as −20. A coordinate that stands still was not moved.
    """
    half = np.array([[x.half_step for x in place] for place in places]).min(axis=0)
    value = np.array([[x.value for x in place] for place in places])
    return np.where(np.ptp(value, axis=0) > 0, half, 0.0)
