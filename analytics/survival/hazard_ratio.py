"""Hazard ratios and the model that they come from: what Cox, Firth, cause-specific and Fine–Gray models return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analytics.result import Finding, Result, Test, plural
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
        limits = (
            f" ({self.interval.text(digits)})" if self.interval else f" (no interval: {self.interval_reason})"
        )
        return f"{half_up(self.estimate, digits)}{limits}" + (
            f", {p_value(self.test.p)}" if self.test else ""
        )


@dataclass(frozen=True, kw_only=True)
class Cox(Finding):
    """A fitted model (``method``): one :class:`HazardRatio` per covariate and what the whole model says.

    ``concordance`` is None with ``concordance_reason`` where rows cannot be compared, or the model has none.
    """

    terms: tuple[HazardRatio, ...]
    events: int
    ties: str
    interval_method: str = "Wald"
    strata: int | None = None
    log_likelihood: float | None = None
    log_likelihood_null: float | None = None
    likelihood_ratio: Test | None = None
    wald: Test | None = None
    score: Test | None = None
    concordance: float | None = None
    concordance_se: float | None = None
    concordance_reason: str | None = None
    proportionality: Test | None = None
    outcome: str = "event"

    def caption(self) -> str:
        """Ties, interval, units, events, drops, warnings."""
        text = "Simulated data. " if self.simulated else ""
        text += f"{self.method} for {self.outcome}, {self.ties} ties, {self.interval_method} 95 % CI; "
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
            return f"{self.method}: not estimable ({self.reason})."
        ratios = "; ".join(f"{t.covariate} HR {t.printed()}" for t in self.terms)
        return f"{ratios}. {self.caption()}"

    def to_dict(self) -> dict[str, Any]:
        """JSON form; ``model`` is the method."""
        return super().to_dict() | {"model": self.method}
