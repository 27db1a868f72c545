"""How two or more reads of the same thing agree."""

from analytics.agreement.bland_altman import BlandAltman, bland_altman_of
from analytics.agreement.categorical import (
    ChanceCorrected,
    Symmetry,
    chance_corrected_of,
    symmetry_of,
    within_steps_of,
)
from analytics.agreement.components import ComponentIcc, icc_reml_of, nested_icc_of
from analytics.agreement.correlation import Correlation, kendall_of, spearman_of
from analytics.agreement.equivalence import (
    Equivalence,
    Interchangeability,
    equivalence_of,
    interchangeability_of,
)
from analytics.agreement.icc import Icc, icc_of
from analytics.agreement.kappa import Kappa, kappa_of, maximum_kappa
from analytics.agreement.lin import ConcordanceCorrelation, concordance_correlation_of
from analytics.agreement.multirater import MultiRater, fleiss_kappa
from analytics.agreement.quantile_limits import QuantileLimits, quantile_limits_of
from analytics.agreement.rank_sum import RankSum, rank_sum_of
from analytics.agreement.ratio_limits import RatioLimits, ratio_limits_of
from analytics.agreement.regression import MethodComparison, deming_of, passing_bablok_of
from analytics.agreement.regression_limits import RegressionLimits, regression_limits_of
from analytics.agreement.repeatability import Repeatability, repeatability_of
from analytics.agreement.signed_rank import SignedRank, signed_rank_of
from analytics.agreement.total_deviation import TotalDeviation, total_deviation_of

__all__ = [
    "BlandAltman",
    "ChanceCorrected",
    "ComponentIcc",
    "ConcordanceCorrelation",
    "Correlation",
    "Equivalence",
    "Icc",
    "Interchangeability",
    "Kappa",
    "MethodComparison",
    "MultiRater",
    "QuantileLimits",
    "RankSum",
    "RatioLimits",
    "RegressionLimits",
    "Repeatability",
    "SignedRank",
    "Symmetry",
    "TotalDeviation",
    "bland_altman_of",
    "chance_corrected_of",
    "concordance_correlation_of",
    "deming_of",
    "equivalence_of",
    "fleiss_kappa",
    "icc_of",
    "icc_reml_of",
    "interchangeability_of",
    "kappa_of",
    "kendall_of",
    "maximum_kappa",
    "nested_icc_of",
    "passing_bablok_of",
    "quantile_limits_of",
    "rank_sum_of",
    "ratio_limits_of",
    "regression_limits_of",
    "repeatability_of",
    "signed_rank_of",
    "spearman_of",
    "symmetry_of",
    "total_deviation_of",
    "within_steps_of",
]
