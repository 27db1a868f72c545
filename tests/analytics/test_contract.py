"""One contract: whatever an estimator returns says of how many units, what was dropped and why something is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.accuracy import locked_cut_off, predictive_values, two_by_two_of
from analytics.accuracy.clustered import clustered_accuracy_of
from analytics.accuracy.clustered_roc import clustered_auc_difference
from analytics.accuracy.cutoff import cut_off_of
from analytics.accuracy.paired import paired_accuracy_of
from analytics.accuracy.roc import paired_difference
from analytics.heterogeneity import subgroups_of
from analytics.result import Dropped, Finding
from analytics.survival.cox import cox_of
from analytics.survival.decision import survival_decision_curve_of
from analytics.survival.firth import firth_of
from analytics.survival.hazard_over_time import hazard_over_time_of
from analytics.survival.log_rank import log_rank
from analytics.survival.spline import spline_of
from analytics.survival.time_roc import time_auc_of

RNG = np.random.default_rng(7)
X = RNG.normal(size=120)
TIME = RNG.exponential(np.exp(-X)).round(2) + 0.01
EVENT = (RNG.random(120) < 0.6) * 1.0
CASE = (RNG.random(120) < 1 / (1 + np.exp(-X))) * 1.0
OTHER = X + RNG.normal(size=120)
PATIENT = list(np.arange(120) // 2)
LOST = X.copy()
LOST[3] = np.nan
RISK = 1 / (1 + np.exp(-X))

TWO = two_by_two_of(tp=9, fp=2, fn=3, tn=8, clusters=20, dropped=(Dropped(1, "a value is missing"),))
FINDINGS = {
    "two by two": lambda: TWO,
    "predictive values": lambda: predictive_values(TWO, [0.1]),
    "clustered accuracy": lambda: clustered_accuracy_of(X > 0, CASE == 1, clusters=PATIENT, missing=1),
    "paired accuracy": lambda: paired_accuracy_of(X > 0, OTHER > 0, CASE == 1, missing=1),
    "paired difference": lambda: paired_difference(LOST, OTHER, CASE),
    "clustered difference": lambda: clustered_auc_difference(LOST, OTHER, CASE, clusters=PATIENT),
    "locked": lambda: locked_cut_off(cut_off_of(X, CASE, replicates=0), LOST, CASE, clusters=PATIENT),
    "cox": lambda: cox_of(TIME, EVENT, {"x": LOST}),
    "firth": lambda: firth_of(TIME, EVENT, {"x": LOST}),
    "subgroups": lambda: subgroups_of(TIME, EVENT, LOST, {"half": ["a", "b"] * 60}, marker="x"),
    "spline": lambda: spline_of(TIME, EVENT, LOST),
    "hazard over time": lambda: hazard_over_time_of(TIME, EVENT, {"x": LOST}, covariate="x"),
    "time AUC": lambda: time_auc_of(TIME, EVENT, LOST, [0.5]),
    "decision": lambda: survival_decision_curve_of(TIME, EVENT, {"m": RISK * LOST / X}, [0.2], horizon=0.5),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_the_count_and_what_was_dropped_are_said(name):
    found = FINDINGS[name]()
    assert isinstance(found, Finding)
    assert found.dropped_count == 1
    assert f"1 dropped: {found.dropped[0].reason}" in found.sentence()
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert {"method", "n", "unit", "clusters", "dropped", "reason", "simulated", "version"} <= set(content)
    assert content["n"] in (22, 119, 120)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (lambda: two_by_two_of(tp=0, fp=2, fn=0, tn=8), "nobody is positive by the reference"),
        (lambda: log_rank(TIME, 0 * EVENT, np.arange(120) % 2, 2), "no events"),
        (lambda: log_rank(TIME, EVENT, np.zeros(120, int), 1), "one group only"),
        (
            lambda: log_rank(np.array([1.0, 2, 3, 4]), np.ones(4), np.array([0, 0, 1, 1]), 3),
            "the groups never overlap in time",
        ),
        (lambda: spline_of(TIME, 0 * EVENT, X), "no events"),
        (lambda: hazard_over_time_of(TIME, 0 * EVENT, {"x": X}, covariate="x"), "no events"),
        (lambda: cox_of(TIME, 0 * EVENT, {"x": X}), "no events"),
        (lambda: subgroups_of(TIME, EVENT, X, {"s": ["a"] * 120}, marker="x"), "one level only"),
        (lambda: paired_accuracy_of(X > 0, X > 0, CASE == 1), "the tests never differ"),
        (lambda: time_auc_of(TIME, 0 * EVENT, X, [1.0]), "no event by then"),
    ],
)
def test_what_is_missing_has_its_reason_in_the_sentence(found, why):
    result = found()
    assert why in result.sentence()
    assert why in json.dumps(result.to_dict())
