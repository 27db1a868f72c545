"""How well a measurement tells diseased from healthy, or who will have an event."""

from analytics.accuracy.binomial import (
    agresti_coull,
    clopper_pearson,
    jeffreys,
    mid_p,
    wald,
    wilson,
    wilson_corrected,
)
from analytics.accuracy.clustered import (
    ClusteredAccuracy,
    ClusteredProportion,
    clustered_accuracy_of,
    clustered_proportion,
)
from analytics.accuracy.clustered_roc import ClusteredRoc, clustered_auc_difference, clustered_roc_of
from analytics.accuracy.cutoff import CutOff, cut_off_of
from analytics.accuracy.locked import LockedCutOff, locked_cut_off
from analytics.accuracy.maximally_selected import (
    MaximallySelected,
    log_rank_scores,
    maximally_selected,
    rank_scores,
)
from analytics.accuracy.mrmc import Mrmc, mrmc_of
from analytics.accuracy.paired import PairedAccuracy, paired_accuracy_of
from analytics.accuracy.predictive import PredictiveValues, predictive_values
from analytics.accuracy.roc import (
    AucDifference,
    Roc,
    hanley_mcneil_se,
    paired_difference,
    roc_of,
    unpaired_difference,
)
from analytics.accuracy.roc_bootstrap import BootstrappedAuc, bootstrapped_auc_of
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two_at, two_by_two_of

__all__ = [
    "AucDifference",
    "BootstrappedAuc",
    "ClusteredAccuracy",
    "ClusteredProportion",
    "ClusteredRoc",
    "CutOff",
    "LockedCutOff",
    "MaximallySelected",
    "Mrmc",
    "PairedAccuracy",
    "PredictiveValues",
    "Roc",
    "TwoByTwo",
    "agresti_coull",
    "bootstrapped_auc_of",
    "clopper_pearson",
    "clustered_accuracy_of",
    "clustered_auc_difference",
    "clustered_proportion",
    "clustered_roc_of",
    "cut_off_of",
    "hanley_mcneil_se",
    "jeffreys",
    "locked_cut_off",
    "log_rank_scores",
    "maximally_selected",
    "mid_p",
    "mrmc_of",
    "paired_accuracy_of",
    "paired_difference",
    "predictive_values",
    "rank_scores",
    "roc_of",
    "two_by_two_at",
    "two_by_two_of",
    "unpaired_difference",
    "wald",
    "wilson",
    "wilson_corrected",
]
