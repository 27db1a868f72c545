"""Whether an effect differs between subgroups, sites and vendors."""

from analytics.heterogeneity.pooling import Pooled, pool
from analytics.heterogeneity.sites import site_hazard_ratios_of, site_means, site_means_of
from analytics.heterogeneity.subgroups import Subgroups, subgroups, subgroups_of

__all__ = [
    "Pooled",
    "Subgroups",
    "pool",
    "site_hazard_ratios_of",
    "site_means",
    "site_means_of",
    "subgroups",
    "subgroups_of",
]
