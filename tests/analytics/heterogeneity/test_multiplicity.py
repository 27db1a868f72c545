"""Adjusted p values: SciPy as second opinion, order, missing values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import AnalyticsError
from analytics.heterogeneity.multiplicity import METHODS, adjusted

P = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(P)
def test_false_discovery_rates_agree_with_scipy(p):
    from scipy.stats import false_discovery_control

    assert adjusted(p, "BH") == pytest.approx(false_discovery_control(p, method="bh"))
    assert adjusted(p, "BY") == pytest.approx(false_discovery_control(p, method="by"))


@given(P, st.sampled_from(METHODS))
def test_adjusting_raises_and_keeps_the_order(p, method):
    new = adjusted(p, method)
    assert all(old <= value <= 1 for old, value in zip(p, new, strict=True))
    by_old = [value for _, value in sorted(zip(p, new, strict=True))]
    assert by_old == sorted(by_old)


@given(P)
def test_the_methods_are_nested(p):
    rows = zip(*(adjusted(p, m) for m in ("BH", "hochberg", "holm", "bonferroni")), strict=True)
    assert all(a <= b + 1e-12 <= c + 2e-12 <= d + 3e-12 for a, b, c, d in rows)


def test_by_hand_and_missing():
    assert adjusted([0.01, None, 0.04, 0.03], "holm") == pytest.approx([0.03, None, 0.06, 0.06])
    assert adjusted([0.01, 0.04, 0.03], "hochberg") == pytest.approx([0.03, 0.04, 0.04])
    assert adjusted([]) == []


def test_bad_input():
    with pytest.raises(AnalyticsError, match=r"p value 2 is 1\.5"):
        adjusted([0.1, 1.5])
    with pytest.raises(AnalyticsError, match="Unknown method"):
        adjusted([0.1], "sidak")
