"""Results refuse what cannot be printed."""

from __future__ import annotations

import json

import pytest

from analytics.result import Dropped, Estimated, Finding, Interval, Result, unless


def result(**kwargs):
    return Result(**{"estimate": 0.5, "method": "share", "n": 10} | kwargs)


def test_a_missing_estimate_needs_a_reason():
    with pytest.raises(ValueError, match="needs a reason"):
        result(estimate=None)
    assert "not estimable (too few)" in result(estimate=None, reason="too few").sentence()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_estimates_and_limits_are_finite(value):
    with pytest.raises(ValueError, match="not finite"):
        result(estimate=value)
    with pytest.raises(ValueError, match="not finite"):
        Interval(0, value, "F")


def test_reversed_interval():
    with pytest.raises(ValueError, match="reversed"):
        Interval(2, 1, "F")


def test_sentence_counts_units_clusters_and_drops():
    text = result(
        n=1901,
        unit="territory",
        clusters=275,
        dropped=(Dropped(2, "a read is missing"),),
        interval=Interval(0.4, 0.6, "F"),
    ).sentence()
    assert (
        text
        == "share 0.500, 95 % CI 0.400–0.600 (F), 1,901 territories in 275 patients (2 dropped: a read is missing)."
    )


def test_json_has_version_and_no_nan():
    content = result(dropped=(Dropped(1, "why"),)).to_dict()
    assert content["version"]
    assert json.loads(json.dumps(content, allow_nan=False))["dropped"] == [{"count": 1, "reason": "why"}]


def test_the_interval_or_why_there_is_none():
    assert result(interval=Interval(0.4, 0.6, "t", 0.9)).limits(2) == ", 90 % CI 0.40–0.60 (t)"
    assert (
        ", no interval (all values are equal), 10"
        in result(interval_reason="all values are equal").sentence()
    )
    assert unless(None, "one patient") == "one patient"
    assert unless(Interval(0, 1, "t"), "one patient") is None


def test_one_contract():
    assert issubclass(Result, Finding)
    assert issubclass(Result, Estimated)
    with pytest.raises(TypeError, match="abstract"):
        Finding(method="share", n=1)
