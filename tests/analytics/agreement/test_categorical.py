"""Coefficients beside κ, tests of the margins, agreement within a step, several raters (simulated data)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.agreement.categorical import (
    COEFFICIENTS,
    chance_corrected_of,
    margins_by_patient,
    symmetry_of,
    within_steps_of,
)
from analytics.agreement.chance_corrected import bowker, gwet, stuart_maxwell
from analytics.agreement.kappa import CrossTable, cross_table, kappa_of_matrix
from analytics.agreement.multirater import fleiss_kappa
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.tables import on_table

LEVELS = list(range(6))
RNG = np.random.default_rng(9)
FIRST = RNG.integers(0, 6, 180)
SECOND = np.clip(FIRST + RNG.choice([-1, 0, 0, 0, 1, 2], 180), 0, 5)
PATIENT = np.arange(180) // 3
TABLE = {"expert": FIRST.tolist(), "network": SECOND.tolist(), "patient": PATIENT.tolist()}
BOTH = {"first": "expert", "second": "network", "levels": LEVELS}


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_every_coefficient_has_both_intervals(name):
    r = on_table(chance_corrected_of, TABLE, **BOTH, coefficient=name, cluster="patient")
    assert r.interval.low < r.estimate < r.interval.high
    assert r.cluster_interval.low < r.estimate < r.cluster_interval.high
    assert (r.n, r.clusters) == (180, 60)
    assert "jackknife interval" in r.sentence()
    assert len(draw(r).to_figure().data) == 2


def test_ac1_escapes_the_paradox_of_kappa():
    matrix = np.array([[118, 5], [2, 0]])
    ac1 = chance_corrected_of(CrossTable(matrix, None, ())).estimate
    assert ac1 > 0.9
    assert kappa_of_matrix(matrix, levels=[0, 1]).estimate < 0.05


def test_two_categories_by_hand():
    m = np.array([[40, 9], [6, 45]])
    share = (49 + 46) / 200
    expected = 2 * share * (1 - share)
    assert gwet(m)[0] == pytest.approx((0.85 - expected) / (1 - expected))
    mcnemar = (9 - 6) ** 2 / 15
    assert bowker(m).statistic == pytest.approx(mcnemar)
    assert stuart_maxwell(m).statistic == pytest.approx(mcnemar)
    assert stuart_maxwell(m).p == pytest.approx(stats.chi2.sf(mcnemar, 1))


def test_symmetry_names_the_direction():
    r = on_table(symmetry_of, TABLE, **BOTH, cluster="patient")
    assert r.higher == int((SECOND > FIRST).sum())
    assert r.interval.low < r.estimate < r.interval.high
    assert r.by_patient.p < 0.05
    assert "second read higher in" in r.sentence()
    assert symmetry_of(CrossTable(np.diag([4, 5]), None, ())).reason == "the reads never disagree"


def test_one_unit_per_patient_gives_mcnemars_wald_test():
    m = np.array([[40, 20], [6, 45]])
    first, second = np.repeat([0, 0, 1, 1], m.ravel()), np.repeat([0, 1, 0, 1], m.ravel())
    tables = cross_table(first.tolist(), second.tolist(), levels=[0, 1], clusters=range(len(first)))
    assert margins_by_patient(tables.patient_tables).statistic == pytest.approx((20 - 6) ** 2 / 26)


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(180)))
def test_order_of_units_does_not_matter(order):
    table = {name: [values[i] for i in order] for name, values in TABLE.items()}
    assert on_table(chance_corrected_of, table, **BOTH).estimate == pytest.approx(
        on_table(chance_corrected_of, TABLE, **BOTH).estimate
    )
    assert on_table(symmetry_of, table, **BOTH).bowker == on_table(symmetry_of, TABLE, **BOTH).bowker


def test_within_steps():
    r = on_table(within_steps_of, TABLE, **BOTH, cluster="patient")
    assert r.estimate == pytest.approx((np.abs(FIRST - SECOND) <= 1).mean())
    assert r.interval.low < r.estimate < r.interval.high
    missing = {"expert": [1, None, 3], "network": [1, 2, 5]}
    r = on_table(within_steps_of, missing, **BOTH, steps=0)
    assert (r.n, r.dropped_count, r.estimate) == (2, 1, 0.5)


def test_refusals():
    with pytest.raises(AnalyticsError, match="Unknown coefficient"):
        on_table(chance_corrected_of, TABLE, **BOTH, coefficient="best")
    assert "one category only" in chance_corrected_of(CrossTable(np.diag([9, 0]), None, ())).reason
    assert "no complete pair" in chance_corrected_of(CrossTable(np.zeros((2, 2), int), None, ())).reason
    assert chance_corrected_of(CrossTable(np.diag([5, 5]), None, ())).interval is None
    with pytest.raises(AnalyticsError, match="not on the scale"):
        on_table(within_steps_of, {"expert": [9], "network": [1]}, **BOTH)


def test_fleiss_of_two_raters_is_scotts_pi():
    r = fleiss_kappa(np.column_stack([FIRST, SECOND]).tolist(), levels=LEVELS, clusters=PATIENT.tolist())
    counted = cross_table(FIRST.tolist(), SECOND.tolist(), levels=LEVELS)
    for value, name in ((r.estimate, "scott"), (r.ac1, "ac1"), (r.krippendorff, "krippendorff")):
        assert value == pytest.approx(chance_corrected_of(counted, coefficient=name).estimate)
    assert r.ac1_se == pytest.approx(gwet(counted.matrix)[1], rel=0.01)
    assert r.conger == pytest.approx(kappa_of_matrix(counted.matrix, levels=LEVELS).estimate)
    assert "delete-one-patient" in r.interval.method


def test_fleiss_published_example():
    """Fleiss 1971, as printed in textbooks: 10 units, 14 raters, 5 categories, κ 0.210."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    ratings = [np.repeat(range(5), row).tolist() for row in counts]
    r = fleiss_kappa(ratings, levels=range(5))
    assert round(r.estimate, 3) == 0.210
    assert round(r.observed, 3) == 0.378
    assert r.interval.low < r.estimate < r.interval.high
    assert len(draw(r).to_figure().data) == 7


def test_fleiss_refusals():
    assert fleiss_kappa([[1], [2]], levels=[1, 2]).reason == "one reader only"
    assert "one category only" in fleiss_kappa([[1, 1], [1, 1]], levels=[1, 2]).reason
    assert "two are needed" in fleiss_kappa([[1, 2], [None, 1]], levels=[1, 2]).reason
    with pytest.raises(AnalyticsError, match="Row 2"):
        fleiss_kappa([[1, 1], [1, 7]], levels=[1, 2])
    complete = fleiss_kappa([[1, 1], [2, 2], [1, 1], [2, 2]], levels=[1, 2, 3])
    assert complete.estimate == 1
    assert complete.interval is None
    assert complete.categories[3] is None
