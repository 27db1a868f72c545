"""Repeatability, Lin's CCC and the total deviation index on the PEFR data of Bland and Altman (1986)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.agreement.lin import concordance_correlation_of
from analytics.agreement.repeatability import repeatability_of
from analytics.agreement.total_deviation import normal_bound, total_deviation_of
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.tables import on_table

# Peak expiratory flow rate, both readings (l/min), Wright and mini meter (Bland and Altman, Lancet 1986).
WRIGHT = np.array(
    [
        [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427],
        [490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421],
    ],
    float,
).T
MINI = np.array(
    [
        [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451],
        [525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443],
    ],
    float,
).T


def test_published_within_subject_sd():
    wright, mini = repeatability_of(WRIGHT), repeatability_of(MINI)
    assert (round(wright.estimate, 1), round(mini.estimate, 1)) == (15.3, 19.9)
    assert wright.coefficient == pytest.approx(42.4271423707051)
    assert wright.df == 17
    assert "repeatability coefficient 42.43" in wright.sentence()


def test_three_reads_equal_the_one_way_mean_square():
    reads = np.random.default_rng(1).normal(100, 5, (20, 3))
    result = repeatability_of(reads)
    assert result.estimate**2 == pytest.approx(reads.var(axis=1, ddof=1).mean())
    short = np.where(np.arange(60).reshape(20, 3) % 7 == 0, np.nan, reads)
    result = repeatability_of(short)
    within = sum((row[~np.isnan(row)].var() * (~np.isnan(row)).sum()) for row in short)
    assert result.estimate**2 == pytest.approx(within / result.df)


def test_a_subject_read_once_is_dropped_and_counted():
    reads = WRIGHT.copy()
    reads[0, 1] = np.nan
    result = repeatability_of(reads)
    assert (result.n, result.dropped_count, result.dropped[0].reason) == (16, 1, "fewer than two reads")
    assert repeatability_of(reads[:1]).estimate is None
    assert repeatability_of(np.ones((5, 2))).interval_reason.startswith("all repeated reads")
    with pytest.raises(AnalyticsError, match="one row per subject"):
        repeatability_of(np.ones(4))


def test_long_table_with_patients():
    table = {
        "lesion": np.tile(np.arange(17), 2).tolist(),
        "patient": np.tile(np.arange(17) // 2, 2).tolist(),
        "read": [1] * 17 + [2] * 17,
        "flow": WRIGHT.T.ravel().tolist(),
    }
    result = on_table(
        repeatability_of, table, subject="lesion", rater="read", value="flow", cluster="patient"
    )
    assert result.clusters == 9
    assert result.cluster_interval.low < result.estimate < result.cluster_interval.high
    assert "only 9 patients" in result.sentence()
    assert result.to_dict()["cv_rms_interval"]["low"] < result.cv_rms
    assert len(draw(result).to_figure().data) == 2


def test_concordance_is_one_only_for_identical_reads():
    assert concordance_correlation_of(WRIGHT[:, 0], WRIGHT[:, 0]).estimate == pytest.approx(1)
    assert concordance_correlation_of(WRIGHT[:, 0], WRIGHT[:, 0] + 100).estimate < 0.75
    assert concordance_correlation_of(np.ones(5), WRIGHT[:5, 0]).reason == "all values of one read are equal"
    assert "three are needed" in concordance_correlation_of(WRIGHT[:2, 0], MINI[:2, 0]).reason


def test_concordance_of_pefr():
    result = concordance_correlation_of(MINI[:, 0], WRIGHT[:, 0])
    assert result.estimate == pytest.approx(0.942742431427484)
    assert tuple(result.interval) == pytest.approx((0.85049187316856, 0.978726279170122), rel=1e-6)
    assert result.pearson * result.bias_correction == pytest.approx(result.estimate)
    assert draw(result).to_figure().data


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10_000),
    st.floats(0.01, 1000),
    st.floats(-1000, 1000),
)
def test_concordance_does_not_depend_on_unit_or_order(seed, scale, shift):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 30))
    order = rng.permutation(30)
    a = concordance_correlation_of(x, y)
    b = concordance_correlation_of(scale * x[order] + shift, scale * y[order] + shift)
    assert b.estimate == pytest.approx(a.estimate, abs=1e-9)
    assert concordance_correlation_of(y, x).estimate == pytest.approx(a.estimate)


def test_clustered_interval_is_wider_where_patients_differ():
    rng = np.random.default_rng(4)
    patient = np.repeat(np.arange(40), 6)
    x = rng.normal(size=240)
    y = x + rng.normal(size=40)[patient]
    r = concordance_correlation_of(x, y, clusters=patient)
    assert r.cluster_interval.high - r.cluster_interval.low > 1.3 * (r.interval.high - r.interval.low)
    assert "patient-cluster bootstrap" in r.sentence()


def test_total_deviation_against_the_noncentral_chi_squared():
    for mean, sd, share in ((0.0, 1.0, 0.9), (3.0, 2.0, 0.8), (-20.0, 5.0, 0.95)):
        expected = (
            sd * np.sqrt(stats.ncx2.ppf(share, 1, (mean / sd) ** 2)) if mean else sd * stats.norm.ppf(0.95)
        )
        assert normal_bound(np.array([mean]), np.array([sd]), share)[0] == pytest.approx(expected, rel=1e-8)
    assert normal_bound(np.array([-4.0]), np.array([0.0]), 0.9)[0] == 4


def test_total_deviation_of_pefr():
    result = total_deviation_of(MINI[:, 0], WRIGHT[:, 0], bound=15)
    assert result.estimate == pytest.approx(61.9571672112712)
    assert result.interval.low < result.estimate < result.interval.high
    assert "patient" not in result.interval.method
    assert "41.2 % of pairs differ by at most 15.0" in result.sentence()
    assert len(draw(result).to_figure().data) == 3
    assert total_deviation_of(np.ones(4), np.ones(4)).interval_reason == "all differences are equal"
    with pytest.raises(AnalyticsError, match="share"):
        total_deviation_of(MINI[:, 0], WRIGHT[:, 0], share=1.5)
