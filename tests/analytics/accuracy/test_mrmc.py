"""Multi-reader multi-case analysis: the jackknife against leaving rows out, clusters, refusals (simulated ratings)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.accuracy.mrmc import _left_out, mrmc_of
from analytics.accuracy.roc import roc_of
from analytics.errors import AnalyticsError
from analytics.tables import on_table


def ratings(seed=1, readers=4, cases=60, shift=(0.8, 1.3)):
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 3 == 0
    hard = rng.normal(0, 0.7, cases)
    skill = rng.normal(0, 0.2, readers)
    scores = np.stack(
        [[truth * (s + skill[j]) + hard + rng.normal(0, 0.8, cases) for j in range(readers)] for s in shift]
    )
    return np.round(2 * scores), truth


def test_leaving_out_a_patient_equals_dropping_the_rows():
    scores, truth = ratings()
    patient = np.repeat(np.arange(20), 3)
    found = _left_out(scores[0, 0], truth, patient, 20, "auc", None)
    for p in (0, 7, 19):
        rest = patient != p
        assert found[p] == pytest.approx(
            roc_of(scores[0, 0][rest], truth[rest].astype(float)).estimate, abs=1e-12
        )
    sensitivity = _left_out(scores[0, 0], truth, patient, 20, "sensitivity", 1.0)
    assert sensitivity[3] == pytest.approx((scores[0, 0] >= 1)[truth & (patient != 3)].mean())


def test_the_difference_is_that_of_the_mean_aucs():
    scores, truth = ratings()
    found = mrmc_of(scores, truth, modalities=["unaided", "aided"])
    aucs = [[roc_of(scores[i, j], truth.astype(float)).estimate for j in range(4)] for i in range(2)]
    assert found.estimate == pytest.approx(np.mean(aucs[1]) - np.mean(aucs[0]))
    assert found.modalities[1].by_reader == pytest.approx(aucs[1])
    assert found.interval.low < found.estimate < found.interval.high
    assert found.test.df[0] == 1
    assert "aided − unaided" in found.method
    # With these readers fixed the interval cannot be wider than with other readers in mind, here.
    assert np.ptp(tuple(found.fixed_readers_interval)) < np.ptp(tuple(found.interval))


def test_null_test_keeps_its_level():
    p = [mrmc_of(*ratings(seed, shift=(1.0, 1.0))).test.p for seed in range(200)]
    assert np.mean(np.array(p) < 0.05) < 0.10


def test_cases_of_one_patient_are_no_independent_cases():
    scores, truth = ratings(cases=40)
    tripled = np.repeat(scores, 3, axis=2)
    patient = np.repeat(np.arange(40), 3)
    clustered = mrmc_of(tripled, np.repeat(truth, 3), clusters=patient.tolist())
    once = mrmc_of(scores, truth)
    naive = mrmc_of(tripled, np.repeat(truth, 3))
    assert clustered.components.error == pytest.approx(once.components.error, rel=1e-9)
    assert naive.components.error < 0.5 * once.components.error
    assert (clustered.n, clustered.clusters) == (120, 40)


def frame():
    scores, truth = ratings(readers=2, cases=12)
    rows = [
        {"case": c, "reader": f"R{j}", "modality": m, "score": scores[i, j, c], "diseased": int(truth[c])}
        for i, m in enumerate(("unaided", "aided"))
        for j in range(2)
        for c in range(12)
    ]
    return pd.DataFrame(rows)


COLUMNS = {
    "case": "case",
    "reader": "reader",
    "modality": "modality",
    "score": "score",
    "diseased": "diseased",
}


def test_a_case_without_every_rating_is_dropped_and_counted():
    table = frame()
    table.loc[5, "score"] = np.nan
    found = on_table(mrmc_of, table, **COLUMNS)
    assert (found.n, found.dropped_count) == (11, 1)


def test_what_cannot_be_estimated_says_why():
    table = frame()
    assert "one reader only" in on_table(mrmc_of, table[table["reader"] == "R0"], **COLUMNS).reason
    assert "one modality" in on_table(mrmc_of, table[table["modality"] == "aided"], **COLUMNS).reason
    assert "are healthy" in on_table(mrmc_of, table.assign(diseased=0), **COLUMNS).reason


def test_bad_tables_are_refused_by_row():
    table = frame()
    with pytest.raises(AnalyticsError, match="Row 49: a second rating"):
        on_table(mrmc_of, pd.concat([table, table.iloc[:1]], ignore_index=True), **COLUMNS)
    with pytest.raises(AnalyticsError, match="row 3: 2 is not 0 or 1"):
        on_table(mrmc_of, table.assign(diseased=[0, 0, 2] + [0] * 45), **COLUMNS)
    with pytest.raises(AnalyticsError, match="another row of this case says otherwise"):
        on_table(mrmc_of, table.assign(diseased=[1, 1] + [0] * 46), **COLUMNS)
    with pytest.raises(AnalyticsError, match="needs a threshold"):
        on_table(mrmc_of, table, merit="sensitivity", **COLUMNS)
