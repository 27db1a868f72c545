"""Simulated patients: sites, scanners, characteristics, exclusions, reads, quality and double reads.

Only numbers that the publication prints (patients and lesions per cohort, times) are taken from it; scanners,
characteristics and quality are this module's own. Sites and cohorts have neutral names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CohortPlan:
    """A cohort: purpose, patients and lesions at the publication's size, and the sites that sent them."""

    name: str
    purpose: str
    patients: int
    lesions: int
    sites: tuple[str, ...]


PLAN = (
    CohortPlan("training-1", "training", 300, 1643, ("S01",)),
    CohortPlan("training-2", "training", 200, 1096, ("S02",)),
    CohortPlan("training-3", "training", 150, 822, ("S03", "S04")),
    CohortPlan("training-4", "training", 121, 663, ("S05",)),
    CohortPlan("training-5", "training", 100, 547, ("S05", "S06")),
    CohortPlan("training-6", "training", 50, 274, ("S06",)),
    CohortPlan("external", "external_validation", 175, 1081, ("S07", "S08", "S09")),
    CohortPlan("invasive-ica", "test", 50, 410, ("S10",)),
    CohortPlan("invasive-ivus", "test", 50, 410, ("S11",)),
    CohortPlan("prognostic", "prognostic", 1611, 0, ("S07", "S08", "S09")),
)
"""921 training patients with 5,045 lesions, 275 test patients, 1,611 prognostic patients."""

SCANNERS = {
    "S01": ("Siemens", "SOMATOM Force", 100.0, "Bv40", 0.6),
    "S02": ("Siemens", "SOMATOM Definition", 120.0, "B26f", 0.75),
    "S03": ("GE", "Revolution CT", 120.0, "STANDARD", 0.625),
    "S04": ("GE", "Discovery CT750", 100.0, "STANDARD", 0.625),
    "S05": ("Canon", "Aquilion ONE", 120.0, "FC03", 0.5),
    "S06": ("Philips", "Brilliance iCT", 120.0, "XCB", 0.8),
    "S07": ("Canon", "Aquilion ONE", 100.0, "FC43", 0.5),
    "S08": ("Siemens", "Biograph mCT", 120.0, "B26f", 0.75),
    "S09": ("Philips", "Brilliance 64", 120.0, "XCB", 0.9),
    "S10": ("Siemens", "SOMATOM Definition", 120.0, "B26f", 0.75),
    "S11": ("GE", "LightSpeed VCT", 120.0, "STANDARD", 0.625),
}
EXCLUDED_SHARE = 0.03
EXCLUSIONS = {"uninterpretable image quality": 0.6, "incomplete coverage": 0.2, "no contrast": 0.2}
EXPERT_MINUTES, EXPERT_MINUTES_SD = 25.66, 6.79
GPU_SECONDS, GPU_SECONDS_SD = 5.65, 1.87
CPU_MINUTES, CPU_MINUTES_SD = 3.82, 0.77
READERS = ("R1", "R2", "R3", "R4")
NETWORK_VERSION = "network-1"
YEARS_OF_READING = 2


def patient_rows(
    rng: np.random.Generator,
    names: list[str],
    plan: CohortPlan,
    lesions: NDArray[np.int64] | None,
    assign: Array,
) -> pd.DataFrame:
    """Rows of the table patients for one cohort, none excluded."""
    n = len(names)
    site = np.asarray(plan.sites, object)[rng.integers(0, len(plan.sites), n)]
    rank = (np.argsort(np.argsort(assign)) + 0.5) / max(n, 1)
    age = np.clip(42 + 30 * rank + rng.normal(0, 5, n), 25, 90)
    frame = pd.DataFrame({"patient": names, "site": site, "cohort": plan.name, "purpose": plan.purpose})
    for column, place in (
        ("vendor", 0),
        ("scanner", 1),
        ("tube_voltage", 2),
        ("kernel", 3),
        ("slice_thickness", 4),
    ):
        frame[column] = [SCANNERS[s][place] for s in site]
    return frame.assign(
        state="final",
        excluded=False,
        exclusion_reason=None,
        lesions=np.nan if lesions is None else lesions.astype(float),
        image_quality=rng.choice([2, 3, 4, 5], n, p=[0.06, 0.24, 0.45, 0.25]),
        age=np.round(age, 1),
        sex=np.where(rng.random(n) < 0.58, "male", "female"),
        # The lognormal of the definitions passes 100 % about once in a thousand patients.
        assign_score=np.minimum(assign, 99.9),
        assign_version="1",
        presentation=np.where(rng.random(n) < 0.85, "stable chest pain", "acute coronary syndrome"),
    )


def excluded_rows(rng: np.random.Generator, rows: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Patients of the same cohorts who were left out, with the reason: 3 % of those who came."""
    n = round(len(rows) * EXCLUDED_SHARE / (1 - EXCLUDED_SHARE))
    left = rows.iloc[np.sort(rng.integers(0, len(rows), n))].reset_index(drop=True)
    return left.assign(
        patient=[f"{prefix}{i:0{len(str(n))}d}" for i in range(1, n + 1)],
        excluded=True,
        exclusion_reason=rng.choice(list(EXCLUSIONS), n, p=list(EXCLUSIONS.values())).astype(object),
        image_quality=1,
        lesions=np.nan,
        state="refused",
    )


def covariate_rows(rng: np.random.Generator, patients: pd.DataFrame) -> pd.DataFrame:
    """Long table of further characteristics; 2 % of measured ones are missing."""
    n = len(patients)
    age = patients["age"].to_numpy(float)
    values = {
        "body_mass_index": (rng.normal(28.5, 4.8, n).clip(16), "kg/m²"),
        "systolic_blood_pressure": (rng.normal(100 + 0.55 * age, 16, n).clip(85), "mmHg"),
        "total_cholesterol": (rng.normal(5.3, 1.1, n).clip(2.5), "mmol/L"),
        "hdl_cholesterol": (rng.normal(1.35, 0.38, n).clip(0.5), "mmol/L"),
        "hypertension": ((rng.random(n) < 0.36).astype(float), "yes/no"),
        "diabetes": ((rng.random(n) < 0.12).astype(float), "yes/no"),
        "hyperlipidaemia": ((rng.random(n) < 0.55).astype(float), "yes/no"),
        "current_smoker": ((rng.random(n) < 0.19).astype(float), "yes/no"),
        "family_history": ((rng.random(n) < 0.42).astype(float), "yes/no"),
    }
    frames = []
    for name, (drawn, unit) in values.items():
        known = rng.random(n) > (0.02 if unit != "yes/no" else 0.0)
        digits = 0 if unit in ("mmHg", "yes/no") else 1
        frames.append(
            pd.DataFrame(
                {
                    "patient": patients["patient"].to_numpy()[known],
                    "name": name,
                    "value": np.round(drawn[known], digits),
                    "unit": unit,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def positive(rng: np.random.Generator, mean: float, sd: float, n: int) -> Array:
    """Take n draws of a gamma distribution with that mean and SD."""
    return rng.gamma((mean / sd) ** 2, sd**2 / mean, n)


def read_rows(rng: np.random.Generator, names: NDArray[Any], kind: str) -> pd.DataFrame:
    """One read of ``kind`` for every name, with times; readers get faster over their first reads."""
    n = len(names)
    frame = pd.DataFrame({"read": [f"{name}:{kind}" for name in names], "patient": names, "kind": kind})
    frame["saw_network"] = kind == "assisted"
    order = rng.permutation(n)
    frame["day"] = np.sort(rng.integers(0, 365 * YEARS_OF_READING, n))[np.argsort(order)]
    if kind in ("network", "centreline_a", "centreline_b"):
        frame["reader"] = NETWORK_VERSION
        frame["seconds_gpu"] = positive(rng, GPU_SECONDS, GPU_SECONDS_SD, n)
        frame["seconds_cpu"] = 60 * positive(rng, CPU_MINUTES, CPU_MINUTES_SD, n)
        return frame
    if kind in ("ivus", "ica", "clinical"):
        frame["reader"] = {"ivus": "U1", "ica": "I1", "clinical": "C1"}[kind]
        return frame
    readers = READERS[:2] if kind in ("expert", "repeat") else READERS[2:]
    reader = rng.integers(0, len(readers), n)
    frame["reader"] = np.asarray(readers, object)[reader]
    frame["order"] = frame.sort_values("day", kind="stable").groupby("reader").cumcount().add(1)
    minutes = positive(rng, EXPERT_MINUTES, EXPERT_MINUTES_SD, n) * (
        1 + 0.35 * np.exp(-frame["order"].to_numpy() / 15)
    )
    if n > 1:
        minutes = EXPERT_MINUTES + EXPERT_MINUTES_SD * (minutes - minutes.mean()) / minutes.std()
    frame["minutes"] = np.maximum(minutes, 5.0) * (0.35 if kind == "assisted" else 1.0)
    if kind == "assisted":
        frame["share_changed"] = 100 * rng.beta(1.2, 8, n)
    return frame


def quality_rows(rng: np.random.Generator, patients: pd.DataFrame) -> pd.DataFrame:
    """Exam and vessel rows of the queue; one site's uncertainty drifts upwards over the second year."""
    n = len(patients)
    day = rng.integers(0, 365 * YEARS_OF_READING, n)
    left_out = patients["excluded"].to_numpy(bool)
    failed = rng.random(n) < np.where(left_out, 0.3, 0.012)
    drift = np.where((patients["site"] == "S08") & (day > 420), 1.6, 0.0)
    poor = (5 - patients["image_quality"].to_numpy(float)) * 0.5
    level = 2.5 + poor + drift
    exam = pd.DataFrame(
        {
            "patient": patients["patient"].to_numpy(),
            "vessel": None,
            "day": day,
            "failed": failed,
            "failure_reason": np.where(failed, "no ostium found", ""),
            "evaluable": ~left_out,
            "not_evaluable_reason": patients["exclusion_reason"].to_numpy(),
            "uncertainty": np.where(failed, np.nan, rng.gamma(16, level / 16)),
            "queries": rng.poisson(np.where(left_out, 0.8, 0.08)),
        }
    )
    frames = [exam]
    for vessel, lost in (("LM", 0.004), ("LAD", 0.01), ("LCx", 0.03), ("RCA", 0.02)):
        lacking = left_out | (rng.random(n) < lost)
        frames.append(
            exam.assign(
                vessel=vessel,
                evaluable=~lacking,
                not_evaluable_reason=np.where(
                    lacking, np.where(left_out, exam["not_evaluable_reason"], "motion"), ""
                ),
                uncertainty=np.where(failed, np.nan, rng.gamma(12, level / 12)),
                queries=0,
            )
        )
    return pd.concat(frames, ignore_index=True)
