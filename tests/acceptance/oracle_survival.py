"""Survival cases of the oracle: case id → numbers in the oracle's shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.survival.competing import aalen_johansen, competing_incidence_of
from analytics.survival.competing_models import cause_specific, fine_gray
from analytics.survival.cox import cox
from analytics.survival.firth import firth
from analytics.survival.kaplan_meier import kaplan_meier
from analytics.survival.partial_likelihood import RiskSets, maximise
from analytics.survival.proportional_hazards import TRANSFORMS, score_tests, transformed_times
from analytics.survival.residuals import deviance, martingale, scaled_schoenfeld, schoenfeld

Case = dict[str, Any]
ORACLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "oracle"


def data(case: Case) -> pd.DataFrame:
    return pd.read_csv(ORACLE / case["data"][0])


def cox_robust(case: Case) -> dict[str, Any]:
    m = cox(data(case), time="stop", event="event", covariates=["x1", "z"], entry="start", cluster="id")
    return {
        "coef": [t.coefficient for t in m.terms],
        "naive_se": [t.model_se for t in m.terms],
        "robust_se": [t.se for t in m.terms],
        "robust_p": [t.test.p for t in m.terms],
    }


def ph_transforms(case: Case) -> dict[str, Any]:
    table, names = data(case), case["input"]["vars"]
    x = table[names].to_numpy(float)
    risk = RiskSets(table["time"].to_numpy(float), table["event"].to_numpy() == 1, x - x.mean(0), None, True)
    fit = maximise(risk)
    out: dict[str, Any] = {"rows": [*names, "GLOBAL"]}
    for transform in TRANSFORMS:
        tests = score_tests(risk, fit, transform)
        out[transform] = {
            "chisq": [*tests.statistics, tests.overall],
            "df": [1] * len(names) + [len(names)],
            "p": [*tests.p, tests.overall_p],
        }
    times = np.sort(risk.time[risk.event])
    ranks = transformed_times(
        RiskSets(times, np.ones(len(times), bool), np.empty((len(times), 0)), None, True), "rank"
    )
    return out | {
        "correlation_scaledsch_rank_time": [
            float(np.corrcoef(ranks, column)[0, 1]) for column in scaled_schoenfeld(risk, fit).T
        ],
        "martingale_sum": martingale(risk, fit).sum(),
        "deviance_sum": deviance(risk, fit).sum(),
        "first3_schoenfeld": schoenfeld(risk, fit)[:3, 0],
    }


def firth_case(case: Case) -> dict[str, Any]:
    table = data(case)
    plain = cox(table, time="time", event="event", covariates=["g", "age"])
    m = firth(table, time="time", event="event", covariates=["g", "age"])
    z = 1.959963984540054
    wald = [(t.coefficient - z * t.se, t.coefficient + z * t.se) for t in m.terms]
    from scipy.special import ndtr

    return {
        "events_by_group": table.groupby("g")["event"].sum().tolist(),
        "ml_coef_diverges": plain.terms[0].estimate is None and "without limit" in plain.terms[0].reason,
        "ml_loglik_converged": plain.log_likelihood,
        "firth_coef": [t.coefficient for t in m.terms],
        "firth_se": [t.se for t in m.terms],
        "firth_hr": [t.estimate for t in m.terms],
        "profile_ci_lower": [t.interval.low for t in m.terms],
        "profile_ci_upper": [t.interval.high for t in m.terms],
        "profile_p": [t.test.p for t in m.terms],
        "wald_ci_lower": [math.exp(low) for low, _ in wald],
        "wald_ci_upper": [math.exp(high) for _, high in wald],
        "wald_p": [2 * ndtr(-abs(t.coefficient / t.se)) for t in m.terms],
        "penalised_loglik": [m.log_likelihood_null, m.log_likelihood],
    }


def competing_case(case: Case) -> dict[str, Any]:
    table, times = data(case), case["input"]["times"]
    time, status = table["time"].to_numpy(float), table["status"].to_numpy(float)
    first, second = (aalen_johansen(time, status, cause=c) for c in (1, 2))
    naive = kaplan_meier(time, (status == 1) * 1.0)
    by_sex = competing_incidence_of(
        time, status, outcomes=["PCM", "death"], horizon=times[0], groups=table["sex"].tolist()
    )
    tests = [by_sex.test, *by_sex.other_tests]
    table["male"] = (table["sex"] == "M") * 1.0
    fg = fine_gray(table, time="time", event="status", covariates=["age", "male"])
    cs = cause_specific(table, time="time", event="status", covariates=["age", "male"])
    return {
        "times": times,
        "counts": [int((status == k).sum()) for k in range(3)],
        "cif_event1": [first.incidence_at(t)[0] for t in times],
        "cif_event1_var_cmprsk": [first.aalen_variance_at(t) for t in times],
        "cif_event2": [second.incidence_at(t)[0] for t in times],
        "aj_se_survfit": [first.standard_error_at(t) for t in times],
        "one_minus_km_naive": [1 - naive.survival_at(t) for t in times],
        "gray_chisq": [t.statistic for t in tests],
        "gray_p": [t.p for t in tests],
        "fine_gray_coef": [t.coefficient for t in fg.terms],
        "fine_gray_se": [t.se for t in fg.terms],
        "fine_gray_shr": [t.estimate for t in fg.terms],
        "cause_specific_coef": [t.coefficient for t in cs.terms],
        "cause_specific_se": [t.se for t in cs.terms],
    }


CASES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "cox_time_dependent_robust_public": cox_robust,
    "zph_veteran_transforms_public": ph_transforms,
    "cox_monotone_firth_public": firth_case,
    "competing_mgus2_public": competing_case,
}
