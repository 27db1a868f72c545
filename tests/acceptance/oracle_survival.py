"""Survival cases of the oracle: case id → numbers in the oracle's shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.heterogeneity import pool
from analytics.heterogeneity.multiplicity import METHODS, adjusted
from analytics.missing import pool_imputations
from analytics.monitoring.timing import paired_timing_of
from analytics.survival.calibration import calibration_of
from analytics.survival.competing import aalen_johansen, competing_incidence_of
from analytics.survival.competing_models import cause_specific_of, fine_gray_of
from analytics.survival.concordance import compare_concordance, concordance_of, uno_concordance
from analytics.survival.cox import cox_of
from analytics.survival.decision import decision_curve_of, reclassification_of
from analytics.survival.firth import firth_of
from analytics.survival.kaplan_meier import kaplan_meier
from analytics.survival.partial_likelihood import RiskSets, maximise
from analytics.survival.proportional_hazards import TRANSFORMS, score_tests, transformed_times
from analytics.survival.residuals import deviance, martingale, scaled_schoenfeld, schoenfeld
from analytics.survival.time_roc import time_auc_of
from analytics.tables import on_table

Case = dict[str, Any]
ORACLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "oracle"


def data(case: Case) -> pd.DataFrame:
    return pd.read_csv(ORACLE / case["data"][0])


def cox_robust(case: Case) -> dict[str, Any]:
    m = on_table(
        cox_of, data(case), time="stop", event="event", covariates=["x1", "z"], entry="start", cluster="id"
    )
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
    plain = on_table(cox_of, table, time="time", event="event", covariates=["g", "age"])
    m = on_table(firth_of, table, time="time", event="event", covariates=["g", "age"])
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
    fg = on_table(fine_gray_of, table, time="time", event="status", covariates=["age", "male"])
    cs = on_table(cause_specific_of, table, time="time", event="status", covariates=["age", "male"])
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


def concordance_case(case: Case) -> dict[str, Any]:
    table, tau = data(case), case["input"]["tau"]
    time, event, first, second = (table[c].to_numpy(float) for c in ("time", "event", "marker", "marker2"))
    happened = event == 1
    c = concordance_of(time, event, first)
    difference = compare_concordance(time, event, first, second)
    _, dead = np.unique(time[happened], return_counts=True)
    ends = pd.DataFrame({"t": time[happened], "m": first[happened]}).value_counts()
    both_tied = int((ends * (ends - 1) / 2).sum())
    return {
        "harrell": c.estimate,
        "harrell_se": c.se,
        "counts": [
            c.agreeing,
            c.disagreeing,
            c.tied,
            int((dead * (dead - 1) / 2).sum()) - both_tied,
            both_tied,
        ],
        "harrell2": difference.second,
        "compare_diff_kang": difference.estimate,
        "compare_se": difference.se,
        "compare_p": difference.test.p,
        "uno_tau": tau,
        "uno_survC1": uno_concordance(time, happened, first, tau, events_first=False)[0],
        "uno_survival_pkg": concordance_of(time, event, first, tau=tau).estimate,
        "somers_d": c.somers_d,
    }


def time_auc_case(case: Case) -> dict[str, Any]:
    times = case["input"]["times"]
    r = on_table(time_auc_of, data(case), time="time", event="event", marker="marker", times=times)
    return {
        "times": times,
        "auc_ipcw_cumulative_dynamic": [a.estimate for a in r.at],
        "se_iid": [a.se for a in r.at],
        "n_cases": [a.cases for a in r.at],
        "survivors": [a.controls for a in r.at],
        "censored": [a.censored for a in r.at],
    }


def calibration_case(case: Case) -> dict[str, Any]:
    table = data(case)
    r = on_table(calibration_of, table, probability="p", outcome="y")
    # R's val.prob rounds probabilities to 4 decimals before it counts pairs; ours are not rounded.
    rounded = calibration_of(table["p"].round(4).to_numpy(float), table["y"].to_numpy(float))
    assert abs(r.auc - rounded.auc) < 1e-4
    return {
        "n": r.n,
        "events": r.events,
        "o_e_ratio": r.observed_expected,
        "calibration_in_the_large": r.intercept,
        "citl_se": r.intercept_se,
        "slope": r.estimate,
        "slope_se": r.slope_se,
        "slope_ci_wald": list(r.interval),
        "intercept_joint": r.joint_intercept,
        "brier": r.brier,
        "brier_scaled": r.brier_scaled,
        "hosmer_lemeshow_10_chi2": r.test.statistic,
        "hl_p_df8": r.test.p,
        "spiegelhalter_z": r.spiegelhalter.statistic,
        "spiegelhalter_p": r.spiegelhalter.p,
        "c_index": rounded.auc,
    }


def reclassification_case(case: Case) -> dict[str, Any]:
    table = data(case)
    y, old, new = (table[c].to_numpy(float) for c in ("y", "p_old", "p_new"))
    free = reclassification_of(old, new, y)
    binned = reclassification_of(old, new, y, categories=(0.05, 0.2))
    limits = [0.02, 0.05, 0.1, 0.2]
    curve = decision_curve_of(y, {"old": old, "new": new}, limits)
    return {
        "continuous_nri": free.estimate,
        "nri_se": free.se,
        "nri_events": free.of_events,
        "nri_nonevents": free.of_others,
        "idi": free.idi.estimate,
        "idi_se": free.idi.estimate / free.idi.test.statistic,
        "idi_z": free.idi.test.statistic,
        "categorical_nri": binned.estimate,
        "cat_nri_events": binned.of_events,
        "cat_nri_nonevents": binned.of_others,
        "thresholds": limits,
        "net_benefit_old": list(curve.models[0][1]),
        "net_benefit_new": list(curve.models[1][1]),
        "net_benefit_all": list(curve.treat_all),
    }


def heterogeneity_case(case: Case) -> dict[str, Any]:
    table = data(case)
    reml, dl, fixed = (pool(table["yi"], table["vi"], method=m) for m in ("REML", "DL", "fixed"))
    return {
        "reml_est": reml.estimate,
        "reml_se": reml.se,
        "reml_tau2": reml.tau_squared,
        "I2": 100 * reml.i_squared,
        "Q": reml.heterogeneity.statistic,
        "Q_p": reml.heterogeneity.p,
        "pred_interval": list(reml.prediction),
        "dl_est": dl.estimate,
        "dl_tau2": dl.tau_squared,
        "hk_ci": list(reml.hartung_knapp),
        "fixed_est": fixed.estimate,
        "fixed_ci": list(fixed.interval),
    }


def timing_case(case: Case) -> dict[str, Any]:
    r = on_table(paired_timing_of, data(case), first="expert_min", second="dl_min")
    return {
        "n": r.n,
        "expert_mean": r.first.mean,
        "expert_sd": r.first.sd,
        "expert_median_iqr_type7": [r.first.median, *r.first.quartiles],
        "dl_mean_s": 60 * r.second.mean,
        "dl_sd_s": 60 * r.second.sd,
        "mean_difference_min": r.mean_difference,
        "mean_difference_ci": list(r.mean_difference_interval),
        "geometric_mean_ratio": r.estimate,
        "gmr_ci": list(r.interval),
        "ratio_of_means": r.ratio_of_means,
        "p_signed_rank": r.signed_rank.normal.p,
    }


def imputation_case(case: Case) -> dict[str, Any]:
    given = case["input"]
    r = pool_imputations(given["q"], given["u"], n=given["n"], parameters=given["k"])
    return {
        "estimate": r.estimate,
        "total_var": r.total_variance,
        "within": r.within,
        "between": r.between,
        "df": r.df,
        "fmi": r.missing_information,
        "ci": list(r.interval),
    }


def multiplicity_case(case: Case) -> dict[str, Any]:
    return {method: adjusted(case["input"]["p"], method) for method in METHODS}


CASES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "cox_time_dependent_robust_public": cox_robust,
    "zph_veteran_transforms_public": ph_transforms,
    "cox_monotone_firth_public": firth_case,
    "competing_mgus2_public": competing_case,
    "cindex_pbc_public": concordance_case,
    "timeauc_pbc_public": time_auc_case,
    "calibration_public": calibration_case,
    "nri_idi_netbenefit_public": reclassification_case,
    "site_heterogeneity_public": heterogeneity_case,
    "timing_paired_public": timing_case,
    "rubin_pool_public": imputation_case,
    "multiplicity_public": multiplicity_case,
}
