"""inference and analytics may not import each other: what both know of the field's words is held equal here."""

from __future__ import annotations

import random

import numpy as np
import pytest

import analytics.metrics
import analytics.rounding
import inference.rounding
import inference.vocabulary
from analytics.freeze import TABLES
from analytics.simulation import lesion_places, lesion_reads
from inference.grading import cadrads, plaque_stage

WITHOUT_STATISTICS = {"lesion_start", "lesion_end", "cadrads"}
"""Places and categories: the statistics compare them otherwise than as a continuous metric."""


def test_metrics_are_the_same_metrics() -> None:
    words = inference.vocabulary.METRICS
    unknown = set(words) - set(analytics.metrics.METRICS)
    assert unknown == WITHOUT_STATISTICS, "to add to analytics/metrics.py, or to WITHOUT_STATISTICS with why"
    for name, metric in analytics.metrics.METRICS.items():
        known = words[name]
        assert (metric.name, metric.label, metric.unit, metric.digits, metric.heading, metric.borders) == (
            known.name,
            known.label,
            known.printed_unit,
            known.digits,
            known.heading,
            known.borders,
        ), name
        assert metric.zero_when_absent == known.zero_when_absent, name


def test_a_metric_has_numbers_wherever_it_is_measured_or_rolls_up() -> None:
    for name, metric in analytics.metrics.METRICS.items():
        known = inference.vocabulary.METRICS[name]
        measured = set(known.levels) & set(analytics.metrics.LEVELS)
        assert measured <= set(metric.levels), name
        if set(metric.levels) == {"lesion"}:
            assert known.roll_up == "none", name


def test_vessels_and_territories_are_the_same() -> None:
    assert analytics.metrics.VESSELS == inference.vocabulary.VESSELS
    assert analytics.metrics.TERRITORIES == inference.vocabulary.TERRITORIES
    assert analytics.metrics.TERRITORY_OF == inference.vocabulary.TERRITORY_OF
    assert set(analytics.metrics.TERRITORY_OF.values()) == set(analytics.metrics.TERRITORIES)


def test_lesions_of_the_simulation_lie_in_vessels_and_segments_as_they_are() -> None:
    assert tuple(lesion_places.PATHS) == inference.vocabulary.TERRITORIES
    placed = [vessel for vessels, _ in lesion_places.PATHS.values() for vessel in vessels]
    assert set(placed) == set(lesion_places.SEGMENTS)
    for territory, (vessels, shares) in lesion_places.PATHS.items():
        assert {inference.vocabulary.territory_of(vessel) for vessel in vessels} == {territory}
        assert sum(shares) == pytest.approx(1.0)
    # A branch is its segment; LM, LAD, LCx and RCA are the arteries whose segments they run through.
    segments = {s.number: s for s in inference.vocabulary.SEGMENTS}
    for vessel, numbers in lesion_places.SEGMENTS.items():
        for number in numbers:
            assert vessel in (segments[number].short, segments[number].artery), (vessel, number)


def test_grades_of_the_simulation_are_those_of_the_measurements() -> None:
    limits = np.array(inference.vocabulary.CADRADS_LIMITS)
    stenoses = np.r_[np.linspace(0, 100, 2001), limits, np.nextafter(limits, 0), 49.5]
    assert lesion_reads.cadrads(stenoses).tolist() == [int(cadrads(x)) for x in stenoses.tolist()]
    volumes = np.r_[np.linspace(0, 1000, 401), 250.0, 750.0, np.nextafter([250.0, 750.0], 1e9)]
    assert lesion_reads.plaque_stage(volumes).tolist() == [plaque_stage(x) for x in volumes.tolist()]


def test_vessel_columns_of_a_freeze_speak_of_the_same_territories() -> None:
    choices = TABLES["territory_pairs"].column("territory")
    assert choices is not None
    assert choices.choices == inference.vocabulary.TERRITORIES


def test_both_libraries_round_alike() -> None:
    draw = random.Random(7)
    numbers = [0.0, -0.0, 5e-324, -1e-9, 1e21, 0.285, 1.005, -2.5]
    numbers += [draw.randint(-4000, 4000) / 40 for _ in range(2000)]  # ties of one decimal and none
    numbers += [draw.gauss(0, 10.0 ** draw.randint(-3, 5)) for _ in range(2000)]
    limits = inference.vocabulary.CADRADS_LIMITS
    for number in numbers:
        for digits in (0, 1, 2, 3):
            assert inference.rounding.half_up(number, digits) == analytics.rounding.half_up(number, digits)
            for borders in ((), limits):
                assert inference.rounding.printed(number, digits, borders) == analytics.rounding.printed(
                    number, digits, borders
                ), (number, digits)
