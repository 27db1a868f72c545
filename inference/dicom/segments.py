"""Vessels on the CT's grid → the segments of a segmentation: one a label, one a lesion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.sr.coding import Code

from inference.dicom.codes import CORONARY, LABELS, site
from inference.dicom.labels import VesselVoxels
from inference.dicom.making import Making
from inference.quantification import Measurement

RowKey = tuple[str, str, str, int | None]


@dataclass(frozen=True)
class Segment:
    """One segment; its number is its place in the list, from 1.

    Parameters
    ----------
    label : a key of ``codes.LABELS``. site : where it lies.
    name : what a person reads, and its tracking identifier. tracking_uid : what the report names it by.
    keys : (N,) voxels, rising, never empty.
    """

    label: str
    site: Code
    name: str
    tracking_uid: str
    keys: np.ndarray


def row_of(measurement: Measurement) -> RowKey:
    """Return which row of the table a measurement belongs to."""
    return measurement.level, measurement.vessel, measurement.segment, measurement.lesion


def tracking(making: Making, level: str, vessel: str, segment: str, lesion: int | None) -> tuple[str, str]:
    """Return identifier and UID of what is tracked: a lesion (wherever it is narrowest), a segment, a vessel and so on."""
    words = {
        "lesion": f"{vessel} lesion {lesion}",
        "segment": f"{vessel} segment {segment}",
        "vessel": f"{vessel}",
        "territory": f"territory {vessel}",
        "patient": "patient",
    }
    return words[level], making.uid("tracking", words[level])


def segments_of(
    vessels: Sequence[VesselVoxels], measurements: Iterable[Measurement], making: Making
) -> list[Segment]:
    """Return the segments that have any voxel: labels over all vessels, then each lesion.

    Vessels overlap where a branch leaves its parent: there plaque goes before lumen, and lumen before wall.
    """
    narrowest = {(m.vessel, m.lesion): m.segment for m in measurements if m.level == "lesion"}
    found = []
    for label, keys in _unions(vessels).items():
        if len(keys):
            found.append(Segment(label, CORONARY, LABELS[label].name, making.uid("tracking", label), keys))
    for vessel in vessels:
        for lesion in vessel.lesions:
            if not len(lesion.plaque):
                continue
            segment = narrowest.get((vessel.vessel, lesion.number), "")
            words, uid = tracking(making, "lesion", vessel.vessel, segment, lesion.number)
            found.append(Segment("lesion", site(vessel.vessel, segment), words, uid, lesion.plaque))
    return found


def _unions(vessels: Sequence[VesselVoxels]) -> Mapping[str, np.ndarray]:
    """Voxels of each label over all vessels."""
    lesions = [lesion for vessel in vessels for lesion in vessel.lesions]
    plaque = _union(x.plaque for x in lesions)
    calcified = _union(x.calcified for x in lesions)
    lumen = np.setdiff1d(_union(x.lumen for x in vessels), plaque, assume_unique=True)
    wall = np.setdiff1d(_union(x.wall for x in vessels), lumen, assume_unique=True)
    low = _union(x.low_attenuation for x in lesions)
    return {
        "lumen": lumen,
        "wall": wall,
        "calcified": calcified,
        "noncalcified": np.setdiff1d(plaque, calcified, assume_unique=True),
        "low_attenuation": np.setdiff1d(low, calcified, assume_unique=True),
    }


def _union(many: Iterable[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate([np.empty(0, np.int64), *many]))
