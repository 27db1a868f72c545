"""The agreement question: its numbers, the cases behind its points, filters, refusals."""

from __future__ import annotations

import dataclasses
import json
from urllib.parse import parse_qs

import numpy as np
import pytest

from analytics.agreement.icc import icc_of
from analytics.errors import AnalyticsError
from analytics.questions import Steps
from analytics.questions.agreement import AgreementParameters, answer, cases, choices
from analytics.questions.filters import Filters, query_of, read_parameters
from analytics.rounding import printed


@pytest.fixture(scope="module")
def shown(freeze):
    return answer(freeze, AgreementParameters(), link="?")


def rows(freeze, **wanted):
    table = freeze.table("lesion_pairs")
    keep = np.ones(len(table), bool)
    for name, value in wanted.items():
        keep &= (table[name] == value).to_numpy()
    return table[keep]


def test_numbers_are_those_of_the_rows(freeze, shown):
    table = rows(freeze, pair="network_expert", extents="given")
    ratings = table[["total_plaque_volume_first", "total_plaque_volume_second"]].to_numpy()
    assert shown.results["icc"].estimate == pytest.approx(icc_of(ratings, replicates=0).estimate)
    assert shown.results["bland_altman"].estimate == pytest.approx((ratings[:, 1] - ratings[:, 0]).mean())
    assert shown.results["icc"].clusters == table["patient"].nunique()
    assert set(shown.results["metrics"]) >= {
        "total_plaque_volume",
        "vessel_volume",
        "low_attenuation_plaque_burden",
    }
    assert len(shown.grid("metrics").rows) == 11
    assert shown.simulated
    assert all("Simulated data." in f.caption for f in shown.figures if f.name != "groups")


def test_every_caption_names_form_units_and_clusters(shown):
    caption = shown.figure("scatter").caption
    assert "ICC(A,1)" in caption
    assert "1,901 lesions in 275 patients" in caption
    assert "jackknife" in caption
    assert "inside the lesions of the expert" in caption


def test_a_point_leads_to_its_row(freeze, shown):
    trace = next(t for t in shown.figure("differences").drawing.data if t.get("mode") == "markers")
    link, label, told = trace["customdata"][41]
    found = cases(freeze, AgreementParameters(), {k: v[0] for k, v in parse_qs(link[1:]).items()})
    assert len(found) == 1
    assert label.startswith(found["patient"].iloc[0])
    difference = found["total_plaque_volume_second"] - found["total_plaque_volume_first"]
    assert difference.iloc[0] == pytest.approx(trace["y"][41], abs=1e-3)
    assert told.endswith(f"difference {printed(difference.iloc[0], 1)}")


def test_cells_of_many_points_lead_to_all_their_cases(freeze, monkeypatch):
    monkeypatch.setattr("analytics.figures.agreement.MOST_POINTS", 100)
    monkeypatch.setattr("analytics.questions.agreement.MOST_POINTS", 100)
    for limits in ("plain", "ratio", "regression", "quantile"):
        parameters = AgreementParameters(limits=limits)
        drawn = answer(freeze, parameters)
        for name in ("scatter", "differences"):
            trace = next(t for t in drawn.figure(name).drawing.data if t.get("mode") == "markers")
            total = 0
            for link, label, *_ in trace["customdata"][:400:40]:
                found = cases(freeze, parameters, {k: v[0] for k, v in parse_qs(link[1:]).items()})
                counted = int(label.split()[0].replace(",", ""))
                # Points on an edge belong to two cells when asked for and to one when drawn.
                assert counted <= len(found) <= counted + 2
                total += counted
            assert total > 0


def test_own_extents_count_lesions_of_one_read_alone(freeze):
    table = rows(freeze, pair="network_expert", extents="own")
    missed, extra = ((table["match"] == m).sum() for m in ("first_only", "second_only"))
    everything = answer(freeze, AgreementParameters(extents="own"))
    matched = answer(freeze, AgreementParameters(extents="own", matched_only=True))
    assert f"{missed:,} lesions that the network missed." in everything.notes
    assert f"{extra:,} lesions of the network alone." in everything.notes
    assert everything.results["icc"].n - matched.results["icc"].n == missed + extra
    # An area of the lumen does not exist in a lesion that is not there: dropped and counted.
    area = answer(freeze, AgreementParameters(extents="own", metric="minimal_luminal_area")).results["icc"]
    assert area.dropped_count == missed + extra


def test_assisted_reads_are_shown_apart(freeze, shown):
    apart = answer(freeze, AgreementParameters(pair="assisted"))
    assert any("pooled with nothing" in note for note in apart.notes)
    names = [row[0].text for row in shown.grid("pairs").rows]
    assert sum("shown apart" in name for name in names) == 1
    assert "Expert and second expert" in names


def test_filters_and_groups_partition_the_rows(freeze, shown):
    sites = [row[0].text for row in shown.grid("groups").rows]
    by_site = {s: answer(freeze, AgreementParameters(filters=Filters(site=s))).results["icc"] for s in sites}
    assert sum(found.n for found in by_site.values()) == 1901
    for row in shown.grid("groups").rows:
        assert row[1].value == by_site[row[0].text].n
        assert row[3].value == pytest.approx(by_site[row[0].text].estimate)
        assert len(cases(freeze, AgreementParameters(), {"group": row[0].text})) == row[1].value
    assert shown.results["groups"]["heterogeneity"].n == len(sites)


@pytest.mark.parametrize(
    "by", ["vendor", "cohort", "place", "image_quality", "sex", "age_group", "tube_voltage"]
)
def test_every_grouping(freeze, by):
    found = answer(freeze, AgreementParameters(by=by, level="territory"))
    grid = found.grid("groups")
    assert sum(row[1].value for row in grid.rows) == found.results["icc"].n


def test_segments_stand_in_their_order_and_lead_to_their_lesions(freeze):
    p = AgreementParameters(by="segment")
    grid = answer(freeze, p).grid("groups")
    numbers = [int(row[0].text) for row in grid.rows]
    assert numbers == sorted(numbers)
    assert len(numbers) > 9
    table = freeze.table("lesion_pairs")
    first = cases(freeze, p, {"group": grid.rows[0][0].text})
    assert set(table["segment"].to_numpy(float)[first["row"]]) == {float(numbers[0])}
    assert len(first) == grid.rows[0][1].value


def test_filters_by_place_quality_and_stratum(freeze):
    everybody = answer(freeze, AgreementParameters()).results["icc"].n
    for filters in (Filters(place="LAD"), Filters(place="6"), Filters(quality="4"), Filters(stratum="women")):
        found = answer(freeze, AgreementParameters(filters=filters))
        assert 0 < found.results["icc"].n < everybody
        assert any(note.startswith("Only ") for note in found.notes)
    women, men = (
        answer(freeze, AgreementParameters(filters=Filters(stratum=s))).results["icc"].n
        for s in ("women", "men")
    )
    assert women + men == everybody


def test_profile_of_the_paper(freeze):
    found = answer(freeze, AgreementParameters(profile="lin2022", pair="network_ivus"))
    assert found.results["icc"].form == "C,k"
    assert any("Rank-sum test as published" in note for note in found.notes)
    assert "rank-sum" in found.results["difference"].test.name
    assert found.results["difference"].estimate > 0, "network minus IVUS, as the bias"


def test_bootstraps_are_remembered_and_tell_progress(freeze):
    memory, told = {}, []
    first = answer(
        freeze,
        AgreementParameters(),
        replicates=50,
        steps=Steps(progress=lambda *a: told.append(a), memory=memory),
    )
    assert "bootstrap" in first.results["icc"].cluster_interval.method
    assert told[-1][0] == len(told)
    calls = len(memory)
    assert calls > 10
    again = answer(freeze, AgreementParameters(), replicates=50, steps=Steps(memory=memory))
    assert len(memory) == calls
    assert again.numbers() == first.numbers()


def test_json_holds_no_nan_and_comes_back_the_same(freeze, shown):
    text = json.dumps(shown.to_dict(), allow_nan=False)
    assert text == json.dumps(answer(freeze, AgreementParameters(), link="?").to_dict(), allow_nan=False)
    assert "nan" not in text.lower().replace("finance", "")


def test_addresses_come_back_as_parameters(freeze):
    parameters = AgreementParameters(
        metric="diameter_stenosis", matched_only=True, filters=Filters(site="S07", quality="3")
    )
    back, problems = read_parameters(AgreementParameters, query_of(parameters), choices(freeze, parameters))
    assert back == parameters
    assert problems == ()
    odd, problems = read_parameters(
        AgreementParameters,
        {"metric": "beauty", "site": "S99", "level": "lesion"},
        choices(freeze, parameters),
    )
    assert odd == AgreementParameters()
    assert any("beauty" in p for p in problems)
    assert any("S99" in p for p in problems)


def test_nothing_to_compare_is_a_reason_not_an_error(freeze):
    found = answer(freeze, AgreementParameters(filters=Filters(site="S01")))
    assert found.results["icc"].estimate is None
    assert found.results["bland_altman"].reason
    json.dumps(found.to_dict(), allow_nan=False)
    one_category = dataclasses.replace(AgreementParameters(), level="vessel")
    assert answer(freeze, one_category).results["icc"].estimate is None


def test_unknown_choices_are_refused(freeze):
    with pytest.raises(AnalyticsError, match="no metric 'beauty'"):
        answer(freeze, AgreementParameters(metric="beauty"))
    with pytest.raises(AnalyticsError, match="no pair 'a'"):
        answer(freeze, AgreementParameters(pair="a"))
    with pytest.raises(AnalyticsError, match="no level 'heart'"):
        answer(freeze, AgreementParameters(level="heart"))
