"""Where the lesions of a simulated reader study lie: vessel, segment, position, number along the vessel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.simulation.lesion_reads import LesionParts, reference_lesions
from analytics.simulation.reader_study import ReaderStudy

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# Vessels of each territory and how often a lesion lies there; the segments follow from the position along the vessel.
PATHS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "LAD": (("LM", "LAD", "D1"), (0.08, 0.77, 0.15)),
    "LCx": (("LCx", "OM1"), (0.75, 0.25)),
    "RCA": (("RCA", "R-PDA"), (0.90, 0.10)),
}
SEGMENTS: dict[str, tuple[int, ...]] = {
    "LM": (5,),
    "LAD": (6, 7, 8),
    "D1": (9,),
    "LCx": (11, 13),
    "OM1": (12,),
    "RCA": (1, 2, 3),
    "R-PDA": (4,),
}
PATH_LENGTH = 120.0


@dataclass(frozen=True)
class Lesions:
    """Lesions of a reader study with the reference parts and where they lie.

    patient : index into ``names`` · vessel, territory : texts · number : along the vessel from 1
    """

    names: tuple[str, ...]
    patient: Index
    territory: NDArray[Any]
    vessel: NDArray[Any]
    segment: Index
    number: Index
    position: Array
    parts: LesionParts

    def frame(self, keep: NDArray[Any] | slice = slice(None)) -> pd.DataFrame:
        """Identity columns of the chosen lesions."""
        return pd.DataFrame(
            {
                "patient": np.asarray(self.names, object)[self.patient[keep]],
                "vessel": self.vessel[keep],
                "territory": self.territory[keep],
                "segment": self.segment[keep],
                "first_lesion": self.number[keep].astype(float),
                "second_lesion": self.number[keep].astype(float),
                "position": np.round(self.position[keep], 1),
            }
        )


def place_lesions(rng: np.random.Generator, study: ReaderStudy) -> Lesions:
    """Give each lesion of a reader study a vessel, a segment, a position and a number along its vessel."""
    n = len(study.patient)
    numbering = {name: i for i, name in enumerate(study.patients)}
    patient = np.fromiter((numbering[p] for p in study.patient), np.int64, n)
    territory = np.asarray(study.territory, object)
    vessel = np.empty(n, object)
    for name, (paths, shares) in PATHS.items():
        inside = territory == name
        vessel[inside] = np.asarray(paths, object)[rng.choice(len(paths), int(inside.sum()), p=shares)]
    position = rng.uniform(3.0, PATH_LENGTH, n)
    segment = np.empty(n, np.int64)
    for name, segments in SEGMENTS.items():
        inside = vessel == name
        part = np.minimum((position[inside] / PATH_LENGTH * len(segments)).astype(int), len(segments) - 1)
        segment[inside] = np.asarray(segments)[part]
    order = np.lexsort((position, vessel.astype(str), patient))
    ordered = pd.DataFrame({"patient": patient[order], "vessel": vessel[order]})
    number = np.empty(n, np.int64)
    number[order] = ordered.groupby(["patient", "vessel"], sort=False).cumcount().to_numpy() + 1
    parts = reference_lesions(rng, study.volume["expert"], study.stenosis["expert"])
    return Lesions(study.patients, patient, territory, vessel, segment, number, position, parts)
