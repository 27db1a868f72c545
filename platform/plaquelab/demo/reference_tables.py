"""The demonstration's reference tables: IVUS, ICA, a repeated expert, covariates and outcomes of its phantom patients.

All are simulated: reads are the phantoms' truth as another modality would see it, with its own error; covariates and
outcomes are drawn. The files are what a site would send, and come in through the same import.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.composition_profiles import profile_named
from inference.quantification import measure, value_of, values_of
from plaquelab.demo.plan import Patient
from plaquelab.references.vocabulary import COLUMNS

if TYPE_CHECKING:
    from inference.quantification import VesselRecord
    from plaquelab.demo.reading_steps import Case

IVUS_VESSELS = ("LM", "LAD", "LCx", "RCA")
IVUS_SPREAD = 0.06
"""Relative spread of ultrasound's vessel and lumen volumes; its lesions' ends move by 0.4 mm."""
IVUS_ENDS_MM = 0.4
ICA_SPREAD_PERCENT, ICA_STEP_PERCENT = 7.0, 5.0
"""An angiographer's eye: spread, and the steps in which it is written down."""
EXPERT_SPREAD, REPEAT_SPREAD = 0.10, 0.07
FOLLOW_UP_DAYS = 1700


def as_csv(kind: str, rows: Sequence[Sequence[Any]]) -> bytes:
    """Return a file of a kind."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS[kind])
    writer.writerows(rows)
    return out.getvalue().encode()


def measured_truth(case: Case, variant: str) -> list[VesselRecord]:
    """Return the truth's measurements of every vessel of a case, by a plaque variant."""
    profile = profile_named(case.profile)
    return [
        measure(vessel, truth, profile, variant=variant)
        for vessel, truth in zip(case.vessels, case.truths, strict=True)
    ]


def _by_lesion(records: Sequence[VesselRecord]) -> dict[tuple[str, int], dict[str, Any]]:
    return {
        (lesion.vessel, lesion.number): {
            metric: value.value for metric, value in values_of(lesion) if not isinstance(value.value, str)
        }
        for record in records
        for lesion in record.lesions
    }


def ivus_rows(patient: Patient, case: Case) -> list[list[Any]]:
    """Return what ultrasound would say of the main arteries' lesions: vessel (EEM), lumen, smallest lumen area."""
    rng = np.random.default_rng([patient.seed, 11])
    rows: list[list[Any]] = []
    ends: dict[str, float] = {}
    for (vessel, lesion), values in sorted(_by_lesion(measured_truth(case, "wall_minus_lumen")).items()):
        if vessel not in IVUS_VESSELS:
            continue
        shift = rng.normal(0.0, IVUS_ENDS_MM, 2)
        eem, lumen, area = np.exp(rng.normal(0.0, IVUS_SPREAD, 3))
        start = max(values["lesion_start"] + float(shift[0]), ends.get(vessel, 0.0))
        end = max(values["lesion_end"] + float(shift[1]), start + 0.9)
        ends[vessel] = end
        whole = values["vessel_volume"] * float(eem)
        place = [patient.pseudonym, vessel, lesion, f"{start:.2f}", f"{end:.2f}"]
        for metric, value, unit in (
            ("vessel_volume", whole, "mm³"),
            ("lumen_volume", min(values["lumen_volume"] * float(lumen), whole), "mm³"),
            ("minimal_luminal_area", values["minimal_luminal_area"] * float(area), "mm²"),
        ):
            rows.append([*place, metric, f"{value:.3f}", unit, "ivus core"])
    return rows


def ica_rows(patient: Patient, case: Case) -> list[list[Any]]:
    """Return what an angiographer would write down of every segment, in steps of 5 %."""
    rng = np.random.default_rng([patient.seed, 12])
    worst: dict[str, float] = {}
    for record in measured_truth(case, "plaque"):
        for stretch in record.segments:
            narrowed = value_of(stretch, "diameter_stenosis").number
            if narrowed is not None:
                worst[stretch.segment] = max(worst.get(stretch.segment, 0.0), narrowed)
    rows = []
    for segment, stenosis in sorted(worst.items()):
        seen = stenosis + float(rng.normal(0.0, ICA_SPREAD_PERCENT)) if stenosis > 0 else 0.0
        written = ICA_STEP_PERCENT * round(min(max(seen, 0.0), 99.0) / ICA_STEP_PERCENT)
        rows.append([patient.pseudonym, segment, f"{min(written, 99.0):g}", "angiographer"])
    return rows


def expert_rows(patient: Patient, case: Case) -> list[list[Any]]:
    """Return an outside expert's read of every lesion and, some weeks later, the same expert's second reading."""
    rng = np.random.default_rng([patient.seed, 13])
    rows: list[list[Any]] = []
    for (vessel, lesion), values in sorted(_by_lesion(measured_truth(case, "plaque")).items()):
        place = [
            patient.pseudonym,
            vessel,
            lesion,
            f"{values['lesion_start']:.2f}",
            f"{values['lesion_end']:.2f}",
        ]
        own = float(np.exp(rng.normal(0.0, EXPERT_SPREAD)))
        for reader, again in (("X1", 1.0), ("X1#2", float(np.exp(rng.normal(0.0, REPEAT_SPREAD))))):
            volume = values["total_plaque_volume"] * own * again
            rows.append([*place, "total_plaque_volume", f"{volume:.3f}", "mm³", reader])
            stenosis = values["diameter_stenosis"]
            if stenosis is not None:
                seen = min(max(stenosis + float(rng.normal(0.0, 4.0)), 0.0), 99.0)
                rows.append([*place, "diameter_stenosis", f"{seen:.1f}", "%", reader])
    return rows


def covariate_rows(patient: Patient) -> list[list[Any]]:
    """Return a patient's drawn characteristics, with everything that the ASSIGN score needs."""
    rng = np.random.default_rng([patient.seed, 14])
    male = bool(rng.random() < 0.56)
    facts: list[tuple[str, Any, str]] = [
        ("age", round(float(rng.normal(57, 8))), "years"),
        ("sex", "male" if male else "female", ""),
        ("total_cholesterol", f"{rng.normal(215, 30):.0f}", "mg/dL"),
        ("hdl_cholesterol", f"{min(max(rng.normal(1.35, 0.3), 0.6), 2.8):.2f}", "mmol/L"),
        ("systolic_blood_pressure", f"{rng.normal(137, 15):.0f}", "mmHg"),
        ("diabetes", "yes" if rng.random() < 0.12 else "no", ""),
        ("family_history", "yes" if rng.random() < 0.40 else "no", ""),
        ("cigarettes_per_day", int(rng.choice([0, 0, 0, 5, 15])), "cigarettes/day"),
        ("simd", f"{rng.uniform(5, 60):.1f}", "SIMD"),
        ("heart_rate", f"{rng.normal(62, 7):.0f}", "1/min"),
        ("symptom", str(rng.choice(["typical", "atypical", "non-anginal"])), ""),
        ("ivus_days", int(rng.integers(1, 25)), "days"),
        ("ica_days", int(rng.integers(1, 25)), "days"),
    ]
    return [[patient.pseudonym, name, value, unit] for name, value, unit in facts]


def outcome_rows(patients: Sequence[Patient]) -> list[list[Any]]:
    """Return follow-up of about 4.7 years; the patient drawn to have an infarction has one before its end."""
    rng = np.random.default_rng([14, len(patients)])
    unlucky = int(rng.integers(len(patients)))
    rows: list[list[Any]] = []
    for number, patient in enumerate(patients):
        end = int(FOLLOW_UP_DAYS + rng.integers(-200, 200))
        if number == unlucky:
            rows.append(
                [
                    patient.pseudonym,
                    "myocardial_infarction",
                    int(rng.integers(200, end)),
                    "simulated registry",
                ]
            )
        rows.append([patient.pseudonym, "end_of_follow_up", end, "simulated registry"])
    return rows
