"""Who is in a study: the numbers of a baseline table."""

from analytics.cohort.describe import (
    Description,
    describe,
    quantiles,
    share,
    standardised_difference,
    welch,
)

__all__ = ["Description", "describe", "quantiles", "share", "standardised_difference", "welch"]
