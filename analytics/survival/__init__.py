"""Time to an event: incidence, proportional hazards, competing events, and how well a marker predicts."""

from analytics.survival.calibration import Calibration, calibration_of
from analytics.survival.competing import CompetingIncidence, competing_incidence_of
from analytics.survival.competing_models import cause_specific_of, fine_gray_of
from analytics.survival.concordance import (
    Concordance,
    ConcordanceDifference,
    compare_concordance,
    concordance_of,
)
from analytics.survival.cox import cox_of
from analytics.survival.decision import (
    DecisionCurve,
    Reclassification,
    decision_curve_of,
    reclassification_of,
    survival_decision_curve_of,
)
from analytics.survival.firth import firth_of
from analytics.survival.hazard_over_time import HazardOverTime, hazard_over_time_of
from analytics.survival.hazard_ratio import Cox, HazardRatio
from analytics.survival.kaplan_meier import CumulativeIncidence, cumulative_incidence_of
from analytics.survival.log_rank import LogRank, log_rank
from analytics.survival.predicted_risk import RiskModel, cross_validated_risk, fit_risk
from analytics.survival.restricted_mean import RestrictedMeans, restricted_means_of
from analytics.survival.spline import Spline, spline_of
from analytics.survival.survival_calibration import SurvivalCalibration, survival_calibration_of
from analytics.survival.time_roc import TimeAuc, time_auc_of

__all__ = [
    "Calibration",
    "CompetingIncidence",
    "Concordance",
    "ConcordanceDifference",
    "Cox",
    "CumulativeIncidence",
    "DecisionCurve",
    "HazardOverTime",
    "HazardRatio",
    "LogRank",
    "Reclassification",
    "RestrictedMeans",
    "RiskModel",
    "Spline",
    "SurvivalCalibration",
    "TimeAuc",
    "calibration_of",
    "cause_specific_of",
    "compare_concordance",
    "competing_incidence_of",
    "concordance_of",
    "cox_of",
    "cross_validated_risk",
    "cumulative_incidence_of",
    "decision_curve_of",
    "fine_gray_of",
    "firth_of",
    "fit_risk",
    "hazard_over_time_of",
    "log_rank",
    "reclassification_of",
    "restricted_means_of",
    "spline_of",
    "survival_calibration_of",
    "survival_decision_curve_of",
    "time_auc_of",
]
