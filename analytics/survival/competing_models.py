"""Regression with competing events: cause-specific Cox and Fine–Gray models from the same columns.

The cause-specific ratio says what a finding does to the rate of the outcome among those still without any event; the
subdistribution ratio says what it does to the cumulative incidence. Report both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from analytics.survival.cox import FEW_EVENTS_PER_COVARIATE, cox_of, diverged_model, refused_model, wald_terms
from analytics.survival.design import design
from analytics.survival.fine_gray import subdistribution_risk_sets
from analytics.survival.follow_up import check
from analytics.survival.hazard_ratio import Cox
from analytics.survival.partial_likelihood import Array, maximise


def cause_specific_of(
    time: Array,
    event: Array,
    covariates: Mapping[str, Array],
    *,
    causes: int = 2,
    ties: str = "Efron",
    unit: str = "patient",
    outcome: str = "event",
    simulated: bool = False,
) -> Cox:
    """Cox model of cause 1; competing events (2 … ``causes``) censor.

    Raises
    ------
    AnalyticsError
        For negative times or events that are none of 0 … ``causes``.
    """
    time, event = check(time, event, causes=causes)
    mine = np.where(np.isnan(event), np.nan, (event == 1) * 1.0)
    model = cox_of(time, mine, covariates, ties=ties, unit=unit, outcome=outcome, simulated=simulated)
    terms = tuple(
        replace(t, method="cause-specific hazard ratio, Cox") if t.estimate is not None else t
        for t in model.terms
    )
    return replace(model, method="Cause-specific Cox proportional hazards", terms=terms)


def fine_gray_of(
    time: Array,
    event: Array,
    covariates: Mapping[str, Array],
    *,
    causes: int = 2,
    unit: str = "patient",
    outcome: str = "event",
    simulated: bool = False,
) -> Cox:
    """Subdistribution hazard ratios of cause 1, Breslow ties, Fine and Gray's robust standard errors.

    ``log_likelihood`` is the weighted pseudo-likelihood, which has no likelihood-ratio test.

    Raises
    ------
    AnalyticsError
        For negative times or events that are none of 0 … ``causes``.
    """
    rows = design(time, event, covariates, causes=causes)
    common: dict[str, Any] = {
        "n": len(rows.time),
        "events": int((rows.event == 1).sum()),
        "unit": unit,
        "ties": "Breslow",
        "method": "Fine–Gray subdistribution hazards",
        "interval_method": "Wald (robust, censoring weights estimated)",
        "dropped": rows.dropped,
        "outcome": outcome,
        "simulated": simulated,
    }
    why = rows.refusal()
    if why is not None:
        return refused_model(rows.names, [why] * len(rows.names), why, common)
    risk = subdistribution_risk_sets(rows.time, rows.event, rows.centred)
    fit = maximise(risk)
    robust = risk.robust_covariance(fit)
    if robust is None:
        return diverged_model(rows.names, fit, common)
    terms = wald_terms(rows.names, fit, robust, common, method="subdistribution hazard ratio, Fine–Gray")
    warnings: tuple[str, ...] = ()
    if common["events"] < FEW_EVENTS_PER_COVARIATE * len(rows.names):
        warnings = (f"Few events: {common['events']} for {len(rows.names)} covariates",)
    return Cox(
        terms=tuple(terms),
        log_likelihood=fit.terms.log_likelihood,
        log_likelihood_null=fit.null.log_likelihood,
        warnings=warnings,
        **common,
    )
