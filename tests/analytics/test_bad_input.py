"""What users give by mistake: a message that names column and row, or a null with its reason; never a traceback or a silent drop."""

from __future__ import annotations

import time

import numpy as np
import pytest

from analytics.accuracy import roc_of
from analytics.agreement import bland_altman_of, icc_of, kappa_of, spearman_of
from analytics.errors import AnalyticsError
from analytics.survival import cox_of, cumulative_incidence_of
from analytics.tables import on_table

READS = {"patient": [1, 1, 2, 2], "read": ["a", "b", "a", "b"], "volume": [1.0, 2.0, 3.0, 5.0]}
NAMES = {"subject": "patient", "rater": "read", "value": "volume"}
YEARS = {"years": [1.0, 2.0, 3.0, 4.0], "event": [0, 1, 0, 1], "x": [1.0, 2.0, 2.0, 4.0]}
SURVIVAL = {"time": "years", "event": "event"}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"patient": [1], "read": ["a"], "vol": [1]}, "no column 'volume'; it has 'patient', 'read', 'vol'"),
        (READS | {"read": ["a", "a", "a", "b"]}, "Row 2: 'a' has a second value of 'volume' for 1"),
        (READS | {"volume": [1, "12,3", 3, 4]}, "Column 'volume', row 2: '12,3' is not a number"),
        (READS | {"volume": [1, "=2+1", 3, 4]}, "Column 'volume', row 2: '=2+1' is not a number"),
        (READS | {"volume": [1, "1_000", 3, 4]}, "Column 'volume', row 2: '1_000' is not a number"),
        (READS | {"volume": [1, 2, np.inf, 4]}, "Column 'volume', row 3: the value is infinite"),
        (READS | {"patient": [1, 1, None, 2]}, "Column 'patient', row 3: the identity is missing"),
        (READS | {"read": ["a", "b", "", "b"]}, "Column 'read', row 3: the identity is missing"),
        (READS | {"volume": [1, 2, 3]}, "differ in length: 'patient' 4, 'read' 4, 'volume' 3 rows"),
    ],
)
def test_tables_of_reads(table, words):
    with pytest.raises(AnalyticsError, match=words.replace("(", r"\(").replace("+", r"\+")):
        on_table(icc_of, table, **NAMES)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"years": [1, -2, 3, 4]}, "Column 'time', row 2: the time -2 is negative"),
        ({"event": [0, 2, 0, 1]}, "Column 'event', row 2: 2 is neither 0 nor 1"),
        ({"event": [0, "yes", 0, 1]}, "Column 'event', row 2: 'yes' is not a number"),
    ],
)
def test_tables_of_follow_up(columns, words):
    with pytest.raises(AnalyticsError, match=words):
        on_table(cox_of, YEARS | columns, **SURVIVAL, covariates=("x",))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (
            lambda: on_table(
                icc_of, READS | {"read": ["a", "a", "a", "a"], "patient": [1, 2, 3, 4]}, **NAMES
            ),
            "one reader only",
        ),
        (lambda: on_table(icc_of, READS | {"volume": [0, 0, 0, 0]}, **NAMES), "all values are equal"),
        (
            lambda: on_table(spearman_of, {"a": [0] * 5, "b": [0] * 5}, first="a", second="b"),
            "all values of one read are equal",
        ),
        (
            lambda: on_table(
                kappa_of, {"a": ["x"] * 5, "b": ["x"] * 5}, first="a", second="b", levels=["x", "y"]
            ),
            "one category",
        ),
        (
            lambda: on_table(roc_of, {"m": [1, 2, 3], "o": [0, 0, 0]}, marker="m", outcome="o"),
            "0 with and 3 without",
        ),
        (
            lambda: on_table(cox_of, YEARS | {"event": [0] * 4}, **SURVIVAL, covariates=("x",)).terms[0],
            "no events",
        ),
        (
            lambda: on_table(cumulative_incidence_of, {"years": [], "event": []}, **SURVIVAL, horizon=2),
            "no row with time and event",
        ),
    ],
)
def test_what_cannot_be_estimated_is_null_with_its_reason(found, reason):
    result = found()
    assert result.estimate is None
    assert reason in result.reason
    assert "nan" not in result.sentence().lower()
    assert "not estimable" in result.sentence() or reason in result.sentence()


def test_all_zero_volumes_have_a_bias_and_no_interval():
    found = on_table(bland_altman_of, {"a": [0] * 5, "b": [0] * 5}, first="a", second="b")
    assert (found.estimate, found.interval) == (0.0, None)
    assert found.interval_reason == "all differences are equal"


def test_a_read_that_is_missing_is_dropped_and_counted():
    table = {"patient": [1, 1, 2, 2, 3, 3], "read": ["a", "b"] * 3, "volume": [1, 2, 3, None, 5, 4.5]}
    found = on_table(icc_of, table, **NAMES)
    assert found.n == 2
    assert "1 dropped: a read is missing" in found.sentence()


def test_a_million_rows_are_read_and_answered():
    rng = np.random.default_rng(4)
    n = 500_000
    first = rng.lognormal(3.9, 1.3, n)
    table = {
        "lesion": np.repeat(np.arange(n), 2),
        "patient": np.repeat(np.arange(n) // 7, 2),
        "read": np.tile(["a", "b"], n),
        "volume": np.column_stack([first, first * rng.lognormal(0, 0.2, n)]).ravel(),
    }
    begin = time.perf_counter()
    found = on_table(
        icc_of, table, subject="lesion", rater="read", value="volume", cluster="patient", replicates=0
    )
    assert (found.n, found.clusters) == (n, n // 7 + 1)
    assert 0.9 < found.estimate < 1
    assert time.perf_counter() - begin < 60, "seconds on a busy machine, not minutes"
