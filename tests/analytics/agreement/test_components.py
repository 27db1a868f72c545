"""Variance components: Shrout and Fleiss (1979), missing reads against a dense likelihood, nested lesions (simulated)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from analytics.agreement.components import icc_reml_of, nested_icc_of
from analytics.agreement.icc import icc_of
from analytics.agreement.minimise import golden_section
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.tables import on_table

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def dense_deviance(ratings, subject, rater, residual):
    """−2 REML log-likelihood by the covariance matrix itself."""
    i, j = np.nonzero(~np.isnan(ratings))
    y = ratings[i, j]
    v = subject * (i[:, None] == i) + rater * (j[:, None] == j) + residual * np.eye(len(y))
    inverse, one = np.linalg.inv(v), np.ones(len(y))
    xx = one @ inverse @ one
    error = y - (one @ inverse @ y) / xx
    return np.linalg.slogdet(v)[1] + np.log(xx) + error @ inverse @ error + (len(y) - 1) * np.log(2 * np.pi)


def test_complete_reads_give_the_mean_square_estimates():
    result = icc_reml_of(SHROUT_FLEISS, replicates=0)
    assert result.estimate == pytest.approx(icc_of(SHROUT_FLEISS).estimate, rel=1e-6)
    assert result.icc_consistency == pytest.approx(icc_of(SHROUT_FLEISS, form="C,1").estimate, rel=1e-6)
    assert result.components["rater"] == pytest.approx(5.24444, rel=1e-5)
    assert -2 * result.log_likelihood == pytest.approx(
        dense_deviance(SHROUT_FLEISS, *result.components.values())
    )


def test_missing_reads_against_the_dense_likelihood():
    ratings = np.vstack([SHROUT_FLEISS, SHROUT_FLEISS[::-1] + 1.5])
    ratings[0, 1] = ratings[3, 2] = ratings[5, 0] = ratings[5, 3] = ratings[8, 0] = np.nan
    result = icc_reml_of(ratings, replicates=0)
    best = optimize.minimize(
        lambda log: dense_deviance(ratings, *np.exp(log)),
        np.log(list(result.components.values())) + 0.3,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000},
    )
    assert -2 * result.log_likelihood == pytest.approx(best.fun, abs=1e-7)
    assert list(result.components.values()) == pytest.approx(np.exp(best.x).tolist(), rel=1e-3)
    assert (result.observations, result.dropped_count) == (43, 0)


def test_a_rater_without_effect_lies_on_the_boundary():
    rng = np.random.default_rng(1)
    ratings = rng.normal(size=(60, 1)) * 3 + rng.normal(size=(60, 3))
    ratings -= ratings.mean(axis=0)
    result = icc_reml_of(ratings, replicates=0)
    assert result.components["rater"] == 0
    assert result.icc_agreement == result.icc_consistency


def test_long_table_interval_and_warning():
    i, j = np.indices(SHROUT_FLEISS.shape)
    table = {"subject": i.ravel(), "rater": j.ravel(), "value": SHROUT_FLEISS.ravel(), "patient": i.ravel()}
    result = on_table(icc_reml_of, table, subject="subject", rater="rater", value="value", cluster="patient")
    assert result.interval.low < result.estimate < result.interval.high
    assert any("rests on 4 raters" in w for w in result.warnings)
    assert "subject 2.56, rater 5.24, residual 1.02" in result.sentence()
    assert len(draw(result).to_figure().data) == 3


def test_crossed_refusals():
    assert icc_reml_of(SHROUT_FLEISS[:, :1]).reason == "one reader only"
    assert "read twice" in icc_reml_of(np.array([[1, np.nan], [np.nan, 2], [3, np.nan]])).reason
    assert "no read" in icc_reml_of(np.column_stack([SHROUT_FLEISS[:, :2], np.full(6, np.nan)])).reason
    assert "equal" in icc_reml_of(np.ones((5, 2))).reason
    with pytest.raises(AnalyticsError, match="variance components give"):
        icc_reml_of(SHROUT_FLEISS, form="1,k")


def nested(patients=60, seed=0, sd=(20.0, 30.0, 5.0), most=9):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, most, patients))
    centre = sd[0] * rng.normal(size=patients)[patient] + sd[1] * rng.normal(size=len(patient))
    return centre[:, None] + sd[2] * rng.normal(size=(len(patient), 2)) + [0, 4], patient


def nested_deviance(ratings, patient, variances):
    n, k = ratings.shape
    y, owner, lesion = ratings.ravel(), np.repeat(patient, k), np.repeat(np.arange(n), k)
    x = np.tile(np.eye(k), (n, 1))
    v = variances[0] * (owner[:, None] == owner) + variances[1] * (lesion[:, None] == lesion)
    v = v + variances[2] * np.eye(n * k)
    inverse = np.linalg.inv(v)
    xx = x.T @ inverse @ x
    error = y - x @ np.linalg.solve(xx, x.T @ inverse @ y)
    return np.linalg.slogdet(v)[1] + np.linalg.slogdet(xx)[1] + error @ inverse @ error


@pytest.mark.parametrize("sd", [(20.0, 30.0, 5.0), (20.0, 0.0, 10.0), (0.0, 20.0, 10.0)])
def test_nested_fit_is_the_minimum_of_the_dense_likelihood(sd):
    ratings, patient = nested(patients=25, seed=3, sd=sd)
    result = nested_icc_of(ratings, clusters=patient, replicates=0)
    variances = list(result.components.values())
    ours = nested_deviance(ratings, patient, variances)
    best = optimize.minimize(
        lambda root: nested_deviance(ratings, patient, root**2),
        np.sqrt(variances) + 1,
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 3000},
    )
    assert ours <= best.fun + 1e-6
    assert variances == pytest.approx((best.x**2).tolist(), abs=0.05)


def test_nested_table_interval_and_bias():
    ratings, patient = nested()
    i, j = np.indices(ratings.shape)
    table = {
        "patient": patient[i.ravel()],
        "lesion": i.ravel(),
        "rater": np.array(["expert", "network"])[j.ravel()],
        "value": ratings.ravel(),
    }
    result = on_table(nested_icc_of, table, patient="patient", subject="lesion", rater="rater", value="value")
    assert result.interval.low < result.estimate < result.interval.high
    assert result.raters == ("expert", "network")
    assert result.bias[0] == pytest.approx((ratings[:, 1] - ratings[:, 0]).mean())
    assert result.components["lesion"] == pytest.approx(900, rel=0.4)
    assert "patient-cluster bootstrap" in result.sentence()


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.1, 50))
def test_nested_icc_does_not_depend_on_unit_names_or_order(seed, scale):
    ratings, patient = nested(patients=15, seed=seed)
    order = np.random.default_rng(seed).permutation(len(patient))
    a = nested_icc_of(ratings, clusters=patient, replicates=0)
    b = nested_icc_of(scale * ratings[order] + 7, clusters=[f"P{c}" for c in patient[order]], replicates=0)
    assert b.estimate == pytest.approx(a.estimate, abs=1e-6)


def test_nested_refusals():
    ratings, patient = nested(most=2)
    assert "cannot be told apart" in nested_icc_of(ratings, clusters=patient).reason
    ratings, patient = nested()
    assert "no residual variance" in nested_icc_of(ratings[:, [0, 0]], clusters=patient).reason
    ratings[0, 0] = np.nan
    assert nested_icc_of(ratings, clusters=patient, replicates=0).dropped_count == 1
    with pytest.raises(AnalyticsError, match="one patient each"):
        nested_icc_of(ratings, clusters=patient[1:])


def test_golden_section_finds_minima_and_boundaries():
    centre = np.array([-1.0, 0.3, 5.0])
    found = golden_section(lambda x: (x - centre) ** 2, np.zeros(3), np.ones(3))
    assert found == pytest.approx([0, 0.3, 1], abs=1e-7)
