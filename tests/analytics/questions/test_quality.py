"""The quality question: rates, groups, reasons, charts that find the drifting site, and the exams behind each."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from analytics.errors import AnalyticsError
from analytics.questions import QUESTIONS
from analytics.questions.filters import Filters
from analytics.questions.quality import QualityParameters, answer, cases, figure_name


@pytest.fixture(scope="module")
def shown(freeze):
    return answer(freeze, QualityParameters())


def selection(link):
    return {k: v[0] for k, v in parse_qs(link[1:]).items()}


def test_rates_count_everybody_who_came(freeze, shown):
    table = freeze.table("quality")
    exams = table[table["vessel"].isna()]
    assert shown.results["failed exams"].n == len(freeze.table("patients"))
    assert shown.results["failed exams"].count == exams["failed"].sum()
    assert shown.results["evaluable vessels"].clusters == len(exams)
    for row in shown.grid("rates").rows[:3]:
        behind = cases(freeze, QualityParameters(), selection(row[1].link))
        assert f"{len(behind):,}/" in row[1].text


def test_groups_and_reasons_lead_to_their_exams(freeze, shown):
    groups = shown.grid("groups").rows
    assert sum(r[1].value for r in groups) == len(freeze.table("patients"))
    for row in groups:
        assert len(cases(freeze, QualityParameters(), selection(row[1].link))) == row[1].value
    for row in shown.grid("reasons").rows:
        assert len(cases(freeze, QualityParameters(), selection(row[2].link))) == row[2].value


def test_the_chart_finds_the_site_that_drifts(freeze, shown):
    charts = shown.results["charts"]
    alarms = {name: len(c.alarms) for name, c in charts.items() if name.startswith("uncertainty|")}
    assert alarms.pop("uncertainty|S08") >= 5
    assert max(alarms.values()) <= 2
    assert any("S08" in note for note in shown.notes)
    trace = shown.figure("uncertainty_S08").drawing.data[-1]
    behind = cases(freeze, QualityParameters(), selection(trace["customdata"][0][0]))
    assert set(behind["site"]) == {"S08"}
    assert behind["uncertainty"].mean() == pytest.approx(trace["y"][0], abs=1e-3)


@pytest.mark.parametrize(("by", "period"), [("vendor", "quarter"), ("scanner", "week"), ("cohort", "month")])
def test_other_groups_and_periods(freeze, by, period):
    found = answer(freeze, QualityParameters(by=by, period=period, filters=Filters(site="S07")))
    json.dumps(found.to_dict(), allow_nan=False)
    assert "Only site S07." in found.notes
    assert len({f.name for f in found.figures}) == len(found.figures)


def test_names_of_scanners_fit_into_addresses():
    assert figure_name("uncertainty", "Aquilion ONE / é", ()) == "uncertainty_Aquilion-ONE-"
    assert figure_name("uncertainty", "A 1", {"uncertainty_A-1"}) == "uncertainty_A-1-2"
    assert figure_name("uncertainty", "A 1", {"uncertainty_A-1", "uncertainty_A-1-2"}) == "uncertainty_A-1-3"
    assert figure_name("failures", "", ()) == "failures"


def test_unknown_groups_are_refused(freeze):
    with pytest.raises(AnalyticsError, match="not by moon"):
        answer(freeze, QualityParameters(by="moon"))


def test_every_question_is_asked_alike(freeze):
    for question in QUESTIONS.values():
        parameters = question.parameters()
        found = question.answer(freeze, parameters, replicates=0, link="/x?")
        assert found.question == question.name
        assert found.simulated
        assert question.choices(freeze, parameters)
        assert all(f.caption.startswith("Simulated data. ") for f in found.figures), question.name
        assert all(f.drawing.simulated for f in found.figures), question.name
        text = json.dumps(found.to_dict(), allow_nan=False)
        assert len(text) < 1_000_000, "only what is shown travels"
        assert "row" in question.cases(freeze, parameters, {})
