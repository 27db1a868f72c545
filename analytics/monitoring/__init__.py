"""Watching a core lab at work: how readers disagree, learn and take time, what fails, and whether numbers drift."""

from analytics.monitoring.control_chart import ControlChart, mean_chart, proportion_chart
from analytics.monitoring.disagreement import ReaderDisagreement, reader_disagreement
from analytics.monitoring.learning import LearningCurve, learning_curve
from analytics.monitoring.rate import Rate, rate_of
from analytics.monitoring.timing import PairedTiming, paired_timing_of

__all__ = [
    "ControlChart",
    "LearningCurve",
    "PairedTiming",
    "Rate",
    "ReaderDisagreement",
    "learning_curve",
    "mean_chart",
    "paired_timing_of",
    "proportion_chart",
    "rate_of",
    "reader_disagreement",
]
