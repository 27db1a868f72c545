"""Values of a case as its page prints them."""

from __future__ import annotations

import pytest

from analytics.metrics import METRICS
from plaquelab.dashboards.case_list import metric_of, shown


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (49.96, "diameter_stenosis_first", "49.9"),
        (0.0, "total_plaque_volume_second", "0.0"),
        (1.125, "remodelling_index_first", "1.13"),
        (-78.25, "pericoronary_fat_attenuation", "−78.3"),
        (2.0, "high_risk_features", "2"),
        (63.0, "age", "63"),
        (63.125, "age", "63.13"),
        (float("nan"), "lumen_volume", "–"),
        (True, "excluded", "yes"),
        ("not_evaluable", "status", "not evaluable"),
    ],
)
def test_a_metric_has_its_digits_wherever_it_stands(value: object, column: str, text: str) -> None:
    assert shown(value, metric_of(column)) == text


def test_a_column_knows_its_metric() -> None:
    assert metric_of("lumen_volume_first") is METRICS["lumen_volume"]
    assert metric_of("position") is None
