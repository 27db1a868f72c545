"""A simulated reader study: lesions of 275 patients as read by an expert, a second expert and a network.

Per lesion the expert's total plaque volume is lognormal; the other reads have the published bias and SD against it.
The SD grows with √volume and a volume is never negative: a read is gamma distributed with mean v + bias and
variance c²·v, so that over all lesions the differences have exactly the published mean and SD.
Diameter stenosis has no published margin for such a study: its constants below are this module's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.metrics import TERRITORIES
from analytics.simulation.copula import gaussian_copula

Array = NDArray[np.float64]

PATIENTS = 275
LESIONS_PER_PATIENT = 6.9
VOLUME_LOG_MEAN, VOLUME_LOG_SD = 3.88, 1.28
MEAN_VOLUME = float(np.exp(VOLUME_LOG_MEAN + VOLUME_LOG_SD**2 / 2))
NETWORK_BIAS, NETWORK_SD = 5.4, 61.0
SECOND_EXPERT_BIAS, SECOND_EXPERT_SD = -23.5, 92.0
"""Expert minus second expert is 23.5 mm³."""

# Ours: stenosis 100·Beta(1.3, 2.7) (mean 32 %), correlated with volume as in the cohort; the network's error gives
# the published ICC of 0.88, the second expert's is a little larger.
STENOSIS_A, STENOSIS_B, STENOSIS_VOLUME_CORRELATION = 1.3, 2.7, 0.35
STENOSIS_NETWORK_SD, STENOSIS_EXPERT_SD = 11.0, 13.0
TERRITORY_SHARES = (0.45, 0.25, 0.30)
READS = ("expert", "second_expert", "network")


@dataclass(frozen=True)
class ReaderStudy:
    """Lesions of a simulated reader study.

    patient, territory, lesion : (lesions,) lesion counts from 1 within a patient
    volume, stenosis : read name → (lesions,) mm³ and %
    patients : every patient, also those without a lesion
    """

    patients: tuple[str, ...]
    patient: tuple[str, ...]
    territory: tuple[str, ...]
    lesion: NDArray[np.int64]
    volume: dict[str, Array]
    stenosis: dict[str, Array]
    seed: int

    label = "simulated"

    def table(self) -> dict[str, Any]:
        """Long table: one row per lesion and read, with the label in every row."""
        n = len(self.patient)
        return {
            "patient": [p for _ in READS for p in self.patient],
            "cohort": [self.label] * (n * len(READS)),
            "vessel": [t for _ in READS for t in self.territory],
            "lesion": np.tile(self.lesion, len(READS)),
            "read": [read for read in READS for _ in range(n)],
            "total_plaque_volume": np.concatenate([self.volume[read] for read in READS]),
            "diameter_stenosis": np.concatenate([self.stenosis[read] for read in READS]),
        }


def simulate_reader_study(*, seed: int = 275, patients: int = PATIENTS) -> ReaderStudy:
    """Draw a reader study of ``patients`` patients with Poisson(6.9) lesions each."""
    rng = np.random.default_rng([seed, 3])
    names = tuple(f"SIM-R{i:0{len(str(patients))}d}" for i in range(1, patients + 1))
    counts = rng.poisson(LESIONS_PER_PATIENT, patients)
    n = int(counts.sum())
    lesion = np.concatenate([np.arange(1, c + 1) for c in counts]) if n else np.empty(0, np.int64)
    r = STENOSIS_VOLUME_CORRELATION
    u = gaussian_copula(rng, np.array([[1, r], [r, 1]]), n)
    expert = np.exp(VOLUME_LOG_MEAN + VOLUME_LOG_SD * special.ndtri(u[:, 0]))
    stenosis = 100 * special.betaincinv(STENOSIS_A, STENOSIS_B, u[:, 1])
    return ReaderStudy(
        patients=names,
        patient=tuple(name for name, c in zip(names, counts, strict=True) for _ in range(c)),
        territory=tuple(TERRITORIES[i] for i in rng.choice(len(TERRITORIES), n, p=TERRITORY_SHARES)),
        lesion=lesion,
        volume={
            "expert": expert,
            "second_expert": gamma_read(rng, expert, SECOND_EXPERT_BIAS, SECOND_EXPERT_SD),
            "network": gamma_read(rng, expert, NETWORK_BIAS, NETWORK_SD),
        },
        stenosis={
            "expert": stenosis,
            "second_expert": np.clip(stenosis + rng.normal(0, STENOSIS_EXPERT_SD, n), 0, 99.9),
            "network": np.clip(stenosis + rng.normal(0, STENOSIS_NETWORK_SD, n), 0, 99.9),
        },
        seed=seed,
    )


def gamma_read(
    rng: np.random.Generator, volume: Array, bias: float, sd: float, *, mean_volume: float = MEAN_VOLUME
) -> Array:
    """A read with mean difference ``bias`` and SD ``sd``, its SD growing with √volume, never negative.

    A negative bias is proportional to the volume, as a fixed one would take small lesions below zero.
    ``mean_volume`` is that of the lesions over which bias and SD shall hold.
    """
    mean = volume + bias if bias >= 0 else volume * (1 + bias / mean_volume)
    spread_of_means = (
        0.0 if bias >= 0 else (bias / mean_volume) ** 2 * (np.exp(VOLUME_LOG_SD**2) - 1) * mean_volume**2
    )
    variance = (sd**2 - spread_of_means) / mean_volume * volume
    result: Array = rng.gamma(mean**2 / variance, variance / mean)
    return result
