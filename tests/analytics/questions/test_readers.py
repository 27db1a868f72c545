"""The readers question: reproducibility, disagreement, times, learning, assisted reads, MRMC, and what lies behind."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import numpy as np
import pytest

from analytics.errors import AnalyticsError
from analytics.freeze import About, read_freeze, write_freeze
from analytics.questions.filters import Filters
from analytics.questions.readers import SECTIONS, ReadersParameters, answer, cases


@pytest.fixture(scope="module")
def shown(freeze):
    return answer(freeze, ReadersParameters())


def selection(link):
    return {k: v[0] for k, v in parse_qs(link[1:]).items()}


def test_reproducibility_of_every_metric_in_three_pairs(freeze, shown):
    assert [g.name for g in shown.grids][:3] == ["expert_expert", "repeat", "centreline"]
    table = freeze.table("lesion_pairs")
    rows = table[table["pair"] == "repeat"]
    difference = (rows["total_plaque_volume_second"] - rows["total_plaque_volume_first"]).to_numpy()
    found = shown.results["repeat total_plaque_volume"]["repeatability"]
    # Within-subject SD of two reads is the root of the mean square difference over 2.
    assert found.estimate == pytest.approx(np.sqrt((difference**2).mean() / 2))
    line = next(r for r in shown.grid("repeat").rows if r[0].text.startswith("Total plaque volume"))
    behind = cases(freeze, ReadersParameters(), selection(line[1].link))
    assert len(behind) == len(rows)


def test_interchangeability_joins_the_three_reads_of_a_lesion(freeze, shown):
    found = shown.results["interchangeability"]
    table = freeze.table("lesion_pairs")
    assert found.n == (table["pair"] == "expert_expert").sum()
    assert found.clusters == table.loc[table["pair"] == "expert_expert", "patient"].nunique()


def test_disagreement_leads_to_its_cases(freeze, shown):
    for row in shown.grid("disagreement").rows:
        assert len(cases(freeze, ReadersParameters(), selection(row[1].link))) == row[1].value
        assert len(cases(freeze, ReadersParameters(), selection(row[2].link))) == row[2].value
        behind = cases(freeze, ReadersParameters(), selection(row[4].link))
        assert len(behind) == row[4].value
        assert behind["adjudicated"].all()
    reasons = shown.grid("reasons").rows
    assert sum(r[1].value for r in reasons) == shown.results["disagreement"].discordant
    for row in reasons:
        assert len(cases(freeze, ReadersParameters(), selection(row[1].link))) == row[1].value


def test_times_are_those_of_the_publication(freeze, shown):
    rows = {r[0].text: r for r in shown.grid("timing").rows}
    assert rows["expert"][2].value == pytest.approx(25.66, abs=0.2)
    assert 60 * rows["network, graphics processor"][2].value == pytest.approx(5.65, abs=0.4)
    assert rows["network, central processor"][2].value == pytest.approx(3.82, abs=0.2)
    assert shown.results["timing seconds_gpu"].estimate > 200
    assert shown.results["timing seconds_gpu"].dropped_count == 0, (
        "patients without an expert are not missing"
    )
    trace = next(t for t in shown.figure("timing_seconds_gpu").drawing.data if t["mode"] == "markers")
    behind = cases(freeze, ReadersParameters(), selection(trace["customdata"][5][0]))
    assert set(behind["kind"]) >= {"network", "expert"}
    expert = behind.loc[behind["kind"] == "expert", "minutes"].iloc[0]
    assert expert == pytest.approx(trace["x"][5], abs=1e-3)


def test_learning_and_its_reads(freeze, shown):
    found = shown.results["learning"]
    assert found.estimate < 1
    trace = shown.figure("learning").drawing.data[0]
    behind = cases(freeze, ReadersParameters(), selection(trace["customdata"][3][0]))
    assert len(behind) == 1
    assert behind["order"].iloc[0] == trace["x"][3]


def test_assisted_reads_are_apart(freeze, shown):
    trace = shown.figure("assisted").drawing.data[0]
    assert sum(trace["y"]) == 40
    for bar, data in zip(trace["y"], trace["customdata"], strict=True):
        assert abs(len(cases(freeze, ReadersParameters(), selection(data[0]))) - bar) <= 1
    assert "never pooled" in shown.figure("assisted").caption


def test_readers_do_better_with_the_network(shown):
    auc = shown.results["mrmc auc"]
    assert auc.estimate > 0
    assert auc.clusters <= 50
    assert auc.readers == ("R1", "R2", "R3", "R4")
    assert shown.results["mrmc sensitivity"].merit == "sensitivity at ≥ 50"


@pytest.mark.parametrize("section", list(SECTIONS))
def test_sections_stand_alone(freeze, section):
    found = answer(freeze, ReadersParameters(section=section))
    assert found.grids
    json.dumps(found.to_dict(), allow_nan=False)


def test_territories_and_filters(freeze):
    found = answer(freeze, ReadersParameters(level="territory", filters=Filters(site="S07")))
    json.dumps(found.to_dict(), allow_nan=False)
    assert "Only site S07." in found.notes


def test_a_freeze_without_reads_says_what_is_missing(tmp_path):
    patients = {"patient": ["P1"], "site": ["A"], "cohort": ["c"], "purpose": ["test"], "excluded": [False]}
    write_freeze({"patients": patients}, About(study="s", made="2026-01-01", simulated=False), tmp_path / "f")
    found = answer(read_freeze(tmp_path / "f"), ReadersParameters())
    json.dumps(found.to_dict(), allow_nan=False)
    assert any("Assisted reads: this freeze has no such reads" in note for note in found.notes)
    assert found.results["disagreement"].reason == "no case was read twice"


def test_unknown_section_is_refused(freeze):
    with pytest.raises(AnalyticsError, match="no section 'x'"):
        answer(freeze, ReadersParameters(section="x"))


def test_the_list_beside_a_section_is_about_that_section(freeze, shown):
    timed = cases(freeze, ReadersParameters(section="timing"), {})
    assert timed["minutes"].notna().all()
    assert "assisted" not in set(timed["kind"])
    assisted = cases(freeze, ReadersParameters(section="assisted"), {})
    assert set(assisted["kind"]) == {"assisted"}
    assert len(assisted) == shown.grid("assisted").rows[0][1].value
    links = {t["y"][0]: t["customdata"][0][0] for t in shown.figure("mrmc").drawing.data}
    aided = cases(freeze, ReadersParameters(), {"modality": links["aided"].partition("=")[2]})
    table = freeze.table("ratings")
    assert len(aided) == int((table["modality"] == "aided").sum())
