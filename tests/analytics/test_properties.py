"""Properties that hold for any data: relabelling, scaling, permutation, one cluster per row (random data)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.accuracy.clustered import clustered_proportion
from analytics.accuracy.clustered_roc import clustered_roc_of
from analytics.accuracy.mrmc import mrmc_of
from analytics.accuracy.roc import roc_of
from analytics.accuracy.roc_bootstrap import bootstrapped_auc_of
from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.correlation import spearman_of
from analytics.agreement.equivalence import interchangeability_of
from analytics.agreement.icc import FORMS, icc_of
from analytics.agreement.kappa import WEIGHTS, kappa_of
from analytics.monitoring import learning_curve, mean_chart
from analytics.survival.cox import cox_of
from analytics.survival.kaplan_meier import cumulative_incidence_of
from analytics.survival.predicted_risk import fit_risk

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=20, deadline=None)


def pair(seed, n=60, patients=15):
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, patients, n)
    truth = rng.lognormal(3, 1, n)
    return truth, truth + rng.normal(0, 8, n) + rng.normal(0, 5, patients)[patient], patient


def limits(interval):
    return None if interval is None else tuple(interval)


@FEW
@given(seed=SEEDS)
def test_names_of_patients_do_not_matter(seed):
    a, b, patient = pair(seed)
    named = [f"P-{(7 * p) % 15:02d}x" for p in patient]
    for of in (
        lambda c: icc_of(np.column_stack([a, b]), clusters=c, replicates=0).cluster_interval,
        lambda c: bland_altman_of(a, b, clusters=c, replicates=0).upper_interval,
        lambda c: spearman_of(a, b, clusters=c).cluster_interval,
        lambda c: interchangeability_of(a, b, b + 1, clusters=c).interval,
    ):
        assert limits(of(patient)) == pytest.approx(limits(of(named)), rel=1e-9)


@FEW
@given(seed=SEEDS)
def test_order_of_rows_does_not_matter(seed):
    a, b, patient = pair(seed)
    order = np.random.default_rng(seed).permutation(len(a))
    for of in (
        lambda x, y, c: icc_of(np.column_stack([x, y]), clusters=c, replicates=0),
        lambda x, y, c: bland_altman_of(x, y, clusters=c, replicates=0),
        lambda x, y, c: spearman_of(x, y, clusters=c),
    ):
        one, other = of(a, b, patient), of(a[order], b[order], patient[order])
        assert one.estimate == pytest.approx(other.estimate, rel=1e-9)
        assert limits(one.cluster_interval) == pytest.approx(limits(other.cluster_interval), rel=1e-8)


@FEW
@given(seed=SEEDS, factor=st.floats(0.01, 100), shift=st.floats(-1e3, 1e3))
def test_units_of_measurement_do_not_matter(seed, factor, shift):
    a, b, patient = pair(seed)
    one = icc_of(np.column_stack([a, b]), clusters=patient, replicates=0)
    other = icc_of(factor * np.column_stack([a, b]) + shift, clusters=patient, replicates=0)
    assert one.estimate == pytest.approx(other.estimate, rel=1e-6)
    assert limits(one.cluster_interval) == pytest.approx(limits(other.cluster_interval), rel=1e-5)
    ba, scaled = (
        bland_altman_of(*v, clusters=patient, replicates=0)
        for v in ((a, b), (factor * a + shift, factor * b + shift))
    )
    assert scaled.upper == pytest.approx(factor * ba.upper, rel=1e-6, abs=1e-6)
    assert limits(scaled.upper_interval) == pytest.approx(
        [factor * v for v in ba.upper_interval], rel=1e-5, abs=1e-5
    )


@FEW
@given(seed=SEEDS, form=st.sampled_from(FORMS))
def test_one_patient_per_lesion_is_no_clustering(seed, form):
    """With the same resamples, lesions that are their own patients give the interval of independent lesions."""
    a, b, _ = pair(seed)
    ratings = np.column_stack([a, b])
    numbered = icc_of(ratings, clusters=np.arange(60), replicates=200, seed=seed, form=form)
    named = icc_of(ratings, clusters=[f"x{i}" for i in range(60)], replicates=200, seed=seed, form=form)
    assert limits(numbered.cluster_interval) == limits(named.cluster_interval)
    y = (a > np.median(a)).astype(float)
    free = bootstrapped_auc_of(b, y, replicates=200, seed=seed)
    own = bootstrapped_auc_of(b, y, clusters=np.arange(60), replicates=200, seed=seed)
    assert limits(free.interval) == limits(own.interval)
    jackknifed = bland_altman_of(a, b, clusters=np.arange(60), replicates=0)
    assert jackknifed.components is None
    half = np.ptp(limits(jackknifed.cluster_interval))
    assert half == pytest.approx(np.ptp(limits(jackknifed.interval)), rel=1e-9), (
        "the jackknife of a mean is the t interval"
    )


@FEW
@given(seed=SEEDS)
def test_clusters_of_one_unit_give_the_classical_variance(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=80)
    y = (rng.random(80) < 1 / (1 + np.exp(-x))).astype(float)
    if not 2 < y.sum() < 78:
        return
    own = clustered_roc_of(x, y, clusters=list(range(80)))
    assert own.estimate == pytest.approx(roc_of(x, y).estimate)
    assert own.se == pytest.approx(roc_of(x, y).se, rel=0.05)
    share = clustered_proportion("s", y == 1, clusters=list(range(80)))
    assert share.design_effect == pytest.approx(80 / 79)


@FEW
@given(seed=SEEDS, weights=st.sampled_from(WEIGHTS))
def test_swapping_the_reads_changes_no_kappa_and_no_icc(seed, weights):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 6, 50)
    b = np.clip(a + rng.integers(-1, 2, 50), 0, 5)
    one, other = (kappa_of(x, y, levels=range(6), weights=weights) for x, y in ((a, b), (b, a)))
    assert one.estimate == pytest.approx(other.estimate)
    assert limits(one.interval) == pytest.approx(limits(other.interval))
    x, y, patient = pair(seed)
    one, other = (icc_of(np.column_stack(v), clusters=patient, replicates=0) for v in ((x, y), (y, x)))
    assert one.estimate == pytest.approx(other.estimate)


@FEW
@given(seed=SEEDS)
def test_a_rising_transformation_changes_no_ranks(seed):
    a, b, patient = pair(seed)
    assert spearman_of(a, np.exp(b / 50), clusters=patient).estimate == pytest.approx(
        spearman_of(a, b).estimate
    )
    y = (a > np.median(a)).astype(float)
    one, other = roc_of(b, y), roc_of(b**3, y)
    assert (one.estimate, limits(one.interval)) == (other.estimate, limits(other.interval))
    scores = np.stack([[b, b + a], [a + b, 2 * a + b]])
    moved = mrmc_of(scores**3, y == 1)
    assert moved.estimate == pytest.approx(mrmc_of(scores, y == 1).estimate)


@FEW
@given(seed=SEEDS, years=st.floats(0.1, 50))
def test_the_unit_of_time_does_not_matter(seed, years):
    rng = np.random.default_rng(seed)
    time, event = rng.exponential(2, 80), (rng.random(80) < 0.5).astype(float)
    x = rng.normal(size=80)
    one, other = cox_of(time, event, {"x": x}), cox_of(years * time, event, {"x": x})
    assert one.terms[0].estimate == pytest.approx(other.terms[0].estimate, rel=1e-6)
    a, b = (cumulative_incidence_of(t, event, horizon=h) for t, h in ((time, 1.0), (years * time, years)))
    assert a.estimate == pytest.approx(b.estimate, rel=1e-9)
    risk, scaled = (fit_risk(t, event, {"x": x}, horizon=h) for t, h in ((time, 1.0), (years * time, years)))
    assert risk.risk({"x": x}) == pytest.approx(scaled.risk({"x": x}), rel=1e-6)


@FEW
@given(seed=SEEDS, factor=st.floats(0.1, 60))
def test_charts_and_curves_follow_their_unit(seed, factor):
    rng = np.random.default_rng(seed)
    values, periods = rng.gamma(4, 1, 90), np.repeat(["a", "b", "c"], 30).tolist()
    one, other = (mean_chart(v, periods, what="x") for v in (values, factor * values))
    assert [p.alarm for p in one.periods] == [p.alarm for p in other.periods]
    order = np.tile(np.arange(1.0, 31), 3)
    a, b = (learning_curve(periods, order, v) for v in (values, factor * values))
    assert a.estimate == pytest.approx(b.estimate, rel=1e-9)
    assert b.levels == pytest.approx([factor * level for level in a.levels], rel=1e-9)
