"""What a network finds by itself, counted."""

from __future__ import annotations

import pytest

from inference.quantification import Lesion
from inference.training.detection import Found, detection


def test_a_lesion_is_found_where_one_and_a_half_millimetres_are_shared():
    own = Found(1)
    own.add(
        [Lesion(1, 0.0, 10.0), Lesion(2, 20.0, 24.0), Lesion(3, 40.0, 50.0)],
        [Lesion(1, 8.6, 15.0), Lesion(2, 20.5, 22.0), Lesion(3, 60.0, 62.0)],
    )
    assert (own.true, own.hit, own.drawn, own.extra) == (3, 1, 3, 2)


def test_shares_are_pooled_over_patients_and_need_three_for_an_interval():
    patients = [
        Found(n, true=4, hit=3, drawn=5, extra=1, volume_true=100.0 * n, volume_found=90.0 * n)
        for n in range(1, 5)
    ]
    found = detection(patients)
    assert found["sensitivity"]["value"] == pytest.approx(0.75)
    assert found["positive_predictive_value"]["value"] == pytest.approx(0.8)
    assert found["sensitivity"]["interval"] == pytest.approx((0.75, 0.75))
    assert found["extra_lesions_a_patient"] == 1.0
    assert found["patient_total_plaque_volume"]["bias"] == pytest.approx(-25.0)
    assert detection(patients[:2])["sensitivity"]["interval"] is None
    assert detection([Found(1)])["sensitivity"]["value"] is None
