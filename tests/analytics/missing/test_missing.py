"""Uninterpretable scans by patient, vessel and lesion; Rubin's rules."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.errors import AnalyticsError
from analytics.missing import (
    accuracy_with_uninterpretable,
    pool_imputations,
    uninterpretable_of,
)
from analytics.tables import on_table

TABLE = {
    "patient": ["a", "a", "a", "b", "b", "c"],
    "vessel": ["LAD", "LAD", "RCA", "LAD", "RCA", "LAD"],
    "lesion": [1, 2, None, 1, 1, 1],
    "bad": [1, 0, 1, 1, 1, 0],
    "why": ["motion", "", "stent", "motion", "", ""],
}


def test_every_level_is_counted():
    r = on_table(
        uninterpretable_of,
        TABLE,
        patient="patient",
        vessel="vessel",
        lesion="lesion",
        flag="bad",
        reason="why",
    )
    assert (r.patients.total, r.patients.some.count, r.patients.whole.count) == (3, 2, 1)
    assert (r.vessels.total, r.vessels.some.count, r.vessels.whole.count) == (5, 4, 3)
    assert (r.lesions.total, r.lesions.some.count) == (5, 3)
    assert r.reasons == (("motion", 2), ("no reason given", 1), ("stent", 1))
    assert r.vessels.some.clusters == 3
    assert "2 of 3 patients (66.7 %), 1 entirely" in r.sentence()
    assert r.to_dict()["lesions"]["total"] == 5


def test_without_lesions():
    r = on_table(uninterpretable_of, TABLE, patient="patient", vessel="vessel", flag="bad")
    assert r.lesions is None
    assert r.to_dict()["lesions"] is None


def test_bad_rows_are_named():
    with pytest.raises(AnalyticsError, match="Row 2: the flag is neither"):
        uninterpretable_of(["a", "a"], ["LAD", "RCA"], np.array([0, np.nan]))
    with pytest.raises(AnalyticsError, match="Row 1: patient or vessel is missing"):
        uninterpretable_of([None], ["LAD"], np.array([0.0]))


def test_leaving_them_out_flatters():
    r = accuracy_with_uninterpretable(tp=40, fp=10, fn=5, tn=145, diseased=6, healthy=12)
    assert r.worst.sensitivity.estimate < r.excluded.sensitivity.estimate < r.positive.sensitivity.estimate
    assert r.worst.specificity.estimate == r.positive.specificity.estimate < r.excluded.specificity.estimate
    assert {"excluded", "positive", "worst"} <= set(r.to_dict())
    assert (r.n, r.dropped_count) == (218, 18)
    assert "called wrongly sensitivity 78.4 %" in r.sentence()
    with pytest.raises(AnalyticsError, match="must not be negative"):
        accuracy_with_uninterpretable(tp=1, fp=1, fn=1, tn=1, diseased=-1, healthy=0)


def test_equal_imputations_lose_nothing():
    r = pool_imputations([1.0, 1.0, 1.0], [0.04, 0.04, 0.04], n=1000)
    assert (r.total_variance, r.between) == (pytest.approx(0.04), 0)
    assert r.missing_information == pytest.approx(2 / (r.df + 3))
    assert list(r.interval) == pytest.approx([1 - 1.9623 * 0.2, 1 + 1.9623 * 0.2], abs=1e-3)


def test_more_disagreement_is_wider():
    near, far = (pool_imputations([1 - d, 1, 1 + d], [0.04] * 3, n=200) for d in (0.05, 0.4))
    assert far.interval.low < near.interval.low
    assert far.missing_information > near.missing_information
    assert far.df < near.df


def test_imputations_refuse_what_was_not_estimable():
    with pytest.raises(AnalyticsError, match="at least two"):
        pool_imputations([1.0], [0.1], n=10)
    with pytest.raises(AnalyticsError, match="were estimable"):
        pool_imputations([1.0, np.nan], [0.1, 0.1], n=10)
    assert "no variance" in pool_imputations([1.0, 1.0], [0, 0], n=10).interval_reason
