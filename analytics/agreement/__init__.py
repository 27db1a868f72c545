"""How two or more reads of the same thing agree."""

from analytics.agreement.bland_altman import BlandAltman, bland_altman
from analytics.agreement.components import ComponentIcc, icc_reml, nested_icc
from analytics.agreement.correlation import Correlation, kendall, spearman
from analytics.agreement.icc import Icc, icc
from analytics.agreement.kappa import Kappa, kappa
from analytics.agreement.lin import ConcordanceCorrelation, concordance_correlation
from analytics.agreement.quantile_limits import QuantileLimits, quantile_limits
from analytics.agreement.rank_sum import RankSum, rank_sum
from analytics.agreement.ratio_limits import RatioLimits, ratio_limits
from analytics.agreement.regression import MethodComparison, deming, passing_bablok
from analytics.agreement.regression_limits import RegressionLimits, regression_limits
from analytics.agreement.repeatability import Repeatability, repeatability
from analytics.agreement.signed_rank import SignedRank, signed_rank
from analytics.agreement.total_deviation import TotalDeviation, total_deviation

__all__ = [
    "BlandAltman",
    "ComponentIcc",
    "ConcordanceCorrelation",
    "Correlation",
    "Icc",
    "Kappa",
    "MethodComparison",
    "QuantileLimits",
    "RankSum",
    "RatioLimits",
    "RegressionLimits",
    "Repeatability",
    "SignedRank",
    "TotalDeviation",
    "bland_altman",
    "concordance_correlation",
    "deming",
    "icc",
    "icc_reml",
    "kappa",
    "kendall",
    "nested_icc",
    "passing_bablok",
    "quantile_limits",
    "rank_sum",
    "ratio_limits",
    "regression_limits",
    "repeatability",
    "signed_rank",
    "spearman",
    "total_deviation",
]
