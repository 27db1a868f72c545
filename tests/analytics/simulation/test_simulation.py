"""The simulated cohort and reader study have the published margins and counts, and say what they are."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.accuracy.roc import roc_of
from analytics.agreement.icc import icc_of
from analytics.simulation.cohort import PublishedCounts, demonstration_cohort, simulate_cohort
from analytics.simulation.reader_study import simulate_reader_study


def test_stored_seed_meets_every_published_count():
    cohort = demonstration_cohort()
    assert len(cohort.patient) == 1611
    assert cohort.counts() == PublishedCounts(911, 37, 4, 600, 27, 14)
    assert "seed chosen to match the published counts" in cohort.note
    assert cohort.label == "simulated"


def test_other_seeds_scatter_around_the_published_counts():
    counts = [simulate_cohort(seed=seed).counts() for seed in range(30)]
    events = [c.high_volume_events + c.low_volume_events for c in counts]
    assert np.mean(events) == pytest.approx(41, abs=4)
    assert len(set(events)) > 5
    assert np.mean([c.high_volume for c in counts]) == pytest.approx(911, abs=12)


def test_margins():
    cohort = simulate_cohort(seed=5, patients=40_000)
    volume = cohort.total_plaque_volume
    diseased = volume > 0
    assert 1 - diseased.mean() == pytest.approx(0.25, abs=0.01)
    assert np.log(volume[diseased]).mean() == pytest.approx(6.164, abs=0.02)
    assert np.log(volume[diseased]).std() == pytest.approx(1.0, abs=0.02)
    assert not cohort.diameter_stenosis[~diseased].any()
    assert not cohort.low_attenuation_plaque_burden[~diseased].any()
    assert cohort.diameter_stenosis[diseased].mean() == pytest.approx(50, abs=0.1)
    assert cohort.low_attenuation_plaque_burden[diseased].mean() == pytest.approx(3.4 * 1.774, abs=0.02)
    assert np.log(cohort.assign).mean() == pytest.approx(2.631, abs=0.02)
    quarter, median, three = np.quantile(cohort.follow_up, [0.25, 0.5, 0.75])
    assert (quarter, median, three) == pytest.approx((4.0, 4.7, 5.7), abs=0.2)


def test_markers_predict_the_event():
    cohort = demonstration_cohort()
    assert 0.6 < roc_of(cohort.total_plaque_volume, cohort.event).estimate < 0.78


def test_reader_study_differences():
    study = simulate_reader_study(seed=7, patients=20_000)
    expert, network, second = (study.volume[r] for r in ("expert", "network", "second_expert"))
    assert len(expert) / 20_000 == pytest.approx(6.9, abs=0.1)
    assert expert.mean() == pytest.approx(110, rel=0.03)
    assert (network - expert).mean() == pytest.approx(5.4, abs=1)
    assert (network - expert).std() == pytest.approx(61, rel=0.1)
    assert (expert - second).mean() == pytest.approx(23.5, rel=0.1)
    assert (expert - second).std() == pytest.approx(92, rel=0.1)
    large = expert > np.quantile(expert, 0.9)
    assert (network - expert)[large].std() > 2.5 * (network - expert)[~large].std()
    assert min(network.min(), second.min()) >= 0


def test_reader_study_icc_is_about_the_published_one():
    study = simulate_reader_study(seed=8, patients=3000)
    reads = np.column_stack([study.volume["expert"], study.volume["network"]])
    assert icc_of(reads).estimate == pytest.approx(0.96, abs=0.03)
    stenosis = np.column_stack([study.stenosis["expert"], study.stenosis["network"]])
    assert icc_of(stenosis).estimate == pytest.approx(0.88, abs=0.03)


def test_patients_without_lesions_stay_in_the_study():
    study = simulate_reader_study()
    assert len(study.patients) == 275
    assert set(study.table()["cohort"]) == {"simulated"}
