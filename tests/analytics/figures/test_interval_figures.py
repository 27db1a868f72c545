"""Rows of estimates with intervals: of restricted means, concordance, rates, uninterpretable scans, imputations."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.figures import draw
from analytics.missing import pool_imputations, uninterpretable_of
from analytics.monitoring.rate import rate_of
from analytics.survival.concordance import compare_concordance, concordance_of
from analytics.survival.decision import reclassification_of
from analytics.survival.restricted_mean import restricted_means_of

TIME = np.array([1, 2, 3, 4, 5, 6, 7, 8.0])
EVENT = np.array([1, 1, 0, 1, 1, 0, 1, 1.0])
SCORE = np.array([8, 5, 7, 6, 3, 4, 1, 2.0])
FLAGS = np.array([0, 1, 0, 0.0])


@pytest.mark.parametrize(
    ("result", "rows"),
    [
        (restricted_means_of(TIME, EVENT, tau=5, groups=list("abababab")), 2),
        (concordance_of(TIME, EVENT, SCORE), 1),
        (compare_concordance(np.tile(TIME, 3), np.tile(EVENT, 3), np.tile(SCORE, 3), np.arange(24.0)), 1),
        (reclassification_of(SCORE / 10, TIME / 10, EVENT), 2),
        (rate_of(FLAGS, name="failed"), 1),
        (uninterpretable_of(list("aabb"), ["LAD", "RCA"] * 2, FLAGS), 2),
        (pool_imputations([1.0, 1.2], [0.1, 0.1], n=50), 1),
    ],
)
def test_every_row_is_drawn_and_every_number_is_json(result, rows):
    figure = draw(result).to_figure()
    assert len(figure.data) == rows
    assert all(t.error_x.array[0] >= 0 for t in figure.data)
    json.dumps(result.to_dict(), allow_nan=False)
    assert "nan" not in result.sentence()


def test_refusals_are_written_into_the_figure():
    figure = draw(concordance_of(TIME, 0 * EVENT, SCORE)).to_figure()
    assert "no pair can be compared" in figure.layout.annotations[0].text
    half = restricted_means_of(TIME, EVENT * (TIME < 6), tau=7.5, groups=["a"] * 6 + ["b"] * 2)
    assert "a is followed up to 6 only" in half.reason
    assert "followed up to 6 only" in draw(half).to_figure().layout.annotations[0].text
