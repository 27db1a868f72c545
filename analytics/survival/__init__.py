"""Time to an event: cumulative incidence, log-rank, proportional hazards, few events, competing events."""

from analytics.survival.competing import CompetingIncidence, competing_incidence
from analytics.survival.competing_models import cause_specific, fine_gray
from analytics.survival.cox import cox
from analytics.survival.firth import firth
from analytics.survival.hazard_ratio import Cox, HazardRatio
from analytics.survival.kaplan_meier import CumulativeIncidence, cumulative_incidence

__all__ = [
    "CompetingIncidence",
    "Cox",
    "CumulativeIncidence",
    "HazardRatio",
    "cause_specific",
    "competing_incidence",
    "cox",
    "cumulative_incidence",
    "fine_gray",
    "firth",
]
