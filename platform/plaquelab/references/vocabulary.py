"""The words and units that an imported file may use, and how known other units are converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from plaquelab.errors import Refusal

READ_COLUMNS = ("subject", "vessel", "lesion", "start_mm", "end_mm", "metric", "value", "unit", "reader")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "expert": READ_COLUMNS,
    "ivus": READ_COLUMNS,
    "ica": ("subject", "segment", "diameter_stenosis", "reader"),
    "covariates": ("subject", "name", "value", "unit"),
    "outcomes": ("subject", "event", "days", "source"),
}

# Unit → {other spelling or unit, in lower case: factor to it}. Every unit's own spelling is accepted as well.
CONVERSIONS: Mapping[str, Mapping[str, float]] = {
    "mm³": {
        "mm3": 1.0,
        "mm^3": 1.0,
        "µl": 1.0,
        "ul": 1.0,
        "μl": 1.0,
        "ml": 1000.0,
        "cm3": 1000.0,
        "cm³": 1000.0,
    },
    "mm²": {"mm2": 1.0, "mm^2": 1.0, "cm2": 100.0, "cm²": 100.0},
    "mm": {"cm": 10.0},
    "%": {"percent": 1.0, "pct": 1.0, "fraction": 100.0, "ratio": 100.0},
    "HU": {"hu": 1.0, "hounsfield": 1.0},
    "1": {"": 1.0, "ratio": 1.0, "-": 1.0, "–": 1.0},
    "category": {"": 1.0},
    "stage": {"": 1.0},
    "count": {"": 1.0},
    "years": {"year": 1.0, "yr": 1.0, "a": 1.0, "months": 1 / 12, "month": 1 / 12},
    "mmol/L": {"mg/dl": float("nan")},  # by substance: see Covariate.mg_per_dl
    "µmol/L": {"umol/l": 1.0, "μmol/l": 1.0, "mg/dl": 88.42},
    "mmHg": {"mm hg": 1.0, "kpa": 7.50062},
    "cigarettes/day": {"cigarettes": 1.0, "/day": 1.0, "per day": 1.0, "packs/day": 20.0},
    "SIMD/10": {"simd": 0.1},
    "kg": {"lb": 0.45359237},
    "cm": {"m": 100.0, "mm": 0.1},
    "kg/m²": {"kg/m2": 1.0, "kg/m^2": 1.0},
    "1/min": {"/min": 1.0, "bpm": 1.0},
    "Agatston": {"": 1.0, "au": 1.0},
    "days": {"day": 1.0, "d": 1.0},
    "yes/no": {"": 1.0, "0/1": 1.0},
}


class UnknownUnitError(Refusal):
    """The unit is none that can be converted. The text says which can."""

    code = "unknown-unit"


def factor_to(unit: str, given: str, *, mg_per_dl: float | None = None) -> float:
    """Return the factor that turns a value in ``given`` into ``unit``.

    Parameters
    ----------
    mg_per_dl : mmol/L per mg/dL of this substance.

    Raises
    ------
    UnknownUnitError
        Nothing is known of the unit.
    """
    text = " ".join(given.split())
    if text.lower() == unit.lower():
        return 1.0
    known = CONVERSIONS.get(unit, {})
    if text.lower() not in known:
        others = [unit, *(name for name in known if name)]
        raise UnknownUnitError(
            f"the unit “{text[:20]}” is not known here: use {', '.join(dict.fromkeys(others))}"
        )
    factor = known[text.lower()]
    if factor != factor:
        if mg_per_dl is None:
            raise UnknownUnitError(f"mg/dL cannot be converted here: use {unit}")
        return mg_per_dl
    return factor


@dataclass(frozen=True)
class CovariateKind:
    """A clinical covariate that is known by name.

    Parameters
    ----------
    unit : of the stored value. low, high : what a value in that unit may be.
    categories : other spelling in lower case → stored text, for covariates that are no number.
    mg_per_dl : mmol/L per mg/dL. is_days : a calendar date is turned into days from the scan.
    """

    label: str
    unit: str
    low: float = 0.0
    high: float = 1e6
    categories: Mapping[str, str] = field(default_factory=dict)
    mg_per_dl: float | None = None
    is_days: bool = False


YES_NO = {"yes": "1", "no": "0", "1": "1", "0": "0", "true": "1", "false": "0", "y": "1", "n": "0"}
_SEX = {"female": "female", "f": "female", "woman": "female", "male": "male", "m": "male", "man": "male"}


def _fact(label: str) -> CovariateKind:
    return CovariateKind(label, "yes/no", 0, 1)


COVARIATES: Mapping[str, CovariateKind] = {
    "age": CovariateKind("Age", "years", 18, 110),
    "sex": CovariateKind("Sex", "", categories=_SEX),
    "total_cholesterol": CovariateKind("Total cholesterol", "mmol/L", 1, 20, mg_per_dl=0.02586),
    "hdl_cholesterol": CovariateKind("HDL cholesterol", "mmol/L", 0.2, 5, mg_per_dl=0.02586),
    "ldl_cholesterol": CovariateKind("LDL cholesterol", "mmol/L", 0.2, 15, mg_per_dl=0.02586),
    "triglycerides": CovariateKind("Triglycerides", "mmol/L", 0.1, 50, mg_per_dl=0.01129),
    "creatinine": CovariateKind("Creatinine", "µmol/L", 10, 2000),
    "systolic_blood_pressure": CovariateKind("Systolic blood pressure", "mmHg", 60, 260),
    "diastolic_blood_pressure": CovariateKind("Diastolic blood pressure", "mmHg", 30, 160),
    "heart_rate": CovariateKind("Heart rate", "1/min", 25, 220),
    "height": CovariateKind("Height", "cm", 100, 230),
    "weight": CovariateKind("Weight", "kg", 25, 350),
    "body_mass_index": CovariateKind("Body mass index", "kg/m²", 10, 90),
    "diabetes": _fact("Diabetes"),
    "family_history": _fact("Family history of premature coronary disease"),
    "hypertension": _fact("Hypertension"),
    "hyperlipidaemia": _fact("Hyperlipidaemia"),
    "statin": _fact("Statin"),
    "aspirin": _fact("Aspirin"),
    "beta_blocker": _fact("Beta-blocker"),
    "nitrate": _fact("Nitrate"),
    "current_smoker": _fact("Current smoker"),
    "cigarettes_per_day": CovariateKind("Cigarettes a day", "cigarettes/day", 0, 150),
    "simd": CovariateKind("Scottish Index of Multiple Deprivation", "SIMD/10", 0, 10),
    "agatston_score": CovariateKind("Coronary calcium score", "Agatston", 0, 20000),
    "assign_score": CovariateKind("ASSIGN score (as imported)", "%", 0, 100),
    "symptom": CovariateKind(
        "Chest pain",
        "",
        categories={
            "typical": "typical",
            "atypical": "atypical",
            "non-anginal": "non-anginal",
            "nonanginal": "non-anginal",
            "none": "none",
        },
    ),
    "ivus_days": CovariateKind("Days from CT to IVUS", "days", -3650, 3650, is_days=True),
    "ica_days": CovariateKind("Days from CT to invasive angiography", "days", -3650, 3650, is_days=True),
}

END_OF_FOLLOW_UP = "end_of_follow_up"
DEATHS = ("death", "cardiac_death", "noncardiac_death")
EVENTS: Mapping[str, str] = {
    "myocardial_infarction": "Fatal or non-fatal myocardial infarction",
    "death": "Death of any or unknown cause",
    "cardiac_death": "Cardiac death",
    "noncardiac_death": "Death that is not cardiac",
    "revascularisation": "Coronary revascularisation",
    "stroke": "Stroke",
    END_OF_FOLLOW_UP: "End of follow-up (censoring)",
}


def suggestion(word: str, known: Mapping[str, object]) -> str:
    """Return “; did you mean …?” or the list of what is known."""
    near = get_close_matches(word.lower(), list(known), n=1)
    return f"did you mean “{near[0]}”?" if near else f"use one of {', '.join(known)}."
