"""The published vectors of the score, and what it must not depend on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plaquelab.references.assign_score import BY_SEX, INPUTS, VERSION, assign_v1
from plaquelab.references.selectors import assign_score

WOMAN = dict(zip(INPUTS, (63, 6.2, 2.5, 134, 0, 0, 2, 3.693), strict=True))
MAN = dict(zip(INPUTS, (56, 5.2, 1.5, 137, 0, 0, 4, 2.974), strict=True))


@pytest.mark.parametrize(("sex", "values", "risk"), [("female", WOMAN, 8.80), ("male", MAN, 11.53)])
def test_published_vectors(sex, values, risk):
    assert round(assign_v1(sex=sex, values=values), 2) == risk


@pytest.mark.parametrize("sex", ["male", "female"])
def test_an_average_person_has_the_baseline_risk(sex):
    average = dict(zip(INPUTS, BY_SEX[sex].mean, strict=True))
    assert assign_v1(sex=sex, values=average) == pytest.approx(100 * (1 - BY_SEX[sex].baseline_survival))


@given(
    st.sampled_from(("male", "female")),
    st.sampled_from(INPUTS),
    st.floats(0.1, 5.0),
)
def test_every_risk_factor_raises_the_risk_and_hdl_lowers_it(sex, name, more):
    values = WOMAN if sex == "female" else MAN
    before, after = (
        assign_v1(sex=sex, values=values),
        assign_v1(sex=sex, values={**values, name: values[name] + more}),
    )
    assert (after < before) == (name == "hdl_cholesterol")
    assert 0 < after < 100


def test_the_score_names_its_version_or_what_is_missing():
    found = assign_score({**MAN, "sex": "male"})
    assert (round(found.value, 2), found.version, found.reason) == (11.53, VERSION, "")
    partial = {name: value for name, value in MAN.items() if name != "simd"} | {"sex": "male"}
    assert assign_score(partial).value is None
    assert assign_score(partial).reason == "missing: simd"
    assert assign_score({**partial, "assign_score": 17.5}) == type(found)(17.5, "as imported")
    assert assign_score({**MAN, "sex": "male", "assign_score": 17.5}).version == VERSION
