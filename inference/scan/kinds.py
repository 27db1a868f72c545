"""What an image is by its header: a slice of a scan, or something that only looks like one."""

from __future__ import annotations

from pydicom.dataset import Dataset

LOCALISERS = frozenset({"LOCALIZER", "LOCALISER", "SCOUT", "TOPOGRAM"})
REFORMATS = frozenset({"MPR", "REFORMATTED", "RESAMPLED"})
PROJECTIONS = frozenset(
    {
        "MIP",
        "MINIP",
        "MAX_IP",
        "MIN_IP",
        "MAXIMUM",
        "MINIMUM",
        "PROJECTION IMAGE",
        "CPR",
        "CURVED",
        "VRT",
        "VOLREN",
        "SSD",
    }
)
"""Words of ImageType (PS3.3, C.8.2.1.1.1 and C.8.16.1, and what vendors add) by what they mean for HU on a grid."""


def image_words(header: Dataset) -> frozenset[str]:
    """Return the words of ImageType in capitals."""
    value = header.get("ImageType")
    values = [value] if isinstance(value, str) else list(value or [])
    return frozenset(str(x).strip().upper() for x in values)


def is_localiser(header: Dataset) -> bool:
    """Whether an image is a localiser: a projection through the patient, for planning."""
    return bool(image_words(header) & LOCALISERS)


def is_reformat(header: Dataset) -> bool:
    """Whether an image was cut out of another series; its values were interpolated once already."""
    return bool(image_words(header) & REFORMATS)


def is_projection(header: Dataset) -> bool:
    """Whether an image's values are no HU of a place: the highest along a ray, a rendering, a curved plane."""
    return bool(image_words(header) & PROJECTIONS)
