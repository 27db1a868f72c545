"""Tables reach estimators column by column; what is not there is named."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.agreement import bland_altman_of, icc_of, kappa_of, repeatability_of
from analytics.errors import AnalyticsError
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
    assert all(estimator.__name__.endswith("_of") for estimator in READINGS)
