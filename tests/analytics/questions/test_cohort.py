"""The cohort question: the flow, baseline, exclusions, scanners, and the patients behind each."""

from __future__ import annotations

import json
from itertools import pairwise
from urllib.parse import parse_qs

import pytest

from analytics.questions.cohort import CohortParameters, answer, cases
from analytics.questions.filters import Filters


@pytest.fixture(scope="module")
def shown(freeze):
    return answer(freeze, CohortParameters())


def selection(link):
    return {k: v[0] for k, v in parse_qs(link[1:]).items()}


def test_published_counts(shown):
    rows = shown.grid("counts").rows
    by_purpose = {}
    for row in rows:
        patients, lesions = by_purpose.get(row[1].text, (0, 0))
        by_purpose[row[1].text] = (patients + row[3].value, lesions + (row[4].value or 0))
    assert by_purpose["Training"] == (921, 5045)
    tested = [by_purpose[k] for k in ("Test", "External validation (test)")]
    assert (sum(p for p, _ in tested), sum(n for _, n in tested)) == (275, 1901)
    assert by_purpose["Prognostic"][0] == 1611
    assert shown.results["sites"] == 11


def traces(shown):
    return {t["name"]: t for t in shown.figure("flow").drawing.data if "name" in t}


def test_bands_and_boxes_lead_to_their_patients(freeze, shown):
    found = traces(shown)
    for name in ("boxes", "bands"):
        assert len(found[name]["customdata"]) >= 15
        for link, label in found[name]["customdata"]:
            number = int(label.split(": ")[-1].split()[0].replace(",", ""))
            assert len(cases(freeze, CohortParameters(), selection(link))) == number, label


def test_every_patient_leaves_the_flow_once(freeze, shown):
    last = [
        int(label.split(": ")[-1].split()[0].replace(",", ""))
        for x, (_, label) in zip(
            traces(shown)["boxes"]["x"], traces(shown)["boxes"]["customdata"], strict=True
        )
        if x > 2
    ]
    assert sum(last) == len(freeze.table("patients"))


def test_boxes_of_a_column_do_not_overlap(shown):
    boxes = [s for s in shown.figure("flow").drawing.layout["shapes"] if s["type"] == "rect"]
    for column in {s["x0"] for s in boxes}:
        stack = sorted((s["y0"], s["y1"]) for s in boxes if s["x0"] == column)
        assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(stack))
        assert stack[0][0] >= -1e-9
        assert stack[-1][1] <= 1 + 1e-9


def test_exclusions_are_counted_with_reasons(freeze, shown):
    rows = shown.grid("exclusions").rows
    assert sum(r[1].value for r in rows) == freeze.table("patients")["excluded"].sum()
    for row in rows:
        assert len(cases(freeze, CohortParameters(), selection(row[1].link))) == row[1].value


def test_baseline_by_hand(freeze, shown):
    people = freeze.table("patients")
    training = people[(people["purpose"] == "training") & ~people["excluded"]]
    row = next(r for r in shown.grid("baseline").rows if r[0].text == "Age (years)")
    assert row[1].value == pytest.approx(training["age"].mean())
    assert row[1].text == f"{training['age'].mean():.1f} (SD {training['age'].std():.1f})"
    male = next(r for r in shown.grid("baseline").rows if r[0].text == "Male sex")
    assert male[1].text.startswith(f"{(training['sex'] == 'male').sum()} (")
    missing = next(r for r in shown.grid("baseline").rows if r[0].text.startswith("HDL cholesterol"))
    assert missing[-1].value > 0


def test_scanner_table_and_other_groupings(freeze, shown):
    assert (
        sum(r[-1].value for r in shown.grid("scanners").rows) == (~freeze.table("patients")["excluded"]).sum()
    )
    for row in shown.grid("scanners").rows:
        behind = cases(freeze, CohortParameters(), selection(row[-1].link))
        assert len(behind) == row[-1].value
        assert set(behind["scanner"]) == {row[2].text}
    for by in ("cohort", "site"):
        json.dumps(answer(freeze, CohortParameters(by=by)).to_dict(), allow_nan=False)
    one = answer(freeze, CohortParameters(filters=Filters(site="S03")))
    assert one.results["sites"] == 1
    assert "Only site S03." in one.notes
