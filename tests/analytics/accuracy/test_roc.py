"""AUC, DeLong, Youden: ties, direction, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.accuracy.roc import placements, roc_of
from analytics.errors import AnalyticsError


def test_ties_count_one_half():
    # Pairs: (2,1) won, (2,2) tied, (3,1) and (3,2) won: 3.5 of 4.
    assert roc_of(np.array([1, 2, 2, 3.0]), np.array([0, 0, 1, 1.0])).estimate == 3.5 / 4


def test_delong_by_definition():
    rng = np.random.default_rng(0)
    cases, controls = rng.integers(0, 12, 30) + 3.0, rng.integers(0, 12, 50).astype(float)
    kernel = (cases[:, None] > controls) + 0.5 * (cases[:, None] == controls)
    auc, v10, v01 = placements(cases, controls)
    assert auc == pytest.approx(kernel.mean())
    assert v10 == pytest.approx(kernel.mean(1))
    assert v01 == pytest.approx(kernel.mean(0))


def test_direction_is_never_flipped():
    result = roc_of(np.array([5, 4, 3, 2, 1, 0.0]), np.array([0, 0, 1, 0, 1, 1]))
    assert result.estimate < 0.5


def test_youden_lists_all_ties_and_counts_equality_as_positive():
    result = roc_of(np.array([1, 2, 3, 4.0]), np.array([0, 1, 0, 1.0]))
    assert result.youden.cut_offs == (2.0, 4.0)
    assert result.youden.index == 0.5


def test_separation_has_no_interval_of_one_to_one():
    result = roc_of(np.array([1, 2, 3, 4.0]), np.array([0, 0, 1, 1.0]))
    assert result.estimate == 1
    assert result.interval is None
    assert result.reason is None
    assert ", no interval (marker separates completely or not at all)" in result.sentence()


def test_no_event_is_null():
    result = roc_of(np.arange(5.0), np.zeros(5))
    assert result.estimate is None
    assert "0 with and 5 without" in result.reason
    with pytest.raises(AnalyticsError, match="must be 0 or 1, found 2"):
        roc_of(np.arange(2.0), np.array([0, 2.0]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1)), min_size=4, max_size=40))
def test_monotone_transforms_change_nothing_and_negation_mirrors(rows):
    x, y = np.array(rows, float).T
    result = roc_of(x, y)
    if result.estimate is None:
        return
    assert roc_of(x**3 + 7, y).estimate == pytest.approx(result.estimate)
    assert roc_of(-x, y).estimate == pytest.approx(1 - result.estimate)
