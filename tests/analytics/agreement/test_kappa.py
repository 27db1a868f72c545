"""Cohen's κ: the matrix of Lin et al. 2022 figure 4B, the paradox, empty categories, patients as clusters."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.agreement.chance_corrected import bowker, gwet
from analytics.agreement.kappa import WEIGHTS, kappa_of, kappa_of_matrix
from analytics.errors import AnalyticsError

FIGURE_4B = np.array(
    [
        [39, 0, 0, 0, 0, 0],
        [9, 17, 1, 0, 0, 0],
        [0, 5, 24, 3, 2, 0],
        [0, 1, 6, 21, 0, 0],
        [0, 1, 0, 2, 19, 0],
        [0] * 6,
    ]
)


@pytest.mark.parametrize(
    ("weights", "value", "low", "high"),
    [
        ("unweighted", 0.746278755074425, 0.66575434430728, 0.82680316584157),
        ("linear", 0.853670773175762, 0.800750069782541, 0.906591476568983),
        ("quadratic", 0.921942469939547, 0.881721352732124, 0.96216358714697),
    ],
)
def test_figure_4b(weights, value, low, high):
    result = kappa_of_matrix(FIGURE_4B, levels=range(6), weights=weights)
    assert (result.estimate, *result.interval) == pytest.approx((value, low, high))
    assert (result.agree, result.within_one) == (120, 146)


def test_an_empty_category_changes_weighted_but_not_unweighted_kappa():
    used = FIGURE_4B[:5, :5]
    values = {
        w: (
            kappa_of_matrix(FIGURE_4B, levels=range(6), weights=w),
            kappa_of_matrix(used, levels=range(5), weights=w),
        )
        for w in WEIGHTS
    }
    assert values["unweighted"][0].estimate == pytest.approx(values["unweighted"][1].estimate)
    # Dividing every distance by the same number cancels in κ; it does not in the observed agreement.
    assert values["linear"][0].observed != pytest.approx(values["linear"][1].observed)


def test_paradox_is_reported_not_hidden():
    matrix = np.array([[118, 5], [2, 0]])
    assert kappa_of_matrix(matrix, levels=(0, 1)).estimate == pytest.approx(-0.0233918128654961)
    assert gwet(matrix)[0] == pytest.approx(0.940776337608718)
    assert bowker(matrix).p == pytest.approx(0.256839257957857)


def test_one_category_only_is_not_estimable():
    result = kappa_of([0, 0, 0], [0, 0, 0], levels=range(6))
    assert result.estimate is None
    assert "one category" in result.reason
    assert result.agree == 3


def test_perfect_agreement_has_no_interval():
    result = kappa_of([0, 1, 2], [0, 1, 2], levels=range(6))
    assert result.estimate == 1
    assert result.interval is None
    assert "no disagreement" in result.interval_reason


def test_patients_are_clusters():
    rng = np.random.default_rng(4)
    patient = np.repeat(np.arange(40), 3)
    first = rng.integers(0, 4, 40)[patient]
    second = np.where(
        (rng.random(40) < 0.3)[patient], (first + 1) % 4, first
    )  # a patient disagrees in all vessels
    result = kappa_of(first.tolist(), second.tolist(), levels=range(4), clusters=patient.tolist())
    assert result.clusters == 40
    assert result.cluster_se > 1.4 * result.se


def test_missing_is_counted_and_off_scale_refused():
    result = kappa_of([0, None, 2, 1], [0, 1, 2, 0], levels=range(3))
    assert (result.n, result.dropped_count) == (3, 1)
    with pytest.raises(AnalyticsError, match="Row 2: category 7"):
        kappa_of([0, 7], [0, 1], levels=range(6))
