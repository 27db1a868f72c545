"""Simulated lesions with every metric, as a reference and other readers measure them.

A lesion is a few independent parts (total plaque volume, lumen volume, shares of composition, stenosis, reference
diameter, length …); all metrics derive from them, so that total = non-calcified + calcified and burden = plaque /
vessel hold in every read. Volumes and stenosis are those of :mod:`analytics.simulation.reader_study`; what has no
published margin (composition, lumen, length, remodelling, fat) is this module's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LesionParts:
    """Independent parts of n lesions in one read.

    volume, lumen_volume : mm³ · calcified, low_attenuation : share of total, of non-calcified plaque
    stenosis : % · reference_diameter, length : mm · remodelling : ratio · fat : HU
    """

    volume: Array
    lumen_volume: Array
    calcified: Array
    low_attenuation: Array
    stenosis: Array
    reference_diameter: Array
    length: Array
    remodelling: Array
    fat: Array

    def measurements(self) -> dict[str, Array]:
        """Every lesion metric by name."""
        calcified = self.volume * self.calcified
        noncalcified = self.volume - calcified
        low = noncalcified * self.low_attenuation
        vessel = self.lumen_volume + self.volume
        diameter = self.reference_diameter * (1 - self.stenosis / 100)
        area, reference = np.pi / 4 * diameter**2, np.pi / 4 * self.reference_diameter**2
        features = (self.remodelling >= 1.1).astype(float) + (
            self.low_attenuation * (1 - self.calcified) > 0.15
        )
        return {
            "total_plaque_volume": self.volume,
            "noncalcified_plaque_volume": noncalcified,
            "calcified_plaque_volume": calcified,
            "low_attenuation_plaque_volume": low,
            "vessel_volume": vessel,
            "lumen_volume": self.lumen_volume,
            "total_plaque_burden": 100 * self.volume / vessel,
            "noncalcified_plaque_burden": 100 * noncalcified / vessel,
            "calcified_plaque_burden": 100 * calcified / vessel,
            "low_attenuation_plaque_burden": 100 * low / vessel,
            "diameter_stenosis": self.stenosis,
            "area_stenosis": 100 * (1 - area / reference),
            "minimal_luminal_area": area,
            "reference_luminal_area": reference,
            "minimal_luminal_diameter": diameter,
            "reference_luminal_diameter": self.reference_diameter,
            "lesion_length": self.length,
            "remodelling_index": self.remodelling,
            "pericoronary_fat_attenuation": self.fat,
            "high_risk_features": features,
        }


@dataclass(frozen=True)
class ReadError:
    """How a read differs from the reference: SDs on each part's natural scale.

    shares : of the logit of both shares · lumen : of log lumen volume · stenosis : points · diameter : of log
    length : of log · remodelling : ratio · fat : HU
    """

    shares: float
    lumen: float
    diameter: float
    length: float
    remodelling: float
    fat: float


NETWORK = ReadError(shares=0.45, lumen=0.06, diameter=0.06, length=0.10, remodelling=0.06, fat=3.0)
SECOND_EXPERT = ReadError(shares=0.55, lumen=0.07, diameter=0.07, length=0.15, remodelling=0.08, fat=3.5)
REPEAT = ReadError(shares=0.35, lumen=0.05, diameter=0.05, length=0.10, remodelling=0.05, fat=2.5)
CENTRELINE = ReadError(shares=0.06, lumen=0.01, diameter=0.01, length=0.02, remodelling=0.01, fat=0.5)


def reference_lesions(rng: np.random.Generator, volume: Array, stenosis: Array) -> LesionParts:
    """Parts of lesions whose total plaque volume (mm³) and diameter stenosis (%) are given."""
    n = len(volume)
    score = (np.log(np.maximum(volume, 1e-3)) - 3.88) / 1.28
    burden = special.betaincinv(
        2.2, 3.2, special.ndtr(0.4 * score + np.sqrt(1 - 0.4**2) * rng.standard_normal(n))
    )
    vessel = volume / np.maximum(burden, 0.02)
    calcified = np.where(rng.random(n) < 0.15, 0.0, rng.beta(0.9, 1.8, n))
    return LesionParts(
        volume=volume,
        lumen_volume=vessel - volume,
        calcified=calcified,
        low_attenuation=rng.beta(1.3, 7.0, n),
        stenosis=stenosis,
        reference_diameter=np.exp(rng.normal(1.1, 0.16, n)),
        length=np.clip(vessel / np.exp(rng.normal(2.6, 0.2, n)), 1.5, 80.0),
        remodelling=np.maximum(rng.normal(1.05, 0.14, n), 0.5),
        fat=rng.normal(-75.0, 8.0, n),
    )


def other_read(
    rng: np.random.Generator, reference: LesionParts, error: ReadError, volume: Array, stenosis: Array
) -> LesionParts:
    """The same lesions in another read, whose volume and stenosis are given."""
    n = len(volume)

    def scaled(values: Array, sd: float) -> Array:
        result: Array = values * np.exp(rng.normal(0, sd, n) - sd**2 / 2)
        return result

    def share(values: Array) -> Array:
        shifted = special.expit(
            special.logit(np.clip(values, 1e-6, 1 - 1e-6)) + rng.normal(0, error.shares, n)
        )
        return np.where(values == 0, 0.0, shifted)

    return LesionParts(
        volume=volume,
        lumen_volume=scaled(reference.lumen_volume, error.lumen),
        calcified=share(reference.calcified),
        low_attenuation=share(reference.low_attenuation),
        stenosis=stenosis,
        reference_diameter=scaled(reference.reference_diameter, error.diameter),
        length=scaled(reference.length, error.length),
        remodelling=np.maximum(reference.remodelling + rng.normal(0, error.remodelling, n), 0.3),
        fat=reference.fat + rng.normal(0, error.fat, n),
    )


SUMMED = (
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
)
WORST = {"diameter_stenosis": np.maximum, "area_stenosis": np.maximum, "high_risk_features": np.maximum}
SMALLEST = ("minimal_luminal_area", "minimal_luminal_diameter")


def roll_up(
    lesions: Mapping[str, Array],
    group: NDArray[np.int64],
    groups: int,
    healthy_vessel: Array,
    healthy_lumen: Array,
) -> dict[str, Array]:
    """Sum lesions within groups (territories or patients); burdens are over all analysed vessel.

    healthy_vessel, healthy_lumen : (groups,) mm³ of vessel outside lesions. Areas and diameters of the lumen are
    NaN where a group has no lesion.
    """

    def total(name: str) -> Array:
        return np.bincount(group, weights=lesions[name], minlength=groups).astype(np.float64)

    found: dict[str, Array] = {name: total(name) for name in SUMMED}
    found["lumen_volume"] = total("lumen_volume") + healthy_lumen
    found["vessel_volume"] = total("vessel_volume") + healthy_vessel
    for name in SUMMED:
        found[name.replace("volume", "burden")] = 100 * found[name] / found["vessel_volume"]
    found["percent_atheroma_volume"] = found["total_plaque_burden"]
    for name, ufunc in WORST.items():
        found[name] = np.zeros(groups)
        ufunc.at(found[name], group, lesions[name])
    for name in SMALLEST:
        smallest = np.full(groups, np.inf)
        np.minimum.at(smallest, group, lesions[name])
        found[name] = np.where(np.isinf(smallest), np.nan, smallest)
    return found


def cadrads(stenosis: Array) -> NDArray[np.int64]:
    """CAD-RADS category of a diameter stenosis in per cent, profile ``lin2022``, never rounded first."""
    limits = np.array([1.0, 25.0, 50.0, 70.0, 100.0])
    return np.searchsorted(limits, stenosis, side="right").astype(np.int64)


def plaque_stage(volume: Array) -> NDArray[np.int64]:
    """Plaque stage of a patient's total plaque volume in mm³: 0, then above 0, 250 and 750."""
    return np.searchsorted(np.array([0.0, 250.0, 750.0]), volume, side="left").astype(np.int64)
