"""Baseline descriptions: quartile types, skewness, standardised differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.cohort import describe, quantiles, share, standardised_difference, welch
from analytics.errors import AnalyticsError

X = np.array([3.0, 5, 7, 8, 9, 11, 13, 60])


def test_quartiles_by_hand():
    # n = 8: type 7 takes ranks 2.75 and 6.25, type 6 ranks 2.25 and 6.75, type 2 the means of two neighbours.
    assert quantiles(X, (0.25, 0.75), 7) == pytest.approx((6.5, 11.5))
    assert quantiles(X, (0.25, 0.75), 6) == pytest.approx((5.5, 12.5))
    assert quantiles(X, (0.25, 0.75), 2) == pytest.approx((6.0, 12.0))
    with pytest.raises(AnalyticsError, match="type 3"):
        quantiles(X, (0.5,), 3)


def test_agrees_with_scipy():
    found = describe(np.append(X, np.nan))
    assert (found.n, found.missing) == (8, 1)
    assert found.skewness == pytest.approx(stats.skew(X, bias=False))
    assert found.geometric_mean == pytest.approx(stats.gmean(X))
    expected = stats.ttest_ind(X, X[:5] + 1, equal_var=False)
    assert welch(X, X[:5] + 1).p == pytest.approx(expected.pvalue)
    assert standardised_difference(X, X + X.std(ddof=1)) == pytest.approx(1.0)


def test_skewed_values_are_printed_by_median():
    assert describe(X).printed() == "8.5 (6.5–11.5)"
    assert describe(X[:-1]).printed() == "8.0 (SD 3.4)"
    assert describe([]).printed() == "–"
    assert share(37, 911) == "37 (4.1 %)"
    assert share(0, 0) == "–"


def test_what_does_not_exist_is_none():
    assert (
        describe([]).sentence() == "description, quartiles of type 7: not estimable (no value), 0 patients."
    )
    assert "1 dropped: the value is missing" in describe([1.0, np.nan]).sentence()
    assert describe([1.0, np.nan]).to_dict()["missing"] == 1
    assert describe([5.0]).sd is None
    assert describe([0.0, 1]).geometric_mean is None
    assert describe([2.0, 2, 2]).skewness is None
    assert standardised_difference(np.ones(3), np.ones(3)) is None
    assert welch(np.ones(3), np.ones(3)) is None
