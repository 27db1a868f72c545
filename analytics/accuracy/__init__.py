"""How well a measurement tells diseased from healthy, or who will have an event."""

from analytics.accuracy.clustered import ClusteredAccuracy, clustered_accuracy
from analytics.accuracy.clustered_roc import ClusteredRoc, clustered_roc
from analytics.accuracy.cutoff import CutOff, cut_off
from analytics.accuracy.locked import LockedCutOff, locked_cut_off
from analytics.accuracy.maximally_selected import MaximallySelected, maximally_selected
from analytics.accuracy.mrmc import Mrmc, mrmc
from analytics.accuracy.paired import PairedAccuracy, paired_accuracy
from analytics.accuracy.predictive import PredictiveValues, predictive_values
from analytics.accuracy.roc import Roc, roc
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two, two_by_two_of

__all__ = [
    "ClusteredAccuracy",
    "ClusteredRoc",
    "CutOff",
    "LockedCutOff",
    "MaximallySelected",
    "Mrmc",
    "PairedAccuracy",
    "PredictiveValues",
    "Roc",
    "TwoByTwo",
    "clustered_accuracy",
    "clustered_roc",
    "cut_off",
    "locked_cut_off",
    "maximally_selected",
    "mrmc",
    "paired_accuracy",
    "predictive_values",
    "roc",
    "two_by_two",
    "two_by_two_of",
]
