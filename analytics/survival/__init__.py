"""Time to an event: cumulative incidence, log-rank, proportional hazards."""

from analytics.survival.cox import Cox, cox
from analytics.survival.kaplan_meier import CumulativeIncidence, cumulative_incidence

__all__ = ["Cox", "CumulativeIncidence", "cox", "cumulative_incidence"]
