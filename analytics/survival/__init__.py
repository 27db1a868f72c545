"""Time to an event: cumulative incidence, log-rank, proportional hazards, few events."""

from analytics.survival.cox import cox
from analytics.survival.firth import firth
from analytics.survival.hazard_ratio import Cox, HazardRatio
from analytics.survival.kaplan_meier import CumulativeIncidence, cumulative_incidence

__all__ = ["Cox", "CumulativeIncidence", "HazardRatio", "cox", "cumulative_incidence", "firth"]
