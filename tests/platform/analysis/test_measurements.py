"""Measurements as the pages write them."""

from __future__ import annotations

import pytest
from django.template import engines

from plaquelab.analysis.models import Measurement

PAGE = "{% load measurements %}{{ row|metric_label }}: {{ row|measured }} {{ row|metric_unit }}"


@pytest.mark.parametrize(
    ("metric", "value", "text", "shown"),
    [
        ("total_plaque_volume", 238.45, "", "Total plaque volume: 238.5 mm³"),
        ("minimal_luminal_area", 4.005, "", "Minimal luminal area: 4.01 mm²"),
        ("diameter_stenosis", 69.97, "", "Diameter stenosis: 69.9 %"),
        ("pericoronary_fat_attenuation", -78.25, "", "Pericoronary fat attenuation: −78.3 HU"),
        ("plaque_stage", 2.0, "", "Plaque stage: 2 "),
        ("cadrads", None, "3", "CAD-RADS: 3 "),
        ("percent_atheroma_volume", None, "", "Percent atheroma volume: – %"),
    ],
)
def test_a_row_is_written_in_the_words_and_digits_of_its_metric(
    metric: str, value: float | None, text: str, shown: str
) -> None:
    row = Measurement(metric=metric, value=value, text=text)
    assert engines["django"].from_string(PAGE).render({"row": row}) == shown
