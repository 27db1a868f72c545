"""The CAD-RADS question: matrices, κ, accuracy, the cases behind every cell."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs

import numpy as np
import pytest

from analytics.agreement.kappa import kappa_of
from analytics.errors import AnalyticsError
from analytics.questions.cadrads import answer, cases
from analytics.questions.cadrads_grades import CadradsParameters, accuracy, grades
from analytics.questions.filters import Filters


@pytest.fixture(scope="module")
def shown(freeze):
    return answer(freeze, CadradsParameters(pair="network_ica"))


def selection(link):
    return {k: v[0] for k, v in parse_qs(link[1:]).items()}


def test_matrices_count_every_unit_with_two_grades(freeze, shown):
    table = freeze.table("territory_pairs")
    rows = table[(table["pair"] == "network_ica")]
    both = rows[["cadrads_first", "cadrads_second"]].dropna()
    kappa = next(k for k in shown.results["territory"].kappas if k.weights == "quadratic")
    assert kappa.matrix.sum() == len(both)
    expected = kappa_of(
        both["cadrads_first"].tolist(), both["cadrads_second"].tolist(), levels=range(6), weights="quadratic"
    )
    assert kappa.estimate == pytest.approx(expected.estimate)
    assert kappa.dropped_count == len(rows) - len(both)
    assert shown.results["patient"].kappas[0].clusters is None, "a patient is its own cluster"


def test_every_cell_of_the_matrix_leads_to_its_cases(freeze, shown):
    drawn = shown.figure("matrix_territory").drawing.data[0]
    for i, row in enumerate(drawn["z"]):
        for j, number in enumerate(row):
            found = cases(
                freeze, CadradsParameters(pair="network_ica"), selection(drawn["customdata"][i][j][0])
            )
            assert len(found) == number
            assert (found["cadrads_first"] == i).all()


def test_accuracy_by_hand_and_its_cells(freeze, shown):
    table = freeze.table("patient_pairs")
    rows = table[table["pair"] == "network_ica"]
    reference = rows["diameter_stenosis_first"] >= 70
    test = rows["diameter_stenosis_second"] >= 70
    found = shown.results["accuracy_patient_70"]
    assert found.table.tp == (reference & test).sum()
    assert found.table.tn == (~reference & ~test).sum()
    grid = shown.grid("accuracy")
    sensitivity = next(
        r for r in grid.rows if (r[0].text, r[1].text, r[2].text) == ("patient", "≥ 70 %", "Sensitivity")
    )
    behind = cases(freeze, CadradsParameters(pair="network_ica"), selection(sensitivity[3].link))
    assert len(behind) == found.table.tp
    assert (behind["diameter_stenosis_second"] >= 70).all()


def test_profiles_differ_in_intervals_not_in_estimates(freeze, shown):
    published = answer(freeze, CadradsParameters(pair="network_ica", profile="lin2022"))
    ours, theirs = (a.results["accuracy_territory_50"].table for a in (shown, published))
    assert ours.sensitivity.estimate == theirs.sensitivity.estimate
    assert theirs.sensitivity.interval.method == "Clopper–Pearson"
    assert ours.sensitivity.interval.method == "Wilson"
    assert "unweighted" in published.figure("matrix_territory").caption
    assert "quadratic" in shown.figure("matrix_territory").caption
    assert "Wilson" in shown.figure("accuracy_territory_50").caption


def test_territories_of_one_patient_are_clustered(shown):
    found = shown.results["accuracy_territory_50"]
    assert found.clustered.sensitivity.clusters <= 50
    assert found.clustered.sensitivity.interval.method == "patient-cluster, logit"
    assert found.roc.method.startswith("AUC") or "AUC" in found.roc.sentence()
    assert shown.results["accuracy_patient_50"].clustered is None


def test_nondiagnostic_territories_are_counted_and_shown_three_ways(freeze):
    found = answer(freeze, CadradsParameters())
    lost = grades(freeze, CadradsParameters(), "territory").nondiagnostic.any(axis=1).sum()
    assert any(f"{lost:,} territories non-diagnostic" in note for note in found.notes)
    one = accuracy(grades(freeze, CadradsParameters(), "territory"), 50.0, profile_name="lin2022")
    total = one.table.n + one.table.dropped[0].count
    assert total == 3 * 275
    assert one.three_ways.worst.n > one.three_ways.excluded.n
    assert one.three_ways.worst.sensitivity.estimate < one.three_ways.excluded.sensitivity.estimate
    rows = {tuple(c.text for c in row[:3]): row for row in found.grid("three_ways").rows}
    worst = rows["territory", "≥ 50 %", "each called wrongly"]
    assert worst[4].value == pytest.approx(one.three_ways.worst.sensitivity.estimate)
    assert worst[3].text == f"{one.table.tp}/{one.three_ways.worst.sensitivity.n}"
    assert "non-diagnostic" in found.figure("matrix_territory").caption


def test_predictive_values_at_another_prevalence_by_bayes(shown):
    table = shown.results["accuracy_patient_50"].table
    se, sp = table.tp / (table.tp + table.fn), table.tn / (table.tn + table.fp)
    row = next(r for r in shown.grid("prevalences").rows if (r[0].text, r[1].value) == ("≥ 50 %", 20.0))
    assert row[2].value == pytest.approx(0.2 * se / (0.2 * se + 0.8 * (1 - sp)))
    assert row[4].value == pytest.approx(0.8 * sp / (0.8 * sp + 0.2 * (1 - se)))


def test_each_proportion_leads_to_its_cell(freeze, shown):
    table = shown.results["accuracy_patient_50"].table
    links = {t["y"][0]: t["customdata"][0][0] for t in shown.figure("accuracy_patient_50").drawing.data}
    for name, number in (
        ("Sensitivity", table.tp),
        ("Specificity", table.tn),
        ("Accuracy", table.tp + table.tn),
    ):
        assert len(cases(freeze, CadradsParameters(pair="network_ica"), selection(links[name]))) == number


def test_categories_stand_in_where_no_stenosis_was_measured(freeze):
    found = grades(freeze, CadradsParameters(), "patient")
    unknown = np.full_like(found.stenosis, np.nan)
    by_category = replace(found, stenosis=unknown)
    assert (by_category.positive(0, 50.0) == (found.first >= 3)).all()
    np.testing.assert_array_equal(by_category.positive(0, 70.0), found.positive(0, 70.0))


def test_filters_and_empty_freezes_say_so(freeze):
    nobody = answer(freeze, CadradsParameters(filters=Filters(site="S01")))
    assert any("Nothing is compared" in note for note in nobody.notes)
    json.dumps(nobody.to_dict(), allow_nan=False)
    some = answer(freeze, CadradsParameters(filters=Filters(place="LAD")))
    assert some.results["territory"].kappas[0].n <= 275


def test_unknown_selections_are_refused(freeze):
    with pytest.raises(AnalyticsError, match="no accuracy at 60"):
        cases(freeze, CadradsParameters(), {"cell": "tp", "limit": "60"})
    with pytest.raises(AnalyticsError, match="no cell 'xx'"):
        cases(freeze, CadradsParameters(), {"cell": "xx"})
    with pytest.raises(AnalyticsError, match="not per lesion"):
        grades(freeze, CadradsParameters(), "lesion")


def test_json_is_plain(shown):
    json.dumps(shown.to_dict(), allow_nan=False)
