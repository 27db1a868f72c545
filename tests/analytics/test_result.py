"""Results refuse what cannot be printed."""

from __future__ import annotations

import json

import pytest

from analytics.result import NOT_ASKED, ClusteredResult, Dropped, Estimated, Finding, Interval, Result, unless


def result(**kwargs):
    given = {
        "estimate": 0.5,
        "interval_reason": "of ten units none is made",
        "method": "share",
        "n": 10,
    } | kwargs
    if given["estimate"] is None or given.get("interval"):
        del given["interval_reason"]
    return Result(**given)


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


def test_an_interval_that_is_missing_needs_a_reason():
    with pytest.raises(ValueError, match="an interval that is missing needs a reason"):
        Result(estimate=0.5, method="share", n=10)
    with pytest.raises(ValueError, match="a reason why there is none: too few"):
        result(reason="too few")
    with pytest.raises(ValueError, match="there is an interval, and none can be had"):
        Result(
            estimate=0.5, interval=Interval(0, 1, "t"), interval_reason="one patient", method="share", n=10
        )
    with pytest.raises(ValueError, match="over patients that is missing"):
        ClusteredResult(estimate=0.5, interval=Interval(0, 1, "t"), clusters=3, method="share", n=10)


def test_an_interval_that_nobody_asked_for_is_not_missed():
    given = {"estimate": 0.5, "interval": Interval(0, 1, "t"), "clusters": 3, "method": "share", "n": 10}
    assert ClusteredResult(**given, cluster_reason=NOT_ASKED).beside() == ""
    told = ClusteredResult(**given, cluster_reason="1 patient; 2 are needed").beside()
    assert told == "; no interval over patients (1 patient; 2 are needed)"


def test_one_contract():
    assert issubclass(Result, Finding)
    assert issubclass(Result, Estimated)
    with pytest.raises(TypeError, match="abstract"):
        Finding(method="share", n=1)
