"""The statistical methods paragraph, from what was done."""

from __future__ import annotations

from analytics.profiles import StatisticsProfile
from analytics.report.facts import Facts


def methods_paragraphs(facts: Facts, profile: StatisticsProfile, replicates: int) -> tuple[str, ...]:
    """Paragraphs on data, agreement, categories, outcome and software; parts that were not done are left out."""
    made = [_data(facts), _agreement(facts, profile)]
    if "accuracy" in facts:
        made.append(_categories(profile))
    if "events" in facts:
        made.append(_outcome(facts, profile, replicates))
    made.append(
        f"Numbers are rounded once, half up, from full precision. Every figure names its number of units, clusters and method; "
        f"what cannot be estimated is given as such with the reason. Analyses were made with Plaquelab analytics {facts['version']} "
        f"on a frozen data set (SHA-256 {facts['hash'][:16]}…, seed {facts['seed']}); the same freeze and seed give the same numbers."
    )
    return tuple(p for p in made if p)


def _data(facts: Facts) -> str:
    text = f"The analysis uses the freeze of {facts['made']} with {facts['patients']} patients of {facts['sites']} sites ({facts['purposes']}); {facts['excluded']}."
    if "blinding" in facts:
        text += f" {facts['blinding'][0].upper()}{facts['blinding'][1:]} and are never pooled with them."
    return f"{facts['simulated']} {text}" if "simulated" in facts else text


def _agreement(facts: Facts, profile: StatisticsProfile) -> str:
    if "icc" not in facts:
        return ""
    against_ivus = (
        f" (ICC({profile.ivus_icc_form}) against intravascular ultrasound)"
        if profile.ivus_icc_form != profile.icc_form
        else ""
    )
    text = (
        f"Agreement of continuous measurements was assessed per lesion with the intraclass correlation coefficient in the form "
        f"ICC({profile.icc_form}) of McGraw and Wong{against_ivus}, Bland–Altman analysis (bias and 95 % limits) and Spearman's rank "
        f"correlation. Lesions of one patient are not independent: intervals over patients come from {facts['intervals']}, and limits "
        "of agreement from variance components within and between patients; F and t intervals for independent lesions stand beside."
    )
    if profile.paired_test == "rank sum":
        text += " Differences were tested with the Wilcoxon rank-sum test, as published, although reads are paired."
    else:
        text += " Differences were tested with the Wilcoxon signed-rank test, signs summed by patient."
    return text


def _categories(profile: StatisticsProfile) -> str:
    intervals = (
        "Clopper–Pearson intervals for sensitivity, specificity and accuracy and Mercaldo's logit interval for predictive values"
        if profile.accuracy == "lin2022"
        else "Wilson's intervals (exact ones at 0 and 100 %), and for territories intervals over patients from the ratio estimator"
    )
    return (
        f"CAD-RADS categories were compared with Cohen's κ ({profile.kappa_weights} quoted; unweighted, linear and quadratic shown), Gwet's "
        "AC1, the share within one category, and tests of symmetry and of equal margins. Accuracy for stenoses of 50 and 70 % or more is "
        f"given per territory and per patient with {intervals}. Non-diagnostic grades are counted and shown three ways."
    )


def _outcome(facts: Facts, profile: StatisticsProfile, replicates: int) -> str:
    first = (
        "Firth's penalised likelihood with profile intervals stands first where events per covariate are fewer than "
        f"{profile.few_events}"
        if profile.few_events
        else "Wald intervals stand first"
    )
    adjusted = f", adjusted for {facts['adjusted']}" if "adjusted" in facts else ""
    follow_up = f" ({facts['follow_up']})" if "follow_up" in facts else ""
    resamples = (
        f"{replicates:,} resamples"
        if replicates
        else "400 resamples, where the cohort is small enough to draw them at once"
    )
    return (
        f"Cumulative incidence of {facts['endpoint']} was estimated with Kaplan–Meier{follow_up} with log-log intervals and compared with the "
        f"log-rank test; competing events with Aalen–Johansen and Gray's test. Hazard ratios come from Cox models with Efron's ties{adjusted}; "
        f"{first}. Proportional hazards were tested with exact score tests. Discrimination is the area under the ROC curve with DeLong's "
        f"interval; cut-offs chosen by Youden's index are shown with the bootstrap's optimism taken off ({resamples}). The continuous marker "
        "entered restricted cubic splines before any cut-off; gain in prediction was measured with risks of models that had not seen the patient."
    )
