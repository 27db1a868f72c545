"""Covariates and outcomes: units, ranges, dates that become days, and what comes after what."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.platform.references.conftest import SCANNED

pytestmark = pytest.mark.django_db


def said(checked):
    return [str(problem) for problem in checked.report.problems]


def stored(checked):
    return {
        getattr(e, "name", None) or e.event: getattr(e, "value", None) if hasattr(e, "name") else e.days
        for e in checked.entries
    }


def test_covariates_in_other_units(check):
    checked = check(
        "covariates",
        "P-1,age,61,years",
        "P-1,sex,F,",
        "P-1,total_cholesterol,232,mg/dL",
        "P-1,diabetes,yes,",
        "P-1,family_history,0,0/1",
        "P-1,simd,28.3,SIMD",
        "P-1,systolic_blood_pressure,18,kPa",
    )
    assert said(checked) == []
    found = stored(checked)
    assert found["total_cholesterol"] == pytest.approx(6.0, abs=0.01)
    assert (found["diabetes"], found["family_history"]) == (1.0, 0.0)
    assert found["simd"] == pytest.approx(2.83)
    assert found["systolic_blood_pressure"] == pytest.approx(135, abs=0.1)
    assert next(e.text for e in checked.entries if e.name == "sex") == "female"
    assert (4, "total_cholesterol: converted from mg/dL to mmol/L.") in checked.report.notes


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("P-1,agee,61,years", "row 2, column name: the covariate “agee” is not known: did you mean “age”?"),
        ("P-1,,61,years", "row 2, column name: the name is missing."),
        ("P-1,age,61,decades", "row 2, column unit: the unit “decades” is not known here: use years"),
        (
            "P-1,age,161,years",
            "row 2, column value: age of 161 years lies outside 18 to 110: is the unit right?",
        ),
        ("P-1,total_cholesterol,232,mmol/L", "lies outside 1 to 20: is the unit right?"),
        ("P-1,sex,maybe,", "row 2, column value: “maybe” is none of female, male."),
        ("P-1,diabetes,2,", "row 2, column value: “2” is neither yes nor no."),
        ("P-1,age,sixty,years", "row 2, column value: “sixty” is no number."),
        ("P-2,ivus_days,2013-06-01,", "this subject has no stored scan date"),
        ("P-1,ivus_days,4,weeks", "row 2, column unit: ivus_days is in days (or a date), not “weeks”."),
    ],
)
def test_what_is_refused_of_covariates(check, row, words):
    assert any(words in text for text in said(check("covariates", row))), said(check("covariates", row))


def test_a_covariate_comes_once(check):
    assert said(check("covariates", "P-1,age,61,years", "P-1,age,62,years")) == [
        "row 3, column name: age of this subject stands in row 2 already."
    ]


def test_a_charter_may_add_covariates(world, check):
    rules = {
        **world.charter.rules,
        "covariates": {"troponin": {"label": "Troponin", "unit": "ng/L", "low": 0, "high": 1e5}},
    }
    type(world.charter).objects.filter(pk=world.charter.pk).update(rules=rules)
    assert stored(check("covariates", "P-1,troponin,12,ng/L")) == {"troponin": 12}
    assert "use ng/L" in said(check("covariates", "P-1,troponin,12,µg/L"))[0]


def test_dates_become_days_from_the_scan_and_are_nowhere_kept(world, bring):
    event, ivus = SCANNED + timedelta(days=400), SCANNED - timedelta(days=9)
    first = bring(
        "outcomes", f"P-1,myocardial_infarction,{event},registry", "P-1,end_of_follow_up,2018-01-01,study"
    )
    second = bring("covariates", f"P-1,ivus_days,{ivus},date")
    days = dict(world.study.outcomes.values_list("event", "days"))
    assert days["myocardial_infarction"] == 400
    assert days["end_of_follow_up"] == 1690  # 2013-05-17 to 2018-01-01: 228 days of 2013, 4 years with 2016
    assert world.study.covariates.get(name="ivus_days").value == -9
    from plaquelab.audit.models import AuditEvent

    text = json.dumps(
        [first.notes, second.notes, list(AuditEvent.objects.values("before", "after", "reason"))]
    )
    for day in (event, ivus, SCANNED):
        assert str(day) not in text
        assert f"{day:%Y%m%d}" not in text
    assert "2018-01-01" not in text


def test_the_end_of_follow_up_of_everybody(world, check):
    checked = check("outcomes", "*,end_of_follow_up,2018-01-01,study", "P-1,cardiac_death,100,registry")
    # P-1 died before; P-2 has no scan date and is said; P-3 has no scan.
    assert [(e.event, e.days) for e in checked.entries] == [("cardiac_death", 100), ("end_of_follow_up", 100)]
    assert checked.report.notes == [(2, "1 subjects: this subject has no stored scan date: give days from the scan instead of a calendar date."), (2, "a calendar date was turned into days from the scan; the date is not kept.")]  # fmt: skip
    own = check("outcomes", "*,end_of_follow_up,2018-01-01,study", "P-1,end_of_follow_up,55,left")
    assert [(e.event, e.days) for e in own.entries] == [("end_of_follow_up", 55)]
    assert "once, with end_of_follow_up" in said(check("outcomes", "*,myocardial_infarction,3,x"))[0]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["P-1,myocardial_infarction,-3,r"], "row 2, column days: -3 days is a negative time: outcomes count from the scan."),
        (["P-1,myocardial_infarction,2013-01-01,r"], "row 2, column days: the date lies before the scan"),
        (["P-1,myocardial_infarction,01/02/2014,r"], "row 2, column days: this is no date of the form 2018-01-31"),
        (["P-1,myocardial_infarction,soon,r"], "row 2, column days: “soon” is no number."),
        (["P-2,myocardial_infarction,2014-01-01,r"], "this subject has no stored scan date"),
        (["P-1,infarction,3,r"], "did you mean “myocardial_infarction”?"),
        (["P-1,death,9,r", "P-1,myocardial_infarction,10,r"], "row 3, column days: myocardial_infarction on day 10 lies after this subject's death (day 9, row 2)."),
        (["P-1,end_of_follow_up,300,r", "P-1,stroke,400,r"], "row 3, column days: stroke on day 400 lies after this subject's end_of_follow_up (day 300, row 2)."),
        (["P-1,death,300,r", "P-1,end_of_follow_up,400,r"], "row 3, column days: follow-up ends on day 400, after this subject's death (day 300, row 2)."),
        (["P-1,death,300,r", "P-1,cardiac_death,300,r"], "a subject has both death and cardiac_death: give one."),
        (["P-1,stroke,3,r", "P-1,stroke,4,r"], "row 3, column event: stroke of this subject stands in row 2 already: give the first one only."),
        (["P-1,stroke,99999,r"], "more than a century"),
    ],
)  # fmt: skip
def test_what_is_refused_of_outcomes(check, rows, words):
    found = said(check("outcomes", *rows))
    assert any(words in text for text in found), found


def test_what_is_stored_counts_for_the_order(bring, check):
    bring("outcomes", "P-1,end_of_follow_up,300,study")
    found = said(check("outcomes", "P-1,stroke,400,registry"))
    assert found == [
        "row 2, column days: stroke on day 400 lies after this subject's end_of_follow_up (day 300, stored before)."
    ]
    assert said(check("outcomes", "P-1,stroke,300,registry")) == []


def test_a_subject_without_an_end_is_noted(check):
    assert "other endpoints have no time at risk" in check("outcomes", "P-1,stroke,40,r").report.notes[0][1]
