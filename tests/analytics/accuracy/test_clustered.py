"""Clustered proportions and AUC (simulated data; DeLong and brute force as second opinions)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.accuracy.clustered import clustered_accuracy_of
from analytics.accuracy.clustered_roc import clustered_auc_difference, clustered_roc_of
from analytics.accuracy.roc import paired_difference, roc_of, unpaired_difference
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.tables import on_table


def study(patients=60, seed=0, shared=1.0):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 4)
    effect = shared * rng.normal(size=patients)[patient]
    diseased = (effect + rng.normal(size=len(patient))) > 0
    marker = diseased + effect + rng.normal(size=len(patient))
    return marker, diseased, patient


def test_proportions_are_the_plain_ones_with_a_wider_interval():
    marker, diseased, patient = study(shared=2.0)
    r = clustered_accuracy_of(marker > 0.5, diseased, clusters=patient)
    assert r.sensitivity.estimate == pytest.approx((marker > 0.5)[diseased].mean())
    assert r.specificity.estimate == pytest.approx((marker <= 0.5)[~diseased].mean())
    assert r.sensitivity.design_effect > 1.2
    low, high = r.sensitivity.interval
    assert low < r.sensitivity.estimate < high
    assert "design effect" in r.sentence()
    assert len(draw(r).to_figure().data) == 3
    assert r.to_dict()["accuracy"]["numerator"] == r.accuracy.numerator


def test_one_unit_per_patient_is_nearly_binomial():
    marker, diseased, _ = study()
    r = clustered_accuracy_of(marker > 0, diseased, clusters=np.arange(240)).accuracy
    p = r.estimate
    assert r.se == pytest.approx(np.sqrt(p * (1 - p) / 239))


def test_table_drops_missing_and_names_empty_rows():
    table = {"stenosis": [60, 80, np.nan, 20], "reference": [55, 70, 90, 60], "patient": [1, 1, 2, 3]}
    r = on_table(
        clustered_accuracy_of, table, test="stenosis", reference="reference", cluster="patient", threshold=50
    )
    assert r.sensitivity.dropped_count == 1
    assert r.specificity.reason == "nobody is negative by the reference"
    assert (r.n, r.clusters, r.dropped_count) == (3, 2, 1)
    perfect = clustered_accuracy_of(np.ones(4, bool), np.ones(4, bool), clusters=[1, 1, 2, 2]).sensitivity
    assert perfect.interval is None
    assert "Clopper–Pearson; all units agree: exact interval only" in perfect.sentence()
    assert perfect.exact_interval.high == 1
    with pytest.raises(AnalyticsError, match="differ in length"):
        clustered_accuracy_of(np.ones(4, bool), np.ones(4, bool), clusters=[1])


def test_clustered_interval_covers():
    hits = 0
    truth = study(patients=40_000, seed=99, shared=1.5)
    share = (truth[0] > 0.5)[truth[1]].mean()
    for seed in range(400):
        marker, diseased, patient = study(patients=60, seed=seed, shared=1.5)
        low, high = clustered_accuracy_of(marker > 0.5, diseased, clusters=patient).sensitivity.interval
        hits += low <= share <= high
    assert 0.91 <= hits / 400 <= 0.98


def test_auc_against_brute_force_and_delong():
    marker, diseased, patient = study(shared=2.0)
    r = clustered_roc_of(marker, diseased, clusters=patient)
    wins = np.sign(marker[diseased][:, None] - marker[~diseased]) / 2 + 0.5
    assert r.estimate == pytest.approx(wins.mean())
    assert r.naive_se == pytest.approx(roc_of(marker, diseased).se)
    assert r.interval.low < r.estimate < r.interval.high
    assert r.logit_interval.low < r.estimate
    assert "DeLong's interval for independent units" in r.sentence()
    assert len(draw(r).to_figure().data) == 2


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_one_unit_per_patient_gives_nearly_delong(seed):
    marker, diseased, _ = study(seed=seed)
    alone = np.arange(240)
    r = clustered_roc_of(marker, diseased, clusters=alone)
    assert r.se == pytest.approx(roc_of(marker, diseased).se, rel=1e-9)
    other = marker + np.random.default_rng(seed).normal(size=240)
    d = clustered_auc_difference(marker, other, diseased, clusters=alone)
    assert d.test.p == pytest.approx(paired_difference(marker, other, diseased).test.p, rel=1e-6)
    renamed = clustered_roc_of(np.exp(marker), diseased, clusters=[f"P{i}" for i in alone])
    assert renamed.se == pytest.approx(r.se)


def test_auc_refusals():
    marker, diseased, patient = study()
    assert clustered_roc_of(marker, np.ones(240), clusters=patient).estimate is None
    assert (
        "fewer than two patients"
        in clustered_roc_of(np.array([1.0, 2, 3]), np.array([0, 1, 1]), clusters=[1, 1, 1]).interval_reason
    )
    table = {"x": marker, "y": diseased.astype(int), "p": patient}
    assert on_table(clustered_roc_of, table, marker="x", outcome="y", cluster="p").clusters == 60
    same = clustered_auc_difference(marker, marker, diseased, clusters=patient)
    assert same.interval_reason == "the difference has no spread"
    with pytest.raises(AnalyticsError, match="0 or 1"):
        clustered_auc_difference(marker, marker, diseased + 1.0, clusters=patient)


def test_unpaired_comparison_is_antisymmetric():
    a, b = (roc_of(*study(seed=s)[:2]) for s in (1, 2))
    forward, back = unpaired_difference(a, b), unpaired_difference(b, a)
    assert forward.estimate == pytest.approx(-back.estimate)
    assert forward.test.p == pytest.approx(back.test.p)
    assert forward.to_dict()["interval"]["method"] == "DeLong, t"
    assert (forward.n, forward.covariance) == (a.n + b.n, 0)
    one_kind = unpaired_difference(a, roc_of(np.array([1.0, 2]), np.array([1, 1])))
    assert (one_kind.estimate, one_kind.reason) == (None, "2 with and 0 without outcome")
    certain = roc_of(np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1]))
    assert unpaired_difference(a, certain).interval_reason == "an AUC has no variance"


def test_paired_differences_count_what_they_drop():
    marker, diseased, patient = study()
    other = marker + np.random.default_rng(2).normal(size=240)
    other[7] = np.nan
    outcome = diseased.astype(float)
    outcome[8] = np.nan
    delong = paired_difference(marker, other, outcome, unit="lesion")
    clustered = clustered_auc_difference(marker, other, outcome, clusters=patient)
    for found in (delong, clustered):
        assert (found.n, found.dropped_count) == (238, 2)
        assert found.estimate == pytest.approx(found.aucs[0] - found.aucs[1])
        assert "238 lesions" in found.sentence()
    assert delong.estimate == clustered.estimate
    alone = paired_difference(np.array([1.0, 2, 3]), np.array([3.0, 1, 2]), np.array([1.0, 0, 0]))
    assert alone.interval_reason == "one case or one control only"
    assert "0 with and 3" in paired_difference(np.ones(3), np.ones(3), np.zeros(3)).reason
