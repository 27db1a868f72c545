"""Cox's proportional hazards with Efron's or Breslow's ties, strata, delayed entry and clustered standard errors.

The maximum is found here (see ``partial_likelihood``): lifelines, the usual library, takes three seconds to import,
stops early by default, and has neither the exact proportionality test nor a message for a monotone likelihood.
It remains the second opinion in the tests. A coefficient that runs to infinity is not estimable, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.distributions import chi2_upper_tail, normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import FEW_EVENTS, Interval, Test, few_clusters, interval_or_none, unless
from analytics.rounding import p_value
from analytics.survival.concordance import concordance
from analytics.survival.design import Design, design
from analytics.survival.hazard_ratio import Cox, HazardRatio
from analytics.survival.partial_likelihood import Array, Fit, RiskSets, maximise
from analytics.survival.proportional_hazards import PhTests, approximate_tests, score_tests
from analytics.survival.residuals import robust_covariance

Z = normal_quantile(0.975)
FEW_EVENTS_PER_COVARIATE = 10
"""Below it estimates are biased and intervals wrong in simulations (Peduzzi and others 1995)."""
PH_TESTS = {"score": score_tests, "1994": approximate_tests}


def cox_of(
    time: NDArray[np.float64],
    event: NDArray[np.float64],
    covariates: Mapping[str, NDArray[np.float64]],
    *,
    entry: NDArray[np.float64] | None = None,
    strata: Sequence[Any] | None = None,
    clusters: Sequence[Any] | None = None,
    cluster_unit: str = "patient",
    ties: str = "Efron",
    ph_test: str = "score",
    ph_time: str = "km",
    unit: str = "patient",
    outcome: str = "event",
    simulated: bool = False,
) -> Cox:
    """Cox model from arrays; rows with a missing entry are dropped and counted by column.

    Parameters
    ----------
    time, event : (n,) follow-up and 0/1
    covariates : name → (n,)
    entry : (n,) a row is at risk at t where entry < t <= time (left truncation; also the start of a time-dependent row)
    strata : (n,) labels; each stratum has its own baseline hazard
    clusters : (n,) labels; standard errors are then Lin and Wei's, summed within clusters
    ph_test : ``score`` (exact) or ``1994`` (the approximation of Grambsch and Therneau)
    ph_time : ``km``, ``rank``, ``identity`` or ``log``

    Raises
    ------
    AnalyticsError
        For negative times, events other than 0/1, delayed entry not before the time, or unknown ties or tests.
    """
    if ties not in ("Efron", "Breslow"):
        raise AnalyticsError(f"Unknown ties {ties!r}; known are Efron and Breslow.")
    if ph_test not in PH_TESTS:
        raise AnalyticsError(f"Unknown test of proportionality {ph_test!r}; known are score and 1994.")
    rows = design(time, event, covariates, entry=entry, strata=strata, clusters=clusters)
    happened = np.asarray(rows.event == 1)
    common: dict[str, Any] = {
        "n": len(rows.time),
        "events": int(happened.sum()),
        "unit": unit,
        "ties": ties,
        "method": "Cox proportional hazards",
        "strata": rows.strata,
        "clusters": rows.clusters,
        "cluster_unit": cluster_unit,
        "interval_method": "Wald" if rows.cluster is None else f"Wald (robust, clustered by {cluster_unit})",
        "dropped": rows.dropped,
        "outcome": outcome,
        "simulated": simulated,
    }
    why = rows.refusal()
    if why is not None:
        return refused_model(rows.names, [why] * len(rows.names), why, common)
    risk = RiskSets(rows.time, happened, rows.centred, rows.entry, ties == "Efron", rows.stratum)
    fit = maximise(risk)
    if fit.covariance is None:
        return diverged_model(rows.names, fit, common)
    tests = PH_TESTS[ph_test](risk, fit, ph_time)
    name = "score test" if ph_test == "score" else "Grambsch and Therneau 1994"
    robust = None
    if rows.cluster is not None and rows.clusters is not None:
        robust = robust_covariance(risk, fit, rows.cluster, rows.clusters)
    return _described(rows, risk, fit, robust, _Proportionality(name, tests), common)


def refused_model(
    names: tuple[str, ...], reasons: Sequence[str], reason: str, common: dict[str, Any], **more: Any
) -> Cox:
    """A model in which nothing is estimable; every covariate has its reason."""
    terms = tuple(
        HazardRatio(
            estimate=None,
            reason=why,
            method="hazard ratio",
            n=common["n"],
            unit=common["unit"],
            covariate=name,
            simulated=common["simulated"],
        )
        for name, why in zip(names, reasons, strict=True)
    )
    return Cox(terms=terms, reason=reason, **common, **more)


def diverged_model(names: tuple[str, ...], fit: Fit, common: dict[str, Any]) -> Cox:
    """The refusal of a likelihood without finite maximum, or of collinear covariates."""
    collinear = "the covariates are collinear"
    other = "another covariate has no finite estimate" if fit.diverged.any() else collinear
    reasons = [_why_diverged(name) if d else other for name, d in zip(names, fit.diverged, strict=True)]
    return refused_model(
        names,
        reasons,
        "the likelihood has no finite maximum" if fit.diverged.any() else collinear,
        common,
        log_likelihood=fit.terms.log_likelihood,
        log_likelihood_null=fit.null.log_likelihood,
    )


def _why_diverged(name: str) -> str:
    return f"events and {name} are separated (no event at one end): the likelihood rises without limit"


@dataclass(frozen=True)
class _Proportionality:
    name: str
    tests: PhTests | None

    def of(self, j: int) -> Test | None:
        if self.tests is None:
            return None
        return Test(self.name, self.tests.statistics[j], (1,), self.tests.p[j])

    def overall(self, p: int) -> Test | None:
        return None if self.tests is None else Test(self.name, self.tests.overall, (p,), self.tests.overall_p)


def wald_terms(
    names: tuple[str, ...],
    fit: Fit,
    robust: Array | None,
    common: dict[str, Any],
    *,
    method: str = "hazard ratio, Cox",
) -> list[HazardRatio]:
    """Ratios with Wald intervals and tests, from the robust covariance where there is one."""
    naive = np.sqrt(np.diag(fit.known_covariance))
    used = naive if robust is None else np.sqrt(np.diag(robust))
    terms = []
    for j, name in enumerate(names):
        b, s = float(fit.beta[j]), float(used[j])
        interval = _wald(b, s, common["interval_method"])
        terms.append(
            HazardRatio(
                estimate=math.exp(b),
                interval=interval,
                interval_reason=unless(interval, "its limits are larger than any number"),
                test=Test("Wald z", b / s, (), normal_two_sided_p(b / s)) if s > 0 else None,
                method=method,
                n=common["n"],
                unit=common["unit"],
                clusters=common.get("clusters"),
                cluster_unit=common.get("cluster_unit", "patient"),
                covariate=name,
                coefficient=b,
                se=s,
                model_se=None if robust is None else float(naive[j]),
                simulated=common["simulated"],
            )
        )
    return terms


def _wald(b: float, s: float, method: str) -> Interval | None:
    try:
        return interval_or_none(math.exp(b - Z * s), math.exp(b + Z * s), method)
    except OverflowError:
        return None


def _described(
    rows: Design,
    risk: RiskSets,
    fit: Fit,
    robust: Array | None,
    proportionality: _Proportionality,
    common: dict[str, Any],
) -> Cox:
    p = len(rows.names)
    terms = [
        replace(term, proportionality=proportionality.of(j))
        for j, term in enumerate(wald_terms(rows.names, fit, robust, common))
    ]
    c = None
    if rows.entry is None and rows.stratum is None:
        c = concordance(risk.time, risk.event, risk.x @ fit.beta)
    return Cox(
        terms=tuple(terms),
        log_likelihood=fit.terms.log_likelihood,
        log_likelihood_null=fit.null.log_likelihood,
        **overall_tests(risk, fit, robust),
        concordance=None if c is None else c[0],
        concordance_se=None if c is None else c[1],
        concordance_reason=_why_no_concordance(rows) if c is None else None,
        proportionality=proportionality.overall(p),
        warnings=_warnings(terms, p, common),
        **common,
    )


def _why_no_concordance(rows: Design) -> str:
    if rows.entry is not None:
        return "patients who enter late cannot be compared"
    return "strata cannot be compared" if rows.stratum is not None else "no pair can be compared"


def overall_tests(risk: RiskSets, fit: Fit, robust: Array | None) -> dict[str, Any]:
    """Likelihood ratio, Wald and score test of the whole model."""
    p = len(fit.beta)
    null_score = risk.score(fit.null)
    score = float(null_score @ np.linalg.solve(risk.information(fit.null), null_score))
    used = fit.known_covariance if robust is None else robust
    tests = {"score": Test("score", score, (p,), chi2_upper_tail(score, p))}
    ratio = 2 * (fit.terms.log_likelihood - fit.null.log_likelihood)
    tests["likelihood_ratio"] = Test("likelihood ratio", ratio, (p,), chi2_upper_tail(ratio, p))
    if np.linalg.matrix_rank(used) == p:
        wald = float(fit.beta @ np.linalg.solve(used, fit.beta))
        tests["wald"] = Test("Wald", wald, (p,), chi2_upper_tail(wald, p))
    return tests


def _warnings(terms: list[HazardRatio], p: int, common: dict[str, Any]) -> tuple[str, ...]:
    warnings = list(few_clusters(common["clusters"], common["cluster_unit"]))
    if common["events"] < FEW_EVENTS_PER_COVARIATE * p:
        warnings.append(f"Few events: {common['events']} for {p} covariates; estimates lean away from 1")
    elif common["events"] < FEW_EVENTS:
        warnings.append(f"Few events: {common['events']}; take the penalised model (Firth)")
    for term in terms:
        test = term.proportionality
        if test is not None and test.p < 0.05:
            warnings.append(f"Hazards of {term.covariate} are not proportional ({p_value(test.p)})")
    return tuple(warnings)
