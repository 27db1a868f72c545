"""A SCOT-HEART-like cohort: plaque volume, stenosis, risk score and myocardial infarction of 1,611 patients.

Margins, copula and hazards are fixed below; a seed draws patients and follow-up. The demonstration's seeds were
searched (``search_published_counts``) until the counts of the publication hold, and are stored beside this file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.errors import AnalyticsError
from analytics.simulation.copula import even_ranks, gaussian_copula

Array = NDArray[np.float64]

PATIENTS = 1611
VOLUME_CUT_OFF = 238.5
STENOSIS_CUT_OFF = 50.0

# Order: total plaque volume, diameter stenosis, ASSIGN score, low-attenuation plaque burden.
CORRELATION = np.array(
    [[1.0, 0.35, 0.45, 0.50], [0.35, 1.0, 0.30, 0.65], [0.45, 0.30, 1.0, 0.34], [0.50, 0.65, 0.34, 1.0]]
)
ZERO_VOLUME_SHARE = 0.25
VOLUME_LOG_MEAN, VOLUME_LOG_SD = 6.164, 1.0
ASSIGN_LOG_MEAN, ASSIGN_LOG_SD = 2.631, 0.636
BURDEN_SHAPE, BURDEN_SCALE = 3.4, 1.774
FOLLOW_UP_START, FOLLOW_UP_SPAN, FOLLOW_UP_A, FOLLOW_UP_B = 3.27, 3.85, 0.978, 1.393
BASE_HAZARD = 8.3e-4
VOLUME_HAZARD_RATIO, STENOSIS_HAZARD_RATIO, ASSIGN_LOG_HAZARD = 5.36, 2.49, 0.01
ASSIGN_CENTRE = 17.0


@dataclass(frozen=True)
class PublishedCounts:
    """Patients and events at or above the two cut-offs (Lin et al. 2022)."""

    high_volume: int = 911
    high_volume_events: int = 37
    low_volume_events: int = 4
    high_stenosis: int = 600
    high_stenosis_events: int = 27
    low_stenosis_events: int = 14

    def distance(self, other: PublishedCounts) -> int:
        """Sum of absolute differences."""
        mine, theirs = vars(self), vars(other)
        return sum(abs(mine[k] - theirs[k]) for k in mine)


@dataclass(frozen=True)
class Cohort:
    """Simulated patients, one entry per patient.

    total_plaque_volume (mm³), diameter_stenosis (%), low_attenuation_plaque_burden (%), assign (ASSIGN score, %),
    follow_up (years), event (0/1: myocardial infarction)
    """

    patient: tuple[str, ...]
    total_plaque_volume: Array
    diameter_stenosis: Array
    low_attenuation_plaque_burden: Array
    assign: Array
    follow_up: Array
    event: Array
    seed: int
    outcome_seed: int
    note: str

    label = "simulated"

    def counts(self) -> PublishedCounts:
        """The counts that the publication prints."""
        volume = self.total_plaque_volume >= VOLUME_CUT_OFF
        stenosis = self.diameter_stenosis >= STENOSIS_CUT_OFF
        event = self.event == 1
        return PublishedCounts(
            int(volume.sum()),
            int((volume & event).sum()),
            int((~volume & event).sum()),
            int(stenosis.sum()),
            int((stenosis & event).sum()),
            int((~stenosis & event).sum()),
        )

    def table(self) -> dict[str, Any]:
        """Columns of the wide table, with the label in every row."""
        return {
            "patient": list(self.patient),
            "cohort": [self.label] * len(self.patient),
            "total_plaque_volume": self.total_plaque_volume,
            "diameter_stenosis": self.diameter_stenosis,
            "low_attenuation_plaque_burden": self.low_attenuation_plaque_burden,
            "assign": self.assign,
            "follow_up_years": self.follow_up,
            "myocardial_infarction": self.event.astype(int),
        }


def simulate_cohort(
    *, seed: int, outcome_seed: int | None = None, patients: int = PATIENTS, note: str = ""
) -> Cohort:
    """Draw a cohort. ``outcome_seed`` (default: ``seed``) draws follow-up and events apart from the patients."""
    outcome_seed = seed if outcome_seed is None else outcome_seed
    volume, stenosis, burden, assign = draw_patients(seed, patients)
    follow_up, event = draw_outcomes(outcome_seed, volume, stenosis, assign)
    return Cohort(
        patient=tuple(f"SIM-{i:0{len(str(patients))}d}" for i in range(1, patients + 1)),
        total_plaque_volume=volume,
        diameter_stenosis=stenosis,
        low_attenuation_plaque_burden=burden,
        assign=assign,
        follow_up=follow_up,
        event=event,
        seed=seed,
        outcome_seed=outcome_seed,
        note=note or f"simulated, seed {seed}",
    )


def draw_patients(seed: int, patients: int) -> tuple[Array, Array, Array, Array]:
    """Volume, stenosis, low-attenuation burden and ASSIGN score."""
    u = gaussian_copula(np.random.default_rng([seed, 1]), CORRELATION, patients)
    diseased = u[:, 0] >= ZERO_VOLUME_SHARE
    volume, stenosis, burden = np.zeros(patients), np.zeros(patients), np.zeros(patients)
    share = (u[diseased, 0] - ZERO_VOLUME_SHARE) / (1 - ZERO_VOLUME_SHARE)
    volume[diseased] = np.exp(VOLUME_LOG_MEAN + VOLUME_LOG_SD * special.ndtri(share))
    stenosis[diseased] = 100 * special.betaincinv(2, 2, even_ranks(u[diseased, 1]))
    burden[diseased] = BURDEN_SCALE * special.gammaincinv(BURDEN_SHAPE, even_ranks(u[diseased, 3]))
    assign = np.exp(ASSIGN_LOG_MEAN + ASSIGN_LOG_SD * special.ndtri(u[:, 2]))
    return volume, stenosis, burden, assign


def draw_outcomes(seed: int, volume: Array, stenosis: Array, assign: Array) -> tuple[Array, Array]:
    """Years of follow-up and whether they ended with an event (constant hazards)."""
    rng = np.random.default_rng([seed, 2])
    censored_at = FOLLOW_UP_START + FOLLOW_UP_SPAN * rng.beta(FOLLOW_UP_A, FOLLOW_UP_B, len(volume))
    hazard = (
        BASE_HAZARD
        * np.where(volume >= VOLUME_CUT_OFF, VOLUME_HAZARD_RATIO, 1.0)
        * np.where(stenosis >= STENOSIS_CUT_OFF, STENOSIS_HAZARD_RATIO, 1.0)
        * np.exp(ASSIGN_LOG_HAZARD * (assign - ASSIGN_CENTRE))
    )
    event_at = rng.exponential(1.0, len(volume)) / hazard
    return np.minimum(event_at, censored_at), (event_at <= censored_at).astype(np.float64)


def demonstration_cohort() -> Cohort:
    """The cohort of the demonstration, from the stored seeds."""
    stored = json.loads((files("analytics.simulation") / "published_counts_seed.json").read_text())
    return simulate_cohort(seed=stored["seed"], outcome_seed=stored["outcome_seed"], note=stored["note"])


def search_published_counts(*, patient_seeds: int, outcome_seeds: int) -> tuple[int, int, int]:
    """Seeds whose cohort comes nearest to the published counts: (seed, outcome seed, distance).

    First the patients' seed whose numbers at or above the cut-offs are nearest, then the outcomes' seed.
    """
    target = PublishedCounts()

    def patient_distance(seed: int) -> int:
        volume, stenosis, _, _ = draw_patients(seed, PATIENTS)
        high_volume, high_stenosis = (volume >= VOLUME_CUT_OFF).sum(), (stenosis >= STENOSIS_CUT_OFF).sum()
        return int(abs(high_volume - target.high_volume) + abs(high_stenosis - target.high_stenosis))

    seed, nearest = 0, None
    for candidate in range(patient_seeds):
        found = patient_distance(candidate)
        if nearest is None or found < nearest:
            seed, nearest = candidate, found
        if found == 0:
            break
    volume, stenosis, _, assign = draw_patients(seed, PATIENTS)
    high_volume, high_stenosis = volume >= VOLUME_CUT_OFF, stenosis >= STENOSIS_CUT_OFF
    best: tuple[int, int] | None = None
    for candidate in range(outcome_seeds):
        event = draw_outcomes(candidate, volume, stenosis, assign)[1] == 1
        counts = PublishedCounts(
            int(high_volume.sum()),
            int((high_volume & event).sum()),
            int((~high_volume & event).sum()),
            int(high_stenosis.sum()),
            int((high_stenosis & event).sum()),
            int((~high_stenosis & event).sum()),
        )
        distance = counts.distance(target)
        if best is None or distance < best[1]:
            best = (candidate, distance)
        if distance == 0:
            break
    if best is None:
        raise AnalyticsError(f"No cohort was tried for seed {seed}.")
    return seed, best[0], best[1]
