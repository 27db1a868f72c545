"""A whole simulated study as a freeze: the SCOT-HEART-like cohort beside the reader studies, at any scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics import __version__
from analytics.freeze import About, write_freeze
from analytics.freeze.schema import END_OF_FOLLOW_UP
from analytics.metrics import TERRITORY_OF
from analytics.simulation.cohort import (
    ASSIGN_LOG_MEAN,
    ASSIGN_LOG_SD,
    PATIENTS,
    Cohort,
    demonstration_cohort,
    simulate_cohort,
)
from analytics.simulation.lesion_places import Lesions
from analytics.simulation.lesion_reads import cadrads, plaque_stage
from analytics.simulation.pair_tables import simulate_pairs
from analytics.simulation.people import (
    PLAN,
    CohortPlan,
    covariate_rows,
    excluded_rows,
    patient_rows,
    quality_rows,
    read_rows,
)
from analytics.simulation.pictures import simulated_panels
from analytics.simulation.reader_study import simulate_reader_study

Flags = NDArray[np.bool_]
DEATHS_PER_YEAR = 0.006
MADE = "2026-01-01"
"""A simulation has no date of its own; one fixed date keeps the bytes the same."""

READER_SEED = 32
"""Reader study of the demonstration: the first seed whose 275 patients have 1,901 lesions, as in the publication."""


def simulate_freeze(out: Path, *, seed: int | None = None, patients: int = PATIENTS, made: str = MADE) -> str:
    """Write a simulated freeze and return its hash.

    Parameters
    ----------
    seed : None for the demonstration's seeds, which were chosen to match the published counts
    patients : size of the prognostic cohort; the other cohorts keep their proportion to 1,611
    """
    scale = patients / PATIENTS
    if seed is None and patients == PATIENTS:
        cohort, study_seed = demonstration_cohort(), READER_SEED
    else:
        cohort = simulate_cohort(seed=seed or 0, patients=patients)
        study_seed = seed or 0
    rng = np.random.default_rng([study_seed, 7])
    sizes = {plan.name: max(1, round(plan.patients * scale)) for plan in PLAN}
    readers = sizes["external"] + sizes["invasive-ica"] + sizes["invasive-ivus"]
    study = simulate_reader_study(seed=study_seed, patients=readers)
    subsets = _subsets(rng, sizes, readers)
    pairs, lesions = simulate_pairs(rng, study, subsets)
    people = _people(rng, sizes, cohort, lesions)
    tables: dict[str, Any] = {"patients": people, **pairs}
    tables["covariates"] = covariate_rows(rng, people[~people["excluded"]])
    tables["reads"] = _reads(rng, np.asarray(study.patients, object), subsets, cohort)
    tables["markers"] = _markers(rng, cohort)
    tables["outcomes"] = _outcomes(rng, cohort)
    tables["quality"] = quality_rows(rng, people)
    tables["disagreement"] = _disagreement(rng, pairs["patient_pairs"], tables["reads"])
    tables["ratings"] = _ratings(rng, pairs["territory_pairs"])
    tables["panels"], files = simulated_panels(rng, pairs["lesion_pairs"])
    about = About(
        study="Simulated study",
        made=made,
        simulated=True,
        note=cohort.note,
        profile="simulated",
        charter={"version": 1, "discordance": DISCORDANCE, "cadrads": "lin2022"},
        roll_up={vessel: TERRITORY_OF[vessel] for vessel in ("LM", "RI")},
        software={"analytics": __version__, "network": "simulated"},
        seed=seed or 20_220_401,
    )
    return write_freeze(tables, about, out, files=files)


DISCORDANCE = "total plaque volume differs by > 25 % of the mean and > 90 mm³, or CAD-RADS lies on different sides of 50 or 70 %, or plaque stage differs"


def _subsets(rng: np.random.Generator, sizes: dict[str, int], readers: int) -> dict[str, Flags]:
    """Which patients of the reader study have which pair."""

    def some(number: int) -> Flags:
        chosen = np.zeros(readers, bool)
        chosen[rng.choice(readers, min(number, readers), replace=False)] = True
        return chosen

    place = np.arange(readers)
    external, ica = sizes["external"], sizes["invasive-ica"]
    share = readers / 275
    return {
        "expert_expert": some(max(2, round(100 * share))),
        "repeat": some(max(2, round(28 * share))),
        "centreline": some(max(2, round(30 * share))),
        "assisted": some(max(2, round(40 * share))),
        "network_ica": (place >= external) & (place < external + ica),
        "network_ivus": place >= external + ica,
    }


def _people(
    rng: np.random.Generator, sizes: dict[str, int], cohort: Cohort, lesions: Lesions
) -> pd.DataFrame:
    frames, start = [], 0
    counts = np.bincount(lesions.patient, minlength=len(lesions.names))
    for plan in PLAN:
        size = sizes[plan.name]
        if plan.purpose == "prognostic":
            rows = patient_rows(rng, list(cohort.patient), plan, None, cohort.assign)
        elif plan.purpose == "training":
            names = [f"SIM-T{plan.name[-1]}-{i:0{len(str(size))}d}" for i in range(1, size + 1)]
            rows = patient_rows(rng, names, plan, _spread(rng, plan, size), _assign(rng, size))
        else:
            part = slice(start, start + size)
            rows = patient_rows(rng, list(lesions.names[part]), plan, counts[part], _assign(rng, size))
            start += size
        frames.append(rows)
    included = pd.concat(frames, ignore_index=True)
    return pd.concat([included, excluded_rows(rng, included, "SIM-X")], ignore_index=True)


def _spread(rng: np.random.Generator, plan: CohortPlan, size: int) -> NDArray[np.int64]:
    """Lesions of a training cohort: its published number, spread over its patients."""
    lesions = round(plan.lesions * size / plan.patients)
    return rng.multinomial(lesions, np.full(size, 1 / size)).astype(np.int64)


def _assign(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.minimum(np.exp(rng.normal(ASSIGN_LOG_MEAN, ASSIGN_LOG_SD, n)), 99.0)


def _reads(
    rng: np.random.Generator, names: NDArray[Any], subsets: dict[str, Flags], cohort: Cohort
) -> pd.DataFrame:
    everyone = np.concatenate([names, np.asarray(cohort.patient, object)])
    frames = [read_rows(rng, everyone, "network"), read_rows(rng, names, "expert")]
    for kind, subset in (
        ("second_expert", "expert_expert"),
        ("repeat", "repeat"),
        ("assisted", "assisted"),
        ("centreline_a", "centreline"),
        ("centreline_b", "centreline"),
        ("ica", "network_ica"),
        ("clinical", "network_ica"),
        ("ivus", "network_ivus"),
    ):
        frames.append(read_rows(rng, names[subsets[subset]], kind))
    return pd.concat(frames, ignore_index=True)


def _markers(rng: np.random.Generator, cohort: Cohort) -> pd.DataFrame:
    """Whole-patient measurements: composition and vessel volume are ours, the rest is the cohort's."""
    volume, low_burden = cohort.total_plaque_volume, cohort.low_attenuation_plaque_burden
    n, diseased = len(volume), cohort.total_plaque_volume > 0
    calcified = rng.beta(0.9, 1.8, n)
    low_share = rng.beta(2.5, 9.0, n) * (1 - calcified)
    atheroma = np.where(diseased, np.clip(low_burden / np.maximum(low_share, 0.05), low_burden, 75.0), 0.0)
    vessel = np.where(diseased, 100 * volume / np.maximum(atheroma, 0.5), np.exp(rng.normal(7.4, 0.3, n)))
    low = low_burden * vessel / 100
    calcified = np.minimum(calcified * volume, volume - low)
    return pd.DataFrame(
        {
            "patient": cohort.patient,
            "total_plaque_volume": volume,
            "noncalcified_plaque_volume": volume - calcified,
            "calcified_plaque_volume": calcified,
            "low_attenuation_plaque_volume": low,
            "vessel_volume": vessel,
            "total_plaque_burden": 100 * volume / vessel,
            "noncalcified_plaque_burden": 100 * (volume - calcified) / vessel,
            "calcified_plaque_burden": 100 * calcified / vessel,
            "low_attenuation_plaque_burden": low_burden,
            "percent_atheroma_volume": 100 * volume / vessel,
            "diameter_stenosis": cohort.diameter_stenosis,
            "plaque_stage": plaque_stage(volume).astype(float),
            "cadrads": cadrads(cohort.diameter_stenosis),
        }
    )


def _outcomes(rng: np.random.Generator, cohort: Cohort) -> pd.DataFrame:
    """Myocardial infarctions of the cohort, and deaths among those without one, which end the follow-up."""
    names = np.asarray(cohort.patient, object)
    event = cohort.event == 1
    hazard = DEATHS_PER_YEAR * np.exp(0.03 * (cohort.assign - 17))
    death = rng.exponential(1.0, len(names)) / hazard
    died = ~event & (death < cohort.follow_up)
    end = np.where(died, death, cohort.follow_up)
    frames = [
        pd.DataFrame({"patient": names, "event": END_OF_FOLLOW_UP, "years": end}),
        pd.DataFrame({"patient": names[event], "event": "myocardial_infarction", "years": end[event]}),
        pd.DataFrame({"patient": names[died], "event": "death", "years": end[died]}),
    ]
    return pd.concat(frames, ignore_index=True).assign(source="simulated")


def _disagreement(rng: np.random.Generator, patient_pairs: pd.DataFrame, reads: pd.DataFrame) -> pd.DataFrame:
    """The discordance rule on the double reads; the adjudicator prefers the read nearer to the pair's mean of all."""
    both = patient_pairs[patient_pairs["pair"] == "expert_expert"]
    a, b = both["total_plaque_volume_first"].to_numpy(), both["total_plaque_volume_second"].to_numpy()
    gap = np.abs(a - b)
    volume = (gap > 0.25 * (a + b) / 2) & (gap > 90)
    grades = [both[f"diameter_stenosis_{side}"].to_numpy() for side in ("first", "second")]
    stenosis = np.logical_or.reduce([(grades[0] >= limit) != (grades[1] >= limit) for limit in (50, 70)])
    stage = both["plaque_stage_first"].to_numpy() != both["plaque_stage_second"].to_numpy()
    discordant = volume | stenosis | stage
    reason = np.select([volume, stenosis, stage], ["plaque volume", "stenosis", "plaque stage"], "")
    names = both["patient"].to_numpy()
    reader = reads.set_index("read")["reader"]
    second = reader.loc[[f"{name}:second_expert" for name in names]].to_numpy()
    # One of the second readers is overruled more often than the others.
    keeps_first = rng.random(len(names)) < np.where(second == "R4", 0.7, 0.5)
    chosen = np.where(rng.random(len(names)) < 0.08, 3, np.where(keeps_first, 1, 2)).astype(float)
    return pd.DataFrame(
        {
            "patient": names,
            "reader_1": reader.loc[[f"{name}:expert" for name in names]].to_numpy(),
            "reader_2": second,
            "discordant": discordant,
            "reason": np.where(discordant, reason, ""),
            "adjudicated": discordant,
            "chosen": np.where(discordant, chosen, np.nan),
            "day": np.sort(rng.integers(0, 700, len(names))),
        }
    )


def _ratings(rng: np.random.Generator, territory_pairs: pd.DataFrame) -> pd.DataFrame:
    """Four readers rate every territory with invasive angiography, unaided and aided by the network."""
    rows = territory_pairs[territory_pairs["pair"] == "network_ica"].dropna(
        subset=["diameter_stenosis_first", "diameter_stenosis_second"]
    )
    truth, network = rows["diameter_stenosis_first"].to_numpy(), rows["diameter_stenosis_second"].to_numpy()
    frames = []
    for reader, skill in (("R1", 14.0), ("R2", 17.0), ("R3", 20.0), ("R4", 24.0)):
        shared = rng.normal(0, 8, len(truth))
        alone = truth + shared + rng.normal(0, skill, len(truth))
        aided = 0.5 * alone + 0.5 * network + rng.normal(0, 5, len(truth))
        for modality, score in (("unaided", alone), ("aided", aided)):
            frames.append(
                pd.DataFrame(
                    {
                        "patient": rows["patient"].to_numpy(),
                        "territory": rows["territory"].to_numpy(),
                        "reader": reader,
                        "modality": modality,
                        "score": np.clip(np.round(score), 0, 100),
                        "diseased": truth >= 50,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)
