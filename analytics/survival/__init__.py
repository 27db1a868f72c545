"""Time to an event: incidence, proportional hazards, competing events, and how well a marker predicts."""

from analytics.survival.calibration import Calibration, calibration
from analytics.survival.competing import CompetingIncidence, competing_incidence
from analytics.survival.competing_models import cause_specific, fine_gray
from analytics.survival.concordance import (
    Concordance,
    ConcordanceDifference,
    compare_concordance,
    concordance_of,
)
from analytics.survival.cox import cox
from analytics.survival.decision import (
    DecisionCurve,
    Reclassification,
    decision_curve_of,
    reclassification_of,
    survival_decision_curve_of,
)
from analytics.survival.firth import firth
from analytics.survival.hazard_ratio import Cox, HazardRatio
from analytics.survival.kaplan_meier import CumulativeIncidence, cumulative_incidence
from analytics.survival.restricted_mean import RestrictedMeans, restricted_means
from analytics.survival.spline import Spline, spline
from analytics.survival.survival_calibration import SurvivalCalibration, survival_calibration_of
from analytics.survival.time_roc import TimeAuc, time_auc

__all__ = [
    "Calibration",
    "CompetingIncidence",
    "Concordance",
    "ConcordanceDifference",
    "Cox",
    "CumulativeIncidence",
    "DecisionCurve",
    "HazardRatio",
    "Reclassification",
    "RestrictedMeans",
    "Spline",
    "SurvivalCalibration",
    "TimeAuc",
    "calibration",
    "cause_specific",
    "compare_concordance",
    "competing_incidence",
    "concordance_of",
    "cox",
    "cumulative_incidence",
    "decision_curve_of",
    "fine_gray",
    "firth",
    "reclassification_of",
    "restricted_means",
    "spline",
    "survival_calibration_of",
    "survival_decision_curve_of",
    "time_auc",
]
