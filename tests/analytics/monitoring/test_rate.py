"""Rates: exact by patient, wider where cases of a patient are alike, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.accuracy.binomial import wilson
from analytics.errors import AnalyticsError
from analytics.monitoring.rate import rate_of
from analytics.tables import on_table


def test_rate_by_patient_is_exact():
    r = rate_of(np.array([1, 0, 0, 0, 1.0]), reasons=["motion", "", "", "", None], name="failed analyses")
    assert (r.count, r.estimate) == (2, 0.4)
    assert r.interval.method == "Clopper–Pearson"
    assert r.reasons == (("motion", 1), ("no reason given", 1))
    assert "failed analyses: 2 of 5 scans (40.0 %" in r.sentence()


def test_rate_by_vessel_is_wider_when_patients_are_alike():
    flags = np.repeat((np.arange(40) < 8) * 1.0, 3)  # all three vessels of a patient, or none
    patients = np.repeat(np.arange(40), 3).tolist()
    r = rate_of(flags, clusters=patients, name="unreadable", unit="vessel")
    assert r.design_effect == pytest.approx(3 * 40 / 39)
    assert list(r.interval) == pytest.approx(list(wilson(8, 40)), abs=0.004)
    alone = rate_of(flags, clusters=list(range(120)), name="unreadable", unit="vessel")
    assert list(alone.interval) == pytest.approx(list(wilson(24, 120)), abs=0.002)


def test_zero_keeps_an_exact_interval():
    low, high = rate_of(np.zeros(50), clusters=[i // 2 for i in range(50)], name="failures").interval
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 50))


def test_bad_flags():
    with pytest.raises(AnalyticsError, match="'failed', row 2: 3 is neither 0 nor 1"):
        on_table(rate_of, {"failed": [0, 3]}, flag="failed")
    assert on_table(rate_of, {"failed": ["", 1]}, flag="failed").dropped_count == 1
    assert rate_of(np.array([np.nan]), name="failed").reason == "no case"
