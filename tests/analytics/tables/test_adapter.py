"""Tables reach estimators column by column; what is not there is named."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.accuracy import mrmc_of, roc_of, two_by_two_at
from analytics.agreement import bland_altman_of, icc_of, kappa_of, repeatability_of
from analytics.errors import AnalyticsError
from analytics.heterogeneity import site_means_of
from analytics.monitoring import rate_of
from analytics.survival import cumulative_incidence_of, time_auc_of
from analytics.tables import on_table
from analytics.tables.adapter import READINGS, zeros_and_ones

TABLE = {"patient": [1, 1, 2, 2, 3], "a": [1.0, 2.0, None, 4.0, 6.0], "b": [1.5, 2.0, 3.0, 5.0, 6.5]}


def test_columns_become_arguments_and_options_pass_through():
    found = on_table(bland_altman_of, TABLE, first="a", second="b", cluster="patient", replicates=0)
    arrays = bland_altman_of(
        np.array([1, 2, np.nan, 4, 6]), np.array(TABLE["b"]), clusters=TABLE["patient"], replicates=0
    )
    assert found.estimate == arrays.estimate == 0.5
    assert found.names == ("a", "b")
    assert (found.n, found.clusters, found.dropped_count) == (4, 3, 1)
    assert on_table(bland_altman_of, TABLE, first="a", second="b").clusters is None


def test_rows_of_raters_become_a_matrix():
    rows = {
        "lesion": [1, 1, 2, 2, 3, 3],
        "read": list("xyxyxy"),
        "mm3": [1, 2, 3, 3, 5, 6],
        "of": [7, 7, 7, 7, 8, 8],
    }
    names = {"subject": "lesion", "rater": "read", "value": "mm3", "cluster": "of"}
    found = on_table(icc_of, rows, **names, form="C,1", replicates=0)
    assert (found.raters, found.ids, found.clusters, found.form) == (("x", "y"), (1, 2, 3), 2, "C,1")
    assert on_table(repeatability_of, rows, **names, replicates=0).estimate == pytest.approx(np.sqrt(1 / 3))


def test_what_is_missing_is_named():
    with pytest.raises(AnalyticsError, match="no column 'c'; it has 'patient', 'a', 'b'"):
        on_table(bland_altman_of, TABLE, first="a", second="c")
    with pytest.raises(TypeError, match="bland_altman_of needs the name of the column 'second'"):
        on_table(bland_altman_of, TABLE, first="a")
    with pytest.raises(TypeError, match="how the columns of len are read"):
        on_table(len, TABLE)
    with pytest.raises(AnalyticsError, match="Column 'a', row 2: 2 is neither 0 nor 1"):
        zeros_and_ones(TABLE, "a")
    with pytest.raises(AnalyticsError, match=r"Row 1: category 1\.0 is not on the scale"):
        on_table(kappa_of, TABLE, first="a", second="b", levels=["1"])


def test_only_estimators_of_arrays_are_registered():
    assert len(READINGS) > 20
    assert all(estimator.__name__.endswith(("_of", "_at")) for estimator in READINGS)


def test_results_are_named_by_their_columns():
    years, event, volume = [1.0, 2, 3, 4, 5, 6], [1, 0, 1, 1, 0, 1], [5.0, 1, 4, 3, 2, 6]
    table = {
        "years": years,
        "death": event,
        "tpv": volume,
        "site": list("aabbcc"),
        "person": [1, 2, 3, 4, 5, 6],
    }
    follow_up = {"time": "years", "event": "death"}
    assert on_table(cumulative_incidence_of, table, **follow_up, horizon=3).outcome == "death"
    assert on_table(time_auc_of, table, **follow_up, marker="tpv", times=[3.5]).marker == "tpv"
    assert on_table(roc_of, table, marker="tpv", outcome="death").sentence().startswith("tpv for death")
    assert on_table(rate_of, table, flag="death").name == "death"
    means = on_table(site_means_of, table, value="tpv", site="site", cluster="person")
    assert means.effect == "mean tpv"
    cells = on_table(two_by_two_at, table, test="tpv", reference="years", threshold=4, cluster="person")
    assert (cells.question, cells.clusters) == ("tpv ≥ 4 % for years ≥ 4 %", 6)


def test_ratings_of_readers_and_modalities_become_one_block():
    table = {
        "case": [1, 1, 2, 2],
        "reader": ["A", "A", "A", "A"],
        "aid": ["no", "yes", "no", "yes"],
        "score": [1, 2, 3, np.nan],
        "ill": [0, 0, 1, 1],
        "person": ["p", "p", "q", "q"],
    }
    named = {"case": "case", "reader": "reader", "modality": "aid", "score": "score", "diseased": "ill"}
    read = READINGS[mrmc_of](table, named | {"cluster": "person"})
    assert read["ratings"].tolist()[0] == [[1.0, 3.0]]
    assert np.isnan(read["ratings"][1, 0, 1])
    assert (read["clusters"], read["modalities"], read["diseased"].tolist()) == (
        ["p", "q"],
        ["no", "yes"],
        [False, True],
    )
