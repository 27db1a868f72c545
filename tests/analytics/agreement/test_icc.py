"""ICC against Shrout and Fleiss (1979), its refusals, its cluster bootstrap and its invariants."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from analytics.agreement.icc import FORMS, concentration, icc_of
from analytics.agreement.mean_squares import patient_sums, replicate_icc
from analytics.errors import AnalyticsError
from analytics.tables import on_table

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


@pytest.mark.parametrize(
    ("form", "published"),
    [("1,1", 0.17), ("A,1", 0.29), ("C,1", 0.71), ("1,k", 0.44), ("A,k", 0.62), ("C,k", 0.91)],
)
def test_published_values(form, published):
    assert round(icc_of(SHROUT_FLEISS, form=form).estimate, 2) == published


def test_limits_of_absolute_agreement_use_satterthwaite():
    low, high = icc_of(SHROUT_FLEISS).interval
    assert (low, high) == pytest.approx((0.018786513374712, 0.761084369648953), abs=1e-6)


def test_average_limits_are_spearman_brown_of_single():
    low, high = icc_of(SHROUT_FLEISS, form="A,k").interval
    assert (low, high) == pytest.approx((0.0711368153025035, 0.927232040167722), abs=1e-6)


def test_consistency_ignores_a_fixed_bias_and_agreement_does_not():
    x = np.linspace(0, 100, 30)
    reads = np.column_stack([x, x + 30 + np.sin(x)])
    assert icc_of(reads, form="C,1").estimate > 0.99
    assert icc_of(reads, form="A,1").estimate < 0.75


def test_negative_is_not_clipped():
    assert icc_of(np.array([[1.0, 5], [5, 1], [2, 4], [4, 2.5]]), form="C,1").estimate < -0.5


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        (np.ones((5, 2)), "all values are equal"),
        (np.arange(5.0)[:, None], "one reader only"),
        (np.array([[1.0, 2.0]]), "1 complete subject"),
        (np.empty((0, 2)), "0 complete subjects"),
    ],
)
def test_not_estimable_says_why(ratings, reason):
    result = icc_of(ratings)
    assert result.estimate is None
    assert reason in result.reason
    assert "nan" not in result.sentence().lower()
    assert result.to_dict()["estimate"] is None


def test_identical_reads_have_no_interval_instead_of_one_to_one():
    x = np.arange(8.0)
    result = icc_of(np.column_stack([x, x]))
    assert result.estimate == pytest.approx(1)
    assert result.interval is None


def test_missing_reads_are_dropped_and_counted():
    holes = SHROUT_FLEISS.copy()
    holes[2, 1] = np.nan
    result = icc_of(np.vstack([holes, [[np.nan] * 4]]))
    assert (result.n, result.dropped_count) == (5, 2)
    assert "2 dropped: a read is missing" in result.sentence()


def lesions(patients=40, seed=3):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 8, patients))
    truth = rng.lognormal(4, 1, len(patient)) + 80 * rng.standard_normal(patients)[patient]
    bias = 25 * rng.standard_normal(patients)[patient]
    return patient, np.column_stack([truth, truth + bias + 10 * rng.standard_normal(len(patient))])


def test_counts_as_weights_equal_repeated_rows():
    patient, reads = lesions()
    counts = np.random.default_rng(1).multinomial(40, [1 / 40] * 40).astype(float)
    sums = patient_sums(reads, patient, 40)
    repeated = np.concatenate([reads[patient == p] for p in range(40) for _ in range(int(counts[p]))])
    for form in FORMS:
        weighted = replicate_icc(counts[None], sums, form)[0]
        assert weighted == pytest.approx(icc_of(repeated, form=form).estimate, rel=1e-9)


def test_patient_bias_widens_the_cluster_interval():
    patient, reads = lesions(patients=80)
    result = icc_of(reads, clusters=patient)
    naive = result.interval.high - result.interval.low
    clustered = result.cluster_interval.high - result.cluster_interval.low
    assert clustered > 1.2 * naive
    assert result.clusters == 80


def test_bootstrap_is_the_same_for_the_same_seed_and_fast():
    patient, reads = lesions(patients=275)
    start = time.perf_counter()
    first = icc_of(reads, clusters=patient, seed=9)
    assert time.perf_counter() - start < 2.0  # 0.5 s alone; the machine that tests is shared
    assert first.cluster_interval == icc_of(reads, clusters=patient, seed=9).cluster_interval


def test_long_table_with_lesions_numbered_within_patients():
    table = {
        "patient": ["a", "a", "b", "a", "a", "b"],
        "lesion": [1, 2, 1, 1, 2, 1],
        "read": ["expert"] * 3 + ["network"] * 3,
        "volume": [10, 20, 40, 11, 19, "43"],
    }
    result = on_table(
        icc_of,
        table,
        subject=("patient", "lesion"),
        rater="read",
        value="volume",
        cluster="patient",
        form="A,2",
    )
    assert (result.n, result.clusters, result.form) == (3, 2, "A,k")
    assert result.raters == ("expert", "network")


def test_bad_tables_name_column_and_row():
    table = {"lesion": [1, 1], "read": ["a", "a"], "volume": [1, 2]}
    with pytest.raises(AnalyticsError, match=r"Row 2.*second value"):
        on_table(icc_of, table, subject="lesion", rater="read", value="volume")
    with pytest.raises(AnalyticsError, match=r"Column 'volume', row 2: 'x=1' is not a number"):
        on_table(icc_of, table | {"volume": [1, "x=1"]}, subject="lesion", rater="read", value="volume")
    with pytest.raises(AnalyticsError, match="no column 'volumes'"):
        on_table(icc_of, table, subject="lesion", rater="read", value="volumes")


matrices = arrays(np.float64, st.tuples(st.integers(3, 12), st.integers(2, 4)), elements=st.integers(-50, 50))


@settings(max_examples=40, deadline=None)
@given(matrices, st.sampled_from(FORMS), st.floats(0.5, 20), st.integers(-100, 100))
def test_scaling_shifting_and_reordering_change_nothing(ratings, form, factor, shift):
    first = icc_of(ratings, form=form)
    moved = icc_of(factor * ratings[::-1, ::-1] + shift, form=form)
    if first.estimate is None:
        assert moved.estimate is None
    else:
        assert moved.estimate == pytest.approx(first.estimate, abs=1e-6, rel=1e-6)


def test_without_replicates_the_interval_over_patients_is_a_jackknife():
    rng = np.random.default_rng(8)
    patient = np.repeat(np.arange(40), 4)
    truth = rng.lognormal(4, 1, 160)
    ratings = np.column_stack([truth, truth + rng.normal(0, 40, 160) + rng.normal(0, 30, 40)[patient]])
    found = icc_of(ratings, clusters=patient, replicates=0)
    left_out = [icc_of(ratings[patient != p], replicates=0).estimate for p in range(40)]
    z = np.arctanh(left_out)
    half = stats.t.ppf(0.975, 39) * np.sqrt(39 / 40 * ((z - z.mean()) ** 2).sum())
    centre = np.arctanh(found.estimate)
    assert tuple(found.cluster_interval) == pytest.approx(
        (np.tanh(centre - half), np.tanh(centre + half)), abs=1e-9
    )
    assert found.cluster_interval.method == "delete-one-patient jackknife, t on Fisher's z"
    assert "jackknife" in found.sentence()


def test_few_lesions_that_hold_the_variance_are_warned_of():
    rng = np.random.default_rng(4)
    even, skewed = rng.normal(100, 20, 1000), rng.lognormal(3.88, 1.28, 1000)
    assert concentration(np.column_stack([even, even])) == pytest.approx(0.08, abs=0.03)
    assert not icc_of(np.column_stack([even, even + rng.normal(0, 5, 1000)]), replicates=0).warnings
    found = icc_of(np.column_stack([skewed, skewed + rng.normal(0, 5, 1000)]), replicates=0)
    assert "hold" in found.warnings[0]
    assert "too narrow" in found.warnings[0]


@pytest.mark.parametrize(
    ("patients", "replicates", "warned"), [(60, 200, True), (120, 200, False), (60, 0, False)]
)
def test_a_bca_interval_of_fewer_than_a_hundred_patients_says_that_it_is_too_narrow(
    patients, replicates, warned
):
    rng = np.random.default_rng(3)
    level = rng.normal(100, 30, patients).repeat(2)
    reads = np.column_stack([level + rng.normal(0, 10, len(level)) for _ in range(2)])
    found = icc_of(reads, clusters=np.arange(patients).repeat(2), replicates=replicates)
    assert (found.bca_interval is not None) == (replicates > 0)
    assert any("BCa" in warning for warning in found.warnings) == warned
