"""Whether an effect differs between subgroups, sites and vendors."""

from analytics.heterogeneity.multiplicity import adjusted
from analytics.heterogeneity.pooling import Pooled, pool
from analytics.heterogeneity.sites import site_hazard_ratios_of, site_means_of
from analytics.heterogeneity.subgroups import Subgroups, subgroups_of

__all__ = [
    "Pooled",
    "Subgroups",
    "adjusted",
    "pool",
    "site_hazard_ratios_of",
    "site_means_of",
    "subgroups_of",
]
