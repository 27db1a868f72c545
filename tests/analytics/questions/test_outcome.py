"""The outcome question: follow-up, every section, the published counts, the patients behind steps and cells."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import numpy as np
import pytest

from analytics.errors import AnalyticsError
from analytics.freeze import About, read_freeze, write_freeze
from analytics.questions.filters import Filters, query_of, read_parameters
from analytics.questions.outcome import SECTIONS, OutcomeParameters, answer, asked, cases, choices
from analytics.questions.outcome_data import covariate, follow_up
from analytics.survival.cox import cox_of


@pytest.fixture(scope="module")
def shown(freeze):
    return answer(freeze, OutcomeParameters())


def selection(link):
    return {k: v[0] for k, v in parse_qs(link[1:]).items()}


def test_published_counts_and_cells(freeze, shown):
    table = shown.results["at_cut_off"]
    assert (table.tp, table.fp, table.fn, table.tn) == (37, 874, 4, 696)
    grid = shown.grid("incidence")
    assert [row[1].value for row in grid.rows] == [700, 911]
    for row in grid.rows:
        assert len(cases(freeze, OutcomeParameters(), selection(row[1].link))) == row[1].value
        assert len(cases(freeze, OutcomeParameters(), selection(row[2].link))) == row[2].value
        assert len(cases(freeze, OutcomeParameters(), selection(row[5].link))) == row[5].value
    for row, cell in zip(shown.grid("at_cut_off").rows, (37, 696, None, 37, 696), strict=True):
        if cell is not None:
            assert len(cases(freeze, OutcomeParameters(), selection(row[1].link))) == cell


def test_a_step_leads_to_its_events(freeze, shown):
    high = next(t for t in shown.figure("incidence").drawing.data if t.get("name", "").startswith("≥"))
    link = high["customdata"][3][0]
    found = cases(freeze, OutcomeParameters(), selection(link))
    assert len(found) == 1
    assert found["outcome"].tolist() == ["myocardial infarction"]
    assert found["total_plaque_volume"].iloc[0] >= 238.5
    assert found["years"].iloc[0] == pytest.approx(high["x"][3])


def test_models_are_those_of_the_data(freeze, shown):
    data = follow_up(freeze, endpoint="myocardial_infarction", filters=Filters())
    volume = covariate(freeze, data, "total_plaque_volume_at_cut_off").values
    expected = cox_of(data.time, data.event, {"v": volume}).terms[0]
    found = shown.results["cox"]["univariable Total plaque volume ≥ 238.5 mm³"].terms[0]
    assert found.estimate == pytest.approx(expected.estimate)
    assert [t.covariate for t in shown.results["cox"]["multivariable"].terms] == [
        "Total plaque volume ≥ 238.5 mm³",
        "Diameter stenosis ≥ 50 %",
        "ASSIGN score (per %)",
    ]


def test_few_events_put_the_penalised_model_first(freeze, shown):
    names = [y for t in shown.figure("forest").drawing.data for y in t["y"]]
    assert names[0].startswith("Firth: ")
    assert "events per covariate" in shown.figure("forest").caption
    published = answer(freeze, OutcomeParameters(section="cox", profile="lin2022"))
    names = [y for t in published.figure("forest").drawing.data for y in t["y"]]
    assert not names[0].startswith("Firth: ")


def test_death_ends_the_risk_of_infarction(freeze, shown):
    data = follow_up(freeze, endpoint="myocardial_infarction", filters=Filters())
    assert data.outcomes == ("myocardial_infarction", "death")
    assert data.event.sum() == 41
    outcomes = freeze.table("outcomes")
    assert (data.cause == 2).sum() == (outcomes["event"] == "death").sum()
    deaths = answer(freeze, OutcomeParameters(endpoint="death", section="incidence"))
    assert sum(row[2].value for row in deaths.grid("incidence").rows) == (outcomes["event"] == "death").sum()
    assert shown.results["competing"].estimate < shown.results["incidence"].estimate + 0.001


def test_gain_is_with_minus_without_the_marker(shown):
    gain = shown.results["gain"]
    c = [shown.results[f"concordance {name} the marker"].estimate for name in ("without", "with")]
    assert gain.estimate == pytest.approx(c[1] - c[0])
    assert "with minus without" in gain.method


def test_optimism_is_taken_off(shown):
    youden = shown.results["cut_offs"]["youden"]
    assert youden.corrected.youden < youden.apparent.youden
    assert any("looks too good" in note for note in shown.notes)


def test_subgroups_partition_the_patients(freeze, shown):
    for name in ("Sex", "Age", "Vendor"):
        rows = [row for row in shown.grid("subgroups").rows if row[0].text == name]
        assert sum(row[2].value for row in rows) == 1611
        for row in rows:
            assert len(cases(freeze, OutcomeParameters(), selection(row[2].link))) == row[2].value


@pytest.mark.parametrize(
    "marker", ["diameter_stenosis", "low_attenuation_plaque_burden", "assign_score", "plaque_stage"]
)
def test_every_marker(freeze, marker):
    found = answer(freeze, OutcomeParameters(marker=marker))
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.results["roc"].estimate is not None
    assert {f.name for f in found.figures} >= {"incidence", "roc", "forest", "proportionality", "time_auc"}
    names = [t.covariate for t in found.results["cox"]["multivariable"].terms]
    assert len(names) == len(set(names)), "the marker is not its own covariate"


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_section_stands_alone(freeze, section, shown):
    found = answer(freeze, OutcomeParameters(section=section))
    assert found.figures
    assert {f.name for f in found.figures} <= {f.name for f in shown.figures}


def test_cut_off_slider_moves_the_groups(freeze):
    for cut in (100.0, 500.0):
        found = answer(freeze, OutcomeParameters(cut=cut, section="incidence"))
        volume = freeze.table("markers")["total_plaque_volume"]
        assert found.grid("incidence").rows[-1][1].value == (volume >= cut).sum()
    everybody = answer(freeze, OutcomeParameters(cut=0.0))
    json.dumps(everybody.to_dict(), allow_nan=False)
    assert everybody.results["cox"]["univariable Total plaque volume ≥ 0 mm³"].terms[0].estimate is None


def test_one_site_with_few_events_is_answered_with_reasons(freeze):
    found = answer(freeze, OutcomeParameters(filters=Filters(site="S07", stratum="women", quality="5")))
    json.dumps(found.to_dict(), allow_nan=False)
    assert any("events: intervals" in note for note in found.notes)
    nobody = answer(freeze, OutcomeParameters(filters=Filters(site="S01")))
    json.dumps(nobody.to_dict(), allow_nan=False)
    assert nobody.results["roc"].estimate is None
    assert nobody.results["roc"].reason


def test_addresses_come_back_as_parameters(freeze):
    parameters = OutcomeParameters(cut=123.456789, horizon=3.0, adjust=("age", "male"), section="cox")
    back, problems = read_parameters(OutcomeParameters, query_of(parameters), choices(freeze, parameters))
    assert back == parameters
    assert problems == ()
    _, problems = read_parameters(
        OutcomeParameters, {"cut": "many", "adjust": "age,beauty"}, choices(freeze, parameters)
    )
    assert len(problems) == 2


def test_unknown_names_are_refused(freeze):
    with pytest.raises(AnalyticsError, match="no event 'divorce'"):
        answer(freeze, OutcomeParameters(endpoint="divorce"))
    with pytest.raises(AnalyticsError, match="no marker 'beauty'"):
        answer(freeze, OutcomeParameters(marker="beauty"))
    with pytest.raises(AnalyticsError, match="no section 'x'"):
        answer(freeze, OutcomeParameters(section="x"))
    with pytest.raises(AnalyticsError, match="horizon must be above 0"):
        answer(freeze, OutcomeParameters(horizon=-1.0))


def small(tmp_path, **changes):
    names = [f"P{i}" for i in range(6)]
    tables = {
        "patients": {
            "patient": names,
            "site": ["A"] * 6,
            "cohort": ["c"] * 6,
            "purpose": ["prognostic"] * 6,
            "excluded": [False] * 5 + [True],
        },
        "markers": {"patient": names[:5], "total_plaque_volume": [0, 10, 300, 400, None]},
        "outcomes": {
            "patient": ["P0", "P1", "P2", "P2", "P2", "P5"],
            "event": [
                "end_of_follow_up",
                "end_of_follow_up",
                "death",
                "myocardial_infarction",
                "end_of_follow_up",
                "end_of_follow_up",
            ],
            "years": [5, 4, 2, 2, 2, 5],
        },
        **changes,
    }
    write_freeze(tables, About(study="s", made="2026-01-01", simulated=True), tmp_path / "f")
    return read_freeze(tmp_path / "f")


def test_infarction_and_death_at_one_time_count_as_infarction(tmp_path):
    freeze = small(tmp_path)
    data = follow_up(freeze, endpoint="myocardial_infarction", filters=Filters())
    assert data.cause.tolist() == [0, 0, 1]
    assert data.lost == (("follow-up is not known", 2),), "excluded patients are not missing"
    death = follow_up(freeze, endpoint="death", filters=Filters())
    assert death.cause.tolist() == [0, 0, 1]


def test_units_that_differ_are_named(tmp_path):
    freeze = small(
        tmp_path,
        covariates={
            "patient": ["P0", "P1"],
            "name": ["weight"] * 2,
            "value": [80, 170],
            "unit": ["kg", "lb"],
        },
    )
    with pytest.raises(AnalyticsError, match=r"row 2: 'weight' is in lb, elsewhere in kg"):
        answer(freeze, OutcomeParameters(adjust=("weight",)))


def test_all_zero_volumes_and_no_events(tmp_path):
    names = [f"P{i}" for i in range(5)]
    freeze = small(
        tmp_path,
        markers={"patient": names, "total_plaque_volume": np.zeros(5)},
        outcomes={
            "patient": [*names, "P0"],
            "event": ["end_of_follow_up"] * 5 + ["myocardial_infarction"],
            "years": [1, 2, 3, 4, 5, 1],
        },
    )
    found = answer(freeze, OutcomeParameters())
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.results["cox"]["continuous"].terms[0].reason


def test_an_endpoint_that_never_happened_is_a_reason(tmp_path):
    names = [f"P{i}" for i in range(5)]
    freeze = small(
        tmp_path,
        markers={"patient": names, "total_plaque_volume": [0, 10, 300, 400, 500]},
        outcomes={"patient": names, "event": ["end_of_follow_up"] * 5, "years": [1, 2, 3, 4, 5]},
    )
    found = answer(freeze, OutcomeParameters())
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.results["roc"].reason.startswith("0 with and 5 without")
    assert found.results["cox"]["univariable Total plaque volume ≥ 238.5 mm³"].terms[0].reason == "no events"
    assert any("Only 0 events" in note for note in found.notes)
    with pytest.raises(AnalyticsError, match="no event 'death'"):
        answer(freeze, OutcomeParameters(endpoint="death"))


def test_a_freeze_without_outcomes_says_what_to_do(tmp_path):
    freeze = small(tmp_path, outcomes={"patient": [], "event": [], "years": []})
    with pytest.raises(AnalyticsError, match="import them, then make the next freeze"):
        answer(freeze, OutcomeParameters())


def test_every_kind_of_point_leads_to_its_patients(freeze, shown):
    """Calibration tenths are disjoint and whole; an AUC's point shows the events so far; a benefit's point who is above it."""
    p = OutcomeParameters()
    data = follow_up(freeze, endpoint="myocardial_infarction", filters=Filters())

    given = asked(freeze, p)

    def behind(link):
        return cases(freeze, p, selection(link))

    tenths = shown.figure("calibration_with_the_marker").drawing.data[-1]
    found = [behind(custom[0]) for custom in tenths["customdata"]]
    assert [len(rows) for rows in found] == [int(custom[1]) for custom in tenths["customdata"]]
    assert len(set().union(*(set(rows["patient"]) for rows in found))) == len(data) == 1611
    auc = shown.figure("time_auc").drawing.data[0]
    at_two = behind(auc["customdata"][1][0])
    assert len(at_two) == int(((data.time <= 2) & (data.event == 1)).sum())
    assert set(at_two["outcome"]) == {"myocardial infarction"}
    benefit = {t["name"]: t for t in shown.figure("decision").drawing.data}
    sizes = [len(behind(custom[0])) for custom in benefit["with the marker"]["customdata"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]
    assert benefit["treat none"]["customdata"][0][0] == ""
    forest = {t["y"][0]: t["customdata"][0][0] for t in shown.figure("forest").drawing.data}
    assert len(behind(forest["Firth: Total plaque volume ≥ 238.5 mm³"])) == 911
    assert len(behind(forest["Firth: Diameter stenosis ≥ 50 %"])) == 600
    assert len(behind(forest["Firth: ASSIGN score (per %)"])) == 1611
    sites = {t["y"][0]: t["customdata"][0][0] for t in shown.figure("sites").drawing.data}
    assert set(behind(sites["S08"])["site"]) == {"S08"}
    steps = {t.get("name"): t for t in shown.figure("competing").drawing.data}
    deaths = behind(steps["death, ≥ 238.5 mm³"]["customdata"][-1][0])
    assert set(deaths["outcome"]) == {"death"}
    assert len(deaths) == int(((data.cause == 2) & (given.values >= 238.5)).sum())
    assert len(behind(steps["death, ≥ 238.5 mm³"]["customdata"][0][0])) == 911
    with pytest.raises(AnalyticsError, match="no model 'none'"):
        cases(freeze, p, {"model": "none", "risk": "0.1"})
    with pytest.raises(AnalyticsError, match="no tenth 99"):
        cases(freeze, p, {"model": "with the marker", "tenth": "99"})
    with pytest.raises(AnalyticsError, match="not adjusted for 'age'"):
        cases(freeze, p, {"covariate": "age"})
