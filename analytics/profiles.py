"""The two named profiles: how the paper's numbers were made, and how they should be made.

``lin2022`` reproduces the paper: Clopper–Pearson for sensitivity, specificity and accuracy, Mercaldo's logit interval
for predictive values, unweighted κ, rank-sum test, ICC(A,1) (ICC(C,2) against IVUS, which is what its figures fit),
Wald intervals of Cox models, units taken as independent. ``recommended`` resamples patients, tests pairs as pairs
and penalises models with few events.
"""

from __future__ import annotations

from dataclasses import dataclass

from analytics.errors import AnalyticsError


@dataclass(frozen=True)
class StatisticsProfile:
    """Choices that decide which interval or test stands first; the others stand beside it.

    icc_form, ivus_icc_form : forms of the ICC
    kappa_weights : weights of the κ that is quoted
    accuracy : profile of the intervals of 2×2 tables
    clustered : whether intervals over patients stand first
    paired_test : ``signed rank`` or ``rank sum``
    few_events : events per covariate below which the penalised model stands first; 0 for never
    corrected : whether the optimism-corrected figure stands first for a cut-off chosen on the same data
    """

    name: str
    label: str
    icc_form: str = "A,1"
    ivus_icc_form: str = "A,1"
    kappa_weights: str = "quadratic"
    accuracy: str = "recommended"
    clustered: bool = True
    paired_test: str = "signed rank"
    few_events: int = 20
    corrected: bool = True


PROFILES: dict[str, StatisticsProfile] = {
    profile.name: profile
    for profile in (
        StatisticsProfile("recommended", "Recommended"),
        StatisticsProfile(
            "lin2022",
            "As published (Lin et al. 2022)",
            ivus_icc_form="C,k",
            kappa_weights="unweighted",
            accuracy="lin2022",
            clustered=False,
            paired_test="rank sum",
            few_events=0,
            corrected=False,
        ),
    )
}


def profile(name: str) -> StatisticsProfile:
    """Return the profile of that name. Raises AnalyticsError for one that does not exist."""
    if name not in PROFILES:
        raise AnalyticsError(f"There is no profile {name!r}; there are {', '.join(PROFILES)}.")
    return PROFILES[name]
