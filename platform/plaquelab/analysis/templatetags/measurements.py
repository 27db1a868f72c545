"""Measurements in pages: their words, units and digits are the vocabulary's."""

from __future__ import annotations

from django import template

from inference.rounding import written
from inference.vocabulary import METRICS
from plaquelab.analysis.models import Measurement

register = template.Library()


@register.filter
def metric_label(row: Measurement) -> str:
    """``Total plaque volume``."""
    return METRICS[row.metric].label


@register.filter
def metric_unit(row: Measurement) -> str:
    """``mm³``; nothing for a ratio, a count, a category or a stage."""
    return METRICS[row.metric].printed_unit


@register.filter
def measured(row: Measurement) -> str:
    """The value with its metric's digits, a category as it is, a dash where there is none."""
    return written(METRICS[row.metric], row.text or row.value)
