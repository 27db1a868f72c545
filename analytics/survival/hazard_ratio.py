"""Hazard ratios and the model that they come from: what Cox, Firth, cause-specific and Fine–Gray models return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analytics.result import Dropped, Result, Test, plural
from analytics.rounding import count, half_up, p_value


@dataclass(frozen=True, kw_only=True)
class HazardRatio(Result):
    """Hazard ratio (``estimate``) per unit of a covariate; ``test`` is Wald's unless named otherwise.

    ``se`` is that of the coefficient, robust where the model is clustered (``model_se`` is then the naive one).
    ``proportionality`` tests whether the ratio changes with time.
    """

    covariate: str
    coefficient: float | None = None
    se: float | None = None
    model_se: float | None = None
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
    model: str = "Cox proportional hazards"
    interval_method: str = "Wald"
    strata: int | None = None
    clusters: int | None = None
    cluster_unit: str = "patient"
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
        text += f"{self.model} for {self.outcome}, {self.ties} ties, {self.interval_method} 95 % CI; "
        text += f"{count(self.n)} {plural(self.unit, self.n)} with {count(self.events)} {plural('event', self.events)}"
        if self.clusters is not None:
            text += f" in {count(self.clusters)} {plural(self.cluster_unit, self.clusters)}"
        if self.strata is not None:
            text += f", {self.strata} strata"
        if self.dropped:
            text += " (" + "; ".join(f"{count(d.count)} dropped: {d.reason}" for d in self.dropped) + ")"
        if self.proportionality is not None:
            text += f"; proportionality ({self.proportionality.name}) {p_value(self.proportionality.p)}"
        return ". ".join([text, *self.warnings]) + "."

    def sentence(self) -> str:
        """Every hazard ratio in words."""
        if self.reason and not self.terms:
            return f"{self.model}: not estimable ({self.reason})."
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
            "model": self.model,
            "ties": self.ties,
            "interval_method": self.interval_method,
            "strata": self.strata,
            "clusters": self.clusters,
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
