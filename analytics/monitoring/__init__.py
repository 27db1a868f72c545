"""Watching a core lab at work: how readers disagree and learn, and whether numbers drift."""

from analytics.monitoring.control_chart import ControlChart, mean_chart, proportion_chart
from analytics.monitoring.disagreement import ReaderDisagreement, reader_disagreement
from analytics.monitoring.learning import LearningCurve, learning_curve

__all__ = [
    "ControlChart",
    "LearningCurve",
    "ReaderDisagreement",
    "learning_curve",
    "mean_chart",
    "proportion_chart",
    "reader_disagreement",
]
