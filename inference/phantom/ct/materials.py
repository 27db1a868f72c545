"""What a scene in HU is made of: water-like tissue, iodine, hydroxyapatite; each weakens a beam in its own way.

A scene's calcium says at 120 kVp how dense it is (``DRAWN_KVP``); at the scan's voltage it reads otherwise, and the truth's
tables hold what it reads there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.phantom.table import VesselTable

from .attenuation import beam

Image = NDArray[np.float32]
DRAWN_KVP = 120  # a table's calcium is drawn in HU of this voltage
CALCIUM_FROM_HU = (
    200.0  # wall tissue from here on holds calcium: above fibrous tissue, below the least drawn calcium
)
FIBROUS_HU = 80.0  # what calcium lies in: the middle of fibrous tissue
IODINE_FROM_HU = (
    60.0  # what is brighter without calcium is so by iodine: blood, and muscle that it flows through
)


@dataclass(frozen=True)
class Materials:
    """Three images on one grid: water-like tissue (HU, −1000 is nothing), iodine (HU it adds), calcium (mg/cc)."""

    tissue: Image
    iodine: Image
    calcium: Image

    def __post_init__(self) -> None:
        if not self.tissue.shape == self.iodine.shape == self.calcium.shape:
            raise ValueError("the images of the three materials must have one shape")


def without_calcium(table: VesselTable) -> VesselTable:
    """The same vessel with fibrous tissue where it holds calcium."""
    hu = np.where(table.hu >= CALCIUM_FROM_HU, np.float32(FIBROUS_HU), table.hu)
    return replace(table, hu=hu)


def at_voltage(table: VesselTable, kvp: int) -> VesselTable:
    """The table as it reads at a tube voltage, with the density of its calcium (mg/cc) beside it."""
    calcium = np.where(
        table.hu >= CALCIUM_FROM_HU, (table.hu - FIBROUS_HU) / beam(DRAWN_KVP).hu_per_mg_cc, 0.0
    ).astype(np.float32)
    hu = np.where(calcium > 0, FIBROUS_HU + calcium * beam(kvp).hu_per_mg_cc, table.hu)
    return replace(table, hu=hu.astype(np.float32), calcium=calcium)


def materials_of(whole: Image, soft: Image) -> Materials:
    """Split a scene (HU at ``DRAWN_KVP``) by means of the same scene with soft tissue in place of calcium and bone."""
    tissue = np.minimum(soft, np.float32(IODINE_FROM_HU))
    calcium = np.maximum(whole - soft, np.float32(0)) / np.float32(beam(DRAWN_KVP).hu_per_mg_cc)
    return Materials(tissue=tissue, iodine=soft - tissue, calcium=calcium)
