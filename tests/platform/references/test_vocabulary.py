"""Units are converted where they are known and refused where they are not."""

from __future__ import annotations

import pytest

from plaquelab.references.vocabulary import COVARIATES, UnknownUnitError, factor_to, suggestion


@pytest.mark.parametrize(
    ("unit", "given", "factor"),
    [
        ("mm³", "mm3", 1),
        ("mm³", "mL", 1000),
        ("mm³", "µL", 1),
        ("mm²", "cm2", 100),
        ("mm", "cm", 10),
        ("%", "fraction", 100),
        ("mmHg", "kPa", 7.50062),
        ("SIMD/10", "SIMD", 0.1),
        ("SIMD/10", "simd/10", 1),
        ("cm", "m", 100),
        ("kg/m²", "kg/m2", 1),
        ("cigarettes/day", "packs/day", 20),
        ("years", "months", 1 / 12),
    ],
)
def test_known_units(unit, given, factor):
    assert factor_to(unit, given) == pytest.approx(factor)


def test_mg_per_dl_goes_by_substance():
    # 200 mg/dL of cholesterol are 5.17 mmol/L, 150 mg/dL of triglycerides 1.69, 1 mg/dL of creatinine 88.4 µmol/L.
    cholesterol, fat, creatinine = (
        COVARIATES[name] for name in ("total_cholesterol", "triglycerides", "creatinine")
    )
    assert 200 * factor_to("mmol/L", "mg/dL", mg_per_dl=cholesterol.mg_per_dl) == pytest.approx(
        5.17, abs=0.01
    )
    assert 150 * factor_to("mmol/L", "mg/dl", mg_per_dl=fat.mg_per_dl) == pytest.approx(1.69, abs=0.01)
    assert factor_to(creatinine.unit, "mg/dL") == pytest.approx(88.42)


@pytest.mark.parametrize(
    ("unit", "given"), [("mm³", "mm2"), ("mm³", ""), ("%", "mm"), ("mmol/L", "mg/dL"), ("mm", "inch")]
)
def test_unknown_units_are_refused_with_what_is_known(unit, given):
    with pytest.raises(UnknownUnitError, match=r"use "):
        factor_to(unit, given)


def test_a_near_word_is_suggested():
    assert suggestion("total_cholestrol", COVARIATES) == "did you mean “total_cholesterol”?"
    assert suggestion("zzz", {"a": 1, "b": 2}) == "use one of a, b."
