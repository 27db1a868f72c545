"""Whatever a study looks like (nobody, one value, all events, ties, gaps), an estimator answers, or says why not."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from analytics import accuracy, heterogeneity, survival
from analytics.errors import AnalyticsError
from analytics.monitoring import paired_timing_of, rate_of


class Study:
    """A few patients, their marker, outcome, follow-up and groups; often degenerate."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        n = int(rng.choice([0, 1, 2, 3, 4, 5, 8, 12]))
        coarse = bool(rng.integers(2))
        self.x, self.z = (rng.integers(0, 3, n) * 1.0 if coarse else rng.normal(size=n) for _ in range(2))
        self.y = (rng.random(n) < rng.choice([0, 0.3, 0.8, 1])) * 1.0
        self.time = rng.exponential(3, n).round(int(rng.integers(2)))
        self.event = (rng.random(n) < rng.choice([0, 0.3, 1])) * 1.0
        self.cause = self.event * rng.integers(1, 3, n)
        self.risk = rng.random(n)
        self.patient = rng.integers(0, n // 2 + 1, n).tolist()
        self.group = rng.choice(["a", "b", "c"], n).tolist()
        self.ratings = rng.integers(0, 3, (2, 3, n)) * 1.0
        if n and rng.random() < 0.3:
            self.x[0] = self.y[-1] = np.nan


ESTIMATORS = {
    "roc": lambda s: accuracy.roc_of(s.x, s.y),
    "clustered roc": lambda s: accuracy.clustered_roc_of(s.x, s.y, clusters=s.patient),
    "clustered difference": lambda s: accuracy.clustered_auc_difference(s.x, s.z, s.y, clusters=s.patient),
    "paired difference": lambda s: accuracy.paired_difference(s.x, s.z, s.y),
    "unpaired difference": lambda s: accuracy.unpaired_difference(
        accuracy.roc_of(s.x, s.y), accuracy.roc_of(s.z, s.y)
    ),
    "bootstrap": lambda s: accuracy.bootstrapped_auc_of(s.x, s.y, replicates=20, clusters=s.patient),
    "cut-off": lambda s: accuracy.cut_off_of(s.x, s.y, replicates=20, clusters=s.patient),
    "locked": lambda s: accuracy.locked_cut_off(
        accuracy.cut_off_of(s.x, s.y, replicates=0), s.z, s.y, clusters=s.patient
    ),
    "search": lambda s: accuracy.maximally_selected(s.x, s.z, replicates=20),
    "clustered accuracy": lambda s: accuracy.clustered_accuracy_of(s.x > 0, s.z > 0, clusters=s.patient),
    "paired accuracy": lambda s: accuracy.paired_accuracy_of(s.x > 0, s.z > 0, s.y == 1),
    "two by two": lambda s: accuracy.two_by_two_at(s.x, s.z, threshold=1, clusters=s.patient),
    "predictive values": lambda s: accuracy.predictive_values(
        accuracy.two_by_two_at(s.x, s.z, threshold=1), [0.1]
    ),
    "readers": lambda s: accuracy.mrmc_of(s.ratings, s.y == 1, clusters=s.patient),
    "readers, sensitivity": lambda s: accuracy.mrmc_of(s.ratings, s.y == 1, merit="sensitivity", threshold=1),
    "incidence": lambda s: survival.cumulative_incidence_of(s.time, s.event, groups=s.group, horizon=3),
    "competing": lambda s: survival.competing_incidence_of(
        s.time, s.cause, outcomes=["a", "b"], groups=s.group, horizon=3
    ),
    "cox": lambda s: survival.cox_of(s.time, s.event, {"x": s.x, "z": s.z}, clusters=s.patient),
    "cause-specific": lambda s: survival.cause_specific_of(s.time, s.cause, {"x": s.x}),
    "fine-gray": lambda s: survival.fine_gray_of(s.time, s.cause, {"x": s.x}),
    "firth": lambda s: survival.firth_of(s.time, s.event, {"x": s.x}),
    "restricted mean": lambda s: survival.restricted_means_of(s.time, s.event, tau=2, groups=s.group),
    "spline": lambda s: survival.spline_of(s.time, s.event, s.x, knots=3),
    "time AUC": lambda s: survival.time_auc_of(s.time, s.event, s.x, [1.0, 3.0]),
    "calibration": lambda s: survival.calibration_of(s.risk, s.y),
    "survival calibration": lambda s: survival.survival_calibration_of(s.time, s.event, s.risk, horizon=2),
    "concordance": lambda s: survival.concordance_of(s.time, s.event, s.x, tau=3),
    "concordances": lambda s: survival.compare_concordance(s.time, s.event, s.x, s.z),
    "decision": lambda s: survival.decision_curve_of(s.y, {"m": s.risk}, [0.1, 0.5]),
    "survival decision": lambda s: survival.survival_decision_curve_of(
        s.time, s.event, {"m": s.risk}, [0.1, 0.5], horizon=2
    ),
    "reclassification": lambda s: survival.reclassification_of(s.risk, s.risk[::-1], s.y),
    "hazard over time": lambda s: survival.hazard_over_time_of(s.time, s.event, {"x": s.x}, covariate="x"),
    "subgroups": lambda s: heterogeneity.subgroups_of(s.time, s.event, s.x, {"g": s.group}),
    "site means": lambda s: heterogeneity.site_means_of(s.x, s.group, clusters=s.patient),
    "site ratios": lambda s: heterogeneity.site_hazard_ratios_of(s.time, s.event, s.x, s.group),
    "timing": lambda s: paired_timing_of(np.abs(s.x) + 0.1, np.abs(s.z) + 0.1),
    "rate": lambda s: rate_of(s.y, clusters=s.patient, name="failed"),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_odd_studies_are_answered_or_refused_in_words(name):
    answered = 0
    for seed in range(60):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                found = ESTIMATORS[name](Study(seed))
            except AnalyticsError:  # of the data, in words; anything else is a fault
                continue
        answered += 1
        assert found.sentence().endswith(".")
        json.dumps(found.to_dict(), allow_nan=False)
    assert answered >= 5
