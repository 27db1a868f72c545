"""Cox's proportional hazards with Efron's ties, Wald intervals and tests of proportionality.

The maximum is found here (see ``partial_likelihood``): lifelines, the usual library, takes three seconds to import,
stops early by default, and has neither the exact proportionality test nor a message for a monotone likelihood.
It remains the second opinion in the tests. A coefficient that runs to infinity is not estimable, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import Table, numbers
from analytics.distributions import chi2_upper_tail, normal_quantile, normal_two_sided_p
from analytics.errors import AnalyticsError
from analytics.result import Dropped, Interval, Result, Test
from analytics.rounding import count, half_up, p_value
from analytics.survival.concordance import concordance
from analytics.survival.follow_up import check
from analytics.survival.partial_likelihood import Fit, RiskSets, maximise
from analytics.survival.proportional_hazards import score_tests

if TYPE_CHECKING:
    from analytics.figures.drawing import Drawing

Z = normal_quantile(0.975)
FEW_EVENTS_PER_COVARIATE = 10


@dataclass(frozen=True, kw_only=True)
class HazardRatio(Result):
    """Hazard ratio (``estimate``) per unit of a covariate; ``test`` is Wald's, ``proportionality`` the score test."""

    covariate: str
    coefficient: float | None = None
    se: float | None = None
    proportionality: Test | None = None

    def printed(self) -> str:
        """``5.28 (1.76–15.81), p = 0.003`` or why there is none."""
        if self.estimate is None:
            return f"not estimable: {self.reason}"
        digits = 2
        if self.interval is not None:  # a ratio per small unit: never "1.00 (1.00–1.00)"
            low, high = self.interval
            while digits < 8 and half_up(low, digits) == half_up(high, digits):
                digits += 1
            digits += digits > 2
        limits = f" ({self.interval.text(digits)})" if self.interval else ""
        return f"{half_up(self.estimate, digits)}{limits}" + (
            f", {p_value(self.test.p)}" if self.test else ""
        )


@dataclass(frozen=True, kw_only=True)
class Cox:
    """A fitted model: one :class:`HazardRatio` per covariate and what the whole model says."""

    terms: tuple[HazardRatio, ...]
    n: int
    events: int
    unit: str
    ties: str
    dropped: tuple[Dropped, ...] = ()
    log_likelihood: float | None = None
    log_likelihood_null: float | None = None
    likelihood_ratio: Test | None = None
    wald: Test | None = None
    score: Test | None = None
    concordance: float | None = None
    concordance_se: float | None = None
    proportionality: Test | None = None
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    outcome: str = "event"
    simulated: bool = False

    def caption(self) -> str:
        """Ties, interval, units, events, drops, warnings."""
        text = "Simulated data. " if self.simulated else ""
        text += f"Cox proportional hazards for {self.outcome}, {self.ties} ties, Wald 95 % CI; "
        text += f"{count(self.n)} {self.unit}s with {count(self.events)} events"
        if self.dropped:
            text += " (" + "; ".join(f"{count(d.count)} dropped: {d.reason}" for d in self.dropped) + ")"
        if self.proportionality is not None:
            text += f"; proportionality (score test) {p_value(self.proportionality.p)}"
        return ". ".join([text, *self.warnings]) + "."

    def sentence(self) -> str:
        """Every hazard ratio in words."""
        if self.reason and not self.terms:
            return f"Cox proportional hazards: not estimable ({self.reason})."
        ratios = "; ".join(f"{t.covariate} HR {t.printed()}" for t in self.terms)
        return f"{ratios}. {self.caption()}"

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        tests = {
            name: None if test is None else test.to_dict()
            for name, test in (
                ("likelihood_ratio", self.likelihood_ratio),
                ("wald", self.wald),
                ("score", self.score),
                ("proportionality", self.proportionality),
            )
        }
        return {
            "model": "Cox proportional hazards",
            "ties": self.ties,
            "outcome": self.outcome,
            "n": self.n,
            "events": self.events,
            "unit": self.unit,
            "dropped": [{"count": d.count, "reason": d.reason} for d in self.dropped],
            "terms": [t.to_dict() for t in self.terms],
            "log_likelihood": self.log_likelihood,
            "log_likelihood_null": self.log_likelihood_null,
            "concordance": self.concordance,
            "concordance_se": self.concordance_se,
            "warnings": list(self.warnings),
            "reason": self.reason,
            "simulated": self.simulated,
            **tests,
        }

    def drawing(self) -> Drawing:
        """Forest plot of the hazard ratios."""
        from analytics.figures.survival import forest

        return forest((("", self),))

    def figure(self) -> Any:
        """The same as a ``plotly.graph_objects.Figure``."""
        return self.drawing().to_figure()


def cox(
    table: Table,
    *,
    time: str,
    event: str,
    covariates: Sequence[str],
    entry: str | None = None,
    ties: str = "Efron",
    unit: str = "patient",
) -> Cox:
    """Cox model of columns of a table; ``entry`` is a column of delayed-entry times."""
    return cox_of(
        numbers(table, time),
        numbers(table, event),
        {name: numbers(table, name) for name in covariates},
        entry=numbers(table, entry) if entry else None,
        ties=ties,
        unit=unit,
    )


def cox_of(
    time: NDArray[np.float64],
    event: NDArray[np.float64],
    covariates: Mapping[str, NDArray[np.float64]],
    *,
    entry: NDArray[np.float64] | None = None,
    ties: str = "Efron",
    unit: str = "patient",
    outcome: str = "event",
    simulated: bool = False,
) -> Cox:
    """Cox model from arrays; rows with a missing entry are dropped and counted by column.

    Raises
    ------
    AnalyticsError
        For negative times, events other than 0/1, delayed entry not before the time, or unknown ties.
    """
    if ties not in ("Efron", "Breslow"):
        raise AnalyticsError(f"Unknown ties {ties!r}; known are Efron and Breslow.")
    time, event = check(time, event)
    names = tuple(covariates)
    x = np.column_stack([np.asarray(covariates[name], np.float64) for name in names])
    keep = ~(np.isnan(time) | np.isnan(event))
    dropped = [] if keep.all() else [Dropped(int((~keep).sum()), "time or event is missing")]
    for j, name in enumerate(names):
        missing = keep & np.isnan(x[:, j])
        if missing.any():
            dropped.append(Dropped(int(missing.sum()), f"{name} is missing"))
            keep &= ~missing
    time, happened, x = time[keep], np.asarray(event[keep] == 1), x[keep]
    entry = None if entry is None else np.asarray(entry, np.float64)[keep]
    if entry is not None and np.any(entry >= time):
        raise AnalyticsError(
            f"Row {int(np.flatnonzero(entry >= time)[0]) + 1}: entry is not before the end of follow-up."
        )
    common: dict[str, Any] = {
        "n": len(time),
        "events": int(happened.sum()),
        "unit": unit,
        "ties": ties,
        "dropped": tuple(dropped),
        "outcome": outcome,
        "simulated": simulated,
    }

    def missing_term(name: str, why: str) -> HazardRatio:
        return HazardRatio(
            estimate=None,
            reason=why,
            method="Cox",
            n=len(time),
            unit=unit,
            covariate=name,
            simulated=simulated,
        )

    if not happened.any():
        return Cox(
            terms=tuple(missing_term(name, "no events") for name in names), reason="no events", **common
        )
    constant = [name for j, name in enumerate(names) if np.ptp(x[:, j]) == 0]
    if constant:
        why = f"{', '.join(constant)} has one value only"
        return Cox(terms=tuple(missing_term(name, why) for name in names), reason=why, **common)
    risk = RiskSets(time, happened, x - x.mean(axis=0), entry, ties == "Efron")
    fit = maximise(risk)
    if fit.covariance is None:
        return Cox(
            terms=tuple(
                missing_term(
                    name,
                    _why_diverged(name)
                    if d
                    else "another covariate has no finite estimate"
                    if fit.diverged.any()
                    else "the covariates are collinear",
                )
                for name, d in zip(names, fit.diverged, strict=True)
            ),
            reason="the likelihood has no finite maximum"
            if fit.diverged.any()
            else "the covariates are collinear",
            log_likelihood=fit.terms.log_likelihood,
            log_likelihood_null=fit.null.log_likelihood,
            **common,
        )
    return _described(names, risk, fit, common)


def _why_diverged(name: str) -> str:
    return f"events and {name} are separated (no event at one end): the likelihood rises without limit"


def _described(names: tuple[str, ...], risk: RiskSets, fit: Fit, common: dict[str, Any]) -> Cox:
    assert fit.covariance is not None
    se = np.sqrt(np.diag(fit.covariance))
    p = len(names)
    tests = score_tests(risk, fit) if risk.entry is None else None
    terms = []
    for j, name in enumerate(names):
        b, s = float(fit.beta[j]), float(se[j])
        terms.append(
            HazardRatio(
                estimate=math.exp(b),
                interval=Interval(math.exp(b - Z * s), math.exp(b + Z * s), "Wald"),
                test=Test("Wald z", b / s, (), normal_two_sided_p(b / s)),
                method="hazard ratio, Cox",
                n=common["n"],
                unit=common["unit"],
                covariate=name,
                coefficient=b,
                se=s,
                proportionality=None
                if tests is None
                else Test("score", tests.statistics[j], (1,), tests.p[j]),
                simulated=common["simulated"],
            )
        )
    null_score = risk.score(fit.null)
    score = float(null_score @ np.linalg.solve(risk.information(fit.null), null_score))
    wald = float(fit.beta @ np.linalg.solve(fit.covariance, fit.beta))
    ratio = 2 * (fit.terms.log_likelihood - fit.null.log_likelihood)
    c = concordance(risk.time, risk.event, risk.x @ fit.beta) if risk.entry is None else None
    warnings = []
    if common["events"] < FEW_EVENTS_PER_COVARIATE * p:
        warnings.append(f"Few events: {common['events']} for {p} covariates; estimates lean away from 1")
    for term in terms:
        if term.proportionality is not None and term.proportionality.p < 0.05:
            warnings.append(
                f"Hazards of {term.covariate} are not proportional ({p_value(term.proportionality.p)})"
            )
    return Cox(
        terms=tuple(terms),
        log_likelihood=fit.terms.log_likelihood,
        log_likelihood_null=fit.null.log_likelihood,
        likelihood_ratio=Test("likelihood ratio", ratio, (p,), chi2_upper_tail(ratio, p)),
        wald=Test("Wald", wald, (p,), chi2_upper_tail(wald, p)),
        score=Test("score", score, (p,), chi2_upper_tail(score, p)),
        concordance=None if c is None else c[0],
        concordance_se=None if c is None else c[1],
        proportionality=None if tests is None else Test("score", tests.overall, (p,), tests.overall_p),
        warnings=tuple(warnings),
        **common,
    )
