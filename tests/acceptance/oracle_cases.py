"""How each oracle case is asked of this library: case id → numbers in the oracle's shape.

Only cases whose estimators exist are listed; ``test_oracle.py`` compares them strictly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.accuracy.binomial import clopper_pearson, wilson
from analytics.accuracy.roc import curve, hanley_mcneil_se, paired_difference, roc_of
from analytics.accuracy.two_by_two import predictive_at, two_by_two_of
from analytics.agreement import chance_corrected
from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.correlation import (
    fisher_interval,
    kendall_tau_b,
    pearson_coefficient,
    spearman_of,
)
from analytics.agreement.icc import FORMS, icc_of
from analytics.agreement.kappa import WEIGHTS, kappa_of, kappa_of_matrix, maximum_kappa
from analytics.agreement.limits import Z, limit_intervals, sd_interval
from analytics.agreement.mean_squares import patient_sums, replicate_icc
from analytics.columns import codes
from analytics.distributions import t_two_sided_p
from analytics.ranks import average_ranks
from analytics.resampling import bca_limits
from analytics.rounding import half_up
from analytics.survival.cox import cox_of
from analytics.survival.kaplan_meier import cumulative_incidence_of, kaplan_meier, limits, quantile
from analytics.survival.log_rank import log_rank
from analytics.survival.partial_likelihood import RiskSets, maximise
from analytics.survival.proportional_hazards import approximate_tests, score_tests
from analytics.tables import on_table

Case = dict[str, Any]
ORACLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "oracle"


def data(case: Case, which: int = 0) -> pd.DataFrame:
    return pd.read_csv(ORACLE / case["data"][which])


def ratings(table: pd.DataFrame) -> np.ndarray:
    return table[[c for c in table.columns if c.startswith("r")]].to_numpy(float)


def icc_forms(case: Case) -> dict[str, Any]:
    matrix = ratings(data(case))
    out: dict[str, Any] = {}
    for form in FORMS:
        r = icc_of(matrix, form=form)
        out |= {"n": r.n, "k": r.squares.k}
        low, high = r.interval
        out["icc_" + form.replace(",", "_")] = {
            "icc": r.estimate,
            "lower": low,
            "upper": high,
            "F": r.test.statistic,
            "df1": r.test.df[0],
            "df2": r.test.df[1],
            "p": r.test.p,
        }
    return out


def icc_bootstrap(case: Case) -> dict[str, Any]:
    table, index = data(case), data(case, 1).to_numpy(int) - 1
    matrix = table[["expert", "dl"]].to_numpy(float)
    patient, distinct = codes(table["patient"].tolist())
    sums = patient_sums(matrix, patient, len(distinct))
    counts = np.stack([np.bincount(row, minlength=len(distinct)) for row in index]).astype(np.float64)
    values = replicate_icc(counts, sums, "A,1")
    full = icc_of(matrix)
    jack = replicate_icc(1.0 - np.eye(len(distinct)), sums, "A,1")
    from scipy.special import ndtri

    lean = jack.mean() - jack
    acceleration = (lean**3).sum() / (6 * (lean**2).sum() ** 1.5)
    z0 = ndtri((values < full.estimate).mean())
    percentile = np.quantile(values, [0.025, 0.975])
    p = len(distinct)
    return {
        "estimate": full.estimate,
        "boot_mean": values.mean(),
        "boot_se": values.std(ddof=1),
        "percentile": percentile.tolist(),
        "basic": (2 * full.estimate - percentile[::-1]).tolist(),
        "bca_z0": z0,
        "bca_acceleration": acceleration,
        "bca": list(bca_limits(values, full.estimate, jack)),
        "cluster_jackknife_se": math.sqrt((p - 1) / p * ((jack - jack.mean()) ** 2).sum()),
        "first5": values[:5].tolist(),
        "naive_ci": list(full.interval),
    }


def _exact_limits_as_r(bias: float, sd: float, n: int) -> tuple[list[float], list[float]]:
    """R's qt leaves the exact non-central t above a non-centrality of 37.62 and takes Abramowitz–Stegun 26.7.10.

    Ours stays exact there (SciPy's two implementations agree to 15 digits), so for large n the oracle's number is
    reproduced from R's formula, and ours is checked to lie within 0.02 mm³ of it.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    ncp, s = Z * math.sqrt(n), 1 / (4 * (n - 1))
    inner, outer = (
        brentq(
            lambda t, p=p: ndtr((t * (1 - s) - ncp) / math.sqrt(1 + 2 * s * t * t)) - p,
            0,
            2 * ncp,
            xtol=1e-13,
        )
        / math.sqrt(n)
        * sd
        for p in (0.025, 0.975)
    )
    return [bias - outer, bias - inner], [bias + inner, bias + outer]


def bland_altman_case(case: Case) -> dict[str, Any]:
    from scipy.stats import shapiro

    table = data(case)
    r = on_table(bland_altman_of, table, first="a", second="b")
    difference = r.second - r.first
    low86 = limit_intervals(r.estimate, r.sd, r.n, "1986")[1]
    exact, mover = (
        limit_intervals(r.estimate, r.sd, r.n, "exact"),
        limit_intervals(r.estimate, r.sd, r.n, "mover"),
    )
    low_exact, high_exact = list(exact[0]), list(exact[1])
    if Z * math.sqrt(r.n) > 37.62:
        as_r = _exact_limits_as_r(r.estimate, r.sd, r.n)
        assert np.allclose([low_exact, high_exact], as_r, atol=0.02)
        low_exact, high_exact = as_r
    return {
        "n": r.n,
        "bias": r.estimate,
        "sd": r.sd,
        "bias_ci": list(r.interval),
        "p_bias": r.test.p,
        "loa_lower": r.lower,
        "loa_upper": r.upper,
        "loa_lower_ci_ba1999": list(r.lower_interval),
        "loa_upper_ci_ba1999": list(r.upper_interval),
        "loa_upper_ci_ba1986": list(low86),
        "loa_lower_ci_exact": low_exact,
        "loa_upper_ci_exact": high_exact,
        "loa_upper_ci_mover": list(mover[1]),
        "sd_ci": list(sd_interval(r.sd, r.n)),
        "repeatability_or_sdd": Z * r.sd,
        "within_subject_sd_2methods": r.sd / math.sqrt(2),
        "shapiro_p": float(shapiro(difference).pvalue),
        "nonparam_p025_p975_type6": np.quantile(difference, [0.025, 0.975], method="weibull").tolist(),
        "outside": r.outside,
        "prop_bias_slope": r.slope,
        "prop_bias_p": r.slope_p,
    }


def bland_altman_clustered(case: Case) -> dict[str, Any]:
    table = data(case)
    r = on_table(bland_altman_of, table, first="a", second="b", cluster="patient", replicates=200)
    patient_means = (table["b"] - table["a"]).groupby(table["patient"]).mean()
    c = r.components
    return {
        "n_obs": r.n,
        "n_patients": r.clusters,
        "bias_obs": r.estimate,
        "bias_mean_of_patient_means": patient_means.mean(),
        "var_within": c.within,
        "var_between": c.between,
        "m0": c.observations_per_patient,
        "sd_total": c.sd,
        "loa": [r.lower, r.upper],
        "naive_sd": r.sd,
        "naive_loa": [r.naive_lower, r.naive_upper],
    }


def spearman_case(case: Case) -> dict[str, Any]:
    table = data(case)
    r = on_table(spearman_of, table, first="x", second="y")
    x, y = table["x"].to_numpy(float), table["y"].to_numpy(float)
    pearson = pearson_coefficient(x, y)
    t = pearson * math.sqrt((r.n - 2) / (1 - pearson**2))
    rho = pearson_coefficient(average_ranks(x), average_ranks(y))
    return {
        "n": r.n,
        "rho": r.estimate,
        "p_t_approx": r.test.p,
        "p_R_asymptotic": r.test.p,
        "ci_fisher_1.06": list(fisher_interval(rho, r.n, "1.06")),
        "ci_fisher": list(fisher_interval(rho, r.n)),
        "ci_bonett_wright": list(r.interval),
        "kendall_tau_b": kendall_tau_b(x, y),
        "pearson": pearson,
        "pearson_p": t_two_sided_p(t, r.n - 2),
        "pearson_ci": list(fisher_interval(pearson, r.n)),
    }


def _p(test: Any) -> float | None:
    return None if test is None else test.p


def kappa_case(case: Case) -> dict[str, Any]:
    lev = case["input"]["lev"]
    table = data(case)
    out: dict[str, Any] = {}
    for weights in WEIGHTS:
        r = on_table(kappa_of, table, first="r1", second="r2", levels=lev, weights=weights)
        out[weights] = {
            "po": r.observed,
            "pe": r.expected,
            "kappa": r.estimate,
            "se": r.se,
            "ci": list(r.interval),
            "se0": r.se_null,
            "z": r.test.statistic,
        }
    out |= {"n": r.n, "table_rows_r1": r.matrix.tolist(), "agree": r.agree, "within_one": r.within_one}
    m = r.matrix
    pairs = {
        "gwet_ac1": chance_corrected.gwet(m),
        "gwet_ac2_quadratic": chance_corrected.gwet(m, "quadratic"),
        "scott_pi": chance_corrected.scott_pi(m),
        "krippendorff_alpha_nominal": chance_corrected.krippendorff_alpha(m),
        "brennan_prediger": chance_corrected.brennan_prediger(m),
    }
    out |= {name: {"est": est, "se": se} for name, (est, se) in pairs.items()}
    return out | {
        "kappa_max_unweighted": maximum_kappa(m),
        "bowker_p": _p(chance_corrected.bowker(m)),
        "stuart_maxwell_p": _p(chance_corrected.stuart_maxwell(m)),
    }


def kappa_clustered(case: Case) -> dict[str, Any]:
    table = data(case)
    by_weight = [
        on_table(kappa_of, table, first="r1", second="r2", levels=range(6), weights=w, cluster="patient")
        for w in WEIGHTS
    ]
    worst = table.groupby("patient", sort=False)[["r1", "r2"]].max()
    patient = on_table(kappa_of, worst, first="r1", second="r2", levels=range(6))
    return {
        "kappa_vessel": [r.estimate for r in by_weight],
        "cluster_jackknife_se": [r.cluster_se for r in by_weight],
        "naive_se_unweighted": by_weight[0].se,
        "patient_level_kappa": patient.estimate,
        "patient_table_agree": patient.agree,
    }


def two_by_two_case(case: Case) -> dict[str, Any]:
    cells = case["input"]
    r = two_by_two_of(**cells)
    tp, fp, fn, tn = (cells[k] for k in ("tp", "fp", "fn", "tn"))
    n1, n0 = tp + fn, fp + tn
    ratios = r.ratios()

    def predictive(prevalence: float) -> dict[str, Any]:
        ppv = predictive_at(prevalence, positive=True, **cells)
        npv = predictive_at(prevalence, positive=False, **cells)
        return {"ppv": ppv[0], "ppv_ci": list(ppv[1]), "npv": npv[0], "npv_ci": list(npv[1])}

    return {
        **cells,
        "sensitivity": r.sensitivity.estimate,
        "sensitivity_ci_exact": list(r.sensitivity.interval),
        "sensitivity_ci_wilson": list(wilson(tp, n1)),
        "specificity": r.specificity.estimate,
        "specificity_ci_exact": list(r.specificity.interval),
        "specificity_ci_wilson": list(wilson(tn, n0)),
        "accuracy": r.accuracy.estimate,
        "accuracy_ci_exact": list(r.accuracy.interval),
        "ppv": r.ppv.estimate,
        "ppv_ci_exact": list(clopper_pearson(tp, tp + fp)),
        "npv": r.npv.estimate,
        "npv_ci_exact": list(clopper_pearson(tn, tn + fn)),
        "predictive_logit_mercaldo": {
            "ppv": r.ppv.estimate,
            "ppv_ci": list(r.ppv.interval),
            "npv": r.npv.estimate,
            "npv_ci": list(r.npv.interval),
        },
        "predictive_at_prevalence_10pct": predictive(0.10),
        "prevalence": n1 / r.n,
        "prevalence_ci_exact": list(clopper_pearson(n1, r.n)),
        "lr_pos": ratios["lr_pos"],
        "lr_pos_ci_log": list(ratios["lr_pos_ci"]),
        "lr_neg": ratios["lr_neg"],
        "lr_neg_ci_log": list(ratios["lr_neg_ci"]),
        "dor": ratios["dor"],
        "youden": ratios["youden"],
        "balanced_accuracy": (ratios["youden"] + 1) / 2,
        "f1": 2 * tp / (2 * tp + fp + fn),
        "mcc": (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
    }


def roc_case(case: Case) -> dict[str, Any]:
    table = data(case)
    x, y = table["x"].to_numpy(float), table["y"].to_numpy(float)
    r = roc_of(x, y)
    thresholds, se, sp = curve(x[y == 1], x[y == 0])
    from scipy.stats import binomtest

    n = r.cases + r.controls
    cut = r.youden.cut_offs[0]
    below = thresholds[thresholds < cut].max()
    false_positive = np.concatenate([[0.0], (1 - sp)[::-1]])
    true_positive = np.concatenate([[0.0], se[::-1]])
    inside = false_positive < 0.1 - 1e-12
    at_limit = (
        float(np.interp(0.1, false_positive, true_positive))
        if not np.any(np.isclose(false_positive, 0.1))
        else (float(true_positive[np.isclose(false_positive, 0.1)].max()))
    )
    partial = float(
        np.trapezoid(np.append(true_positive[inside], at_limit), np.append(false_positive[inside], 0.1))
    )
    corrected = (1 + (partial - 0.005) / (0.1 - 0.005)) / 2
    raw = [r.estimate - Z * r.se, r.estimate + Z * r.se]
    return {
        "n_cases": r.cases,
        "n_controls": r.controls,
        "auc": r.estimate,
        "delong_se": r.se,
        "delong_ci_clipped": list(r.interval),
        "delong_ci_raw": raw,
        "logit_ci": list(r.logit_interval),
        "hanley_mcneil_se": hanley_mcneil_se(r.estimate, r.cases, r.controls),
        "binomial_exact_ci_medcalc": list(binomtest(round(r.estimate * n), n).proportion_ci()),
        "z_vs_half": r.test.statistic,
        "wilcoxon_U": r.estimate * r.cases * r.controls,
        "youden_J": r.youden.index,
        "youden_cutoffs_observed_ge": cut if len(r.youden.cut_offs) == 1 else list(r.youden.cut_offs),
        "n_optimal": len(r.youden.cut_offs),
        "proc_threshold_midpoints": (below + cut) / 2,
        "sensitivity": r.youden.sensitivity,
        "specificity": r.youden.specificity,
        "auc_at_cut": (r.youden.sensitivity + r.youden.specificity) / 2,
        "closest_topleft": float(thresholds[np.argmin((1 - se) ** 2 + (1 - sp) ** 2)]),
        "sens_at_spec90": at_limit,
        "partial_auc_spec_90_100": partial,
        "partial_auc_corrected": corrected if partial >= 0.005 else None,
    }


def roc_pair(case: Case) -> dict[str, Any]:
    table = data(case)
    y = table["y"].to_numpy(float)
    x = {name: table[name].to_numpy(float) for name in ("s100b", "ndka", "wfns")}
    out: dict[str, Any] = {"auc": [roc_of(v, y).estimate for v in x.values()]}
    for a, b in (("s100b", "ndka"), ("wfns", "s100b"), ("wfns", "ndka")):
        d = paired_difference(x[a], x[b], y)
        out[f"{a}_{b}"] = {
            "diff": d.estimate,
            "z": d.test.statistic,
            "p": d.test.p,
            "cov": d.covariance,
            "ci": list(d.interval),
        }
    return out


def km_lung(case: Case) -> dict[str, Any]:
    table = data(case)
    time, event = table["time"].to_numpy(float), table["event"].to_numpy(float)
    c = kaplan_meier(time, event)
    times = case["input"]["times"]
    reverse = kaplan_meier(time, 1 - event)
    out: dict[str, Any] = {"n": c.n, "events": c.total_events, "times": times}
    for key, transform in (("plain", "plain"), ("log", "log"), ("loglog", "log-log")):
        both = [c.survival_limits_at(t, transform) for t in times]
        out[key] = {
            "surv": [c.survival_at(t) for t in times],
            "se_greenwood": [c.standard_error_at(t) for t in times],
            "lower": [b[0] for b in both],
            "upper": [b[1] for b in both],
            "n_risk": [c.at_risk_at(t) for t in times],
            "n_event_cum": [int(c.events[c.times <= t].sum()) for t in times],
        }
        steps = [
            limits(s, v, transform) or (math.nan, math.nan)
            for s, v in zip(c.survival, c.variance, strict=True)
        ]
        out[f"median_ci_{key}"] = [
            c.median(),
            quantile(c.times, np.array([s[0] for s in steps]), 0.5),
            quantile(c.times, np.array([s[1] for s in steps]), 0.5),
        ]
    return out | {
        "cumulative_incidence": [c.incidence_at(t)[0] for t in times],
        "median_followup_reverse_km": reverse.median(),
        "followup_q1_q3_reverse_km": [quantile(reverse.times, reverse.survival, p) for p in (0.75, 0.25)],
        "nelson_aalen": [float((c.events / c.at_risk)[c.times <= t].sum()) for t in times],
        "rmst": list(c.restricted_mean(max(times))),
    }


def log_rank_lung(case: Case) -> dict[str, Any]:
    table = data(case)
    time, event = table["time"].to_numpy(float), table["event"].to_numpy(float)
    group = table["g"].to_numpy(int) - table["g"].min()
    plain, peto = log_rank(time, event, group, 2), log_rank(time, event, group, 2, rho=1)
    return {
        "n": np.bincount(group).tolist(),
        "observed": list(plain.observed),
        "expected": list(plain.expected),
        "chisq": plain.test.statistic,
        "df": 1,
        "p": plain.test.p,
        "peto_prentice_rho1_chisq": peto.test.statistic,
        "peto_p": peto.test.p,
    }


def km_replica(case: Case) -> dict[str, Any]:
    r = on_table(
        cumulative_incidence_of,
        data(case).sort_values("tpv_hi"),
        time="time",
        event="event",
        group="tpv_hi",
        horizon=5,
    )
    times = case["input"]["times"]
    out: dict[str, Any] = {"times": times, "logrank_chisq": r.test.statistic, "p": r.test.p}
    for name, c in zip(("low", "high"), r.curves, strict=True):
        both = [c.survival_limits_at(t) for t in times]
        out |= {
            f"ci_{name}": [c.incidence_at(t)[0] for t in times],
            f"ci_{name}_lower": [1 - b[1] for b in both],
            f"ci_{name}_upper": [1 - b[0] for b in both],
            f"risk_{name}": [c.at_risk_at(t) for t in times],
        }
    return out


def cox_case(case: Case) -> dict[str, Any]:
    table = data(case)
    names = case["input"]["vars"]
    single = isinstance(names, str)
    names = [names] if single else names
    out: dict[str, Any] = {"vars": case["input"]["vars"]}
    for ties in ("Efron", "Breslow"):
        m = on_table(cox_of, table, time="time", event="event", covariates=names, ties=ties)
        complete = table.dropna(subset=["time", "event", *names])
        x = complete[names].to_numpy(float)
        risk = RiskSets(
            complete["time"].to_numpy(float),
            complete["event"].to_numpy() == 1,
            x - x.mean(0),
            None,
            ties == "Efron",
        )
        fit = maximise(risk)
        zph = score_tests(risk, fit)

        def listed(values: list[float]) -> Any:
            return values[0] if single else values

        out[ties.lower()] = {
            "n": m.n,
            "events": m.events,
            "coef": listed([t.coefficient for t in m.terms]),
            "se": listed([t.se for t in m.terms]),
            "hr": listed([t.estimate for t in m.terms]),
            "lower": listed([t.interval.low for t in m.terms]),
            "upper": listed([t.interval.high for t in m.terms]),
            "z": listed([t.test.statistic for t in m.terms]),
            "p_wald": listed([t.test.p for t in m.terms]),
            "loglik_null": m.log_likelihood_null,
            "loglik": m.log_likelihood,
            "lr_chisq": m.likelihood_ratio.statistic,
            "lr_p": m.likelihood_ratio.p,
            "wald_chisq": float(half_up(m.wald.statistic, 2)),  # R's summary rounds it
            "score_chisq": m.score.statistic,
            "score_p": m.score.p,
            "aic": -2 * m.log_likelihood + 2 * len(names),
            "concordance": [m.concordance, m.concordance_se],
            "phtest_gt1994_km_chisq": listed(list(approximate_tests(risk, fit).statistics)),
            "zph_km_chisq": [*zph.statistics, zph.overall],
            "zph_km_p": [*zph.p, zph.overall_p],
        }
    return out


def cox_left_truncation(case: Case) -> dict[str, Any]:
    table = data(case)
    m = on_table(cox_of, table, time="exit", event="event", covariates=["x"], entry="entry")
    naive = on_table(cox_of, table, time="exit", event="event", covariates=["x"])
    term = m.terms[0]
    entry, end, event = (table[c].to_numpy(float) for c in ("entry", "exit", "event"))
    times = case["input"]["times"]
    deaths = np.unique(end[event == 1])
    at_risk = np.array([((entry < t) & (end >= t)).sum() for t in deaths])
    died = np.array([((end == t) & (event == 1)).sum() for t in deaths])
    survival = np.cumprod(1 - died / at_risk)
    next_exit = [float(end[end >= t].min()) for t in times]  # R counts at the next exit time
    return {
        "coef": term.coefficient,
        "se": term.se,
        "hr_ci": [term.estimate, *term.interval],
        "naive_coef_ignoring_entry": naive.terms[0].coefficient,
        "times": times,
        "n_risk": [int(((entry < t) & (end >= t)).sum()) for t in next_exit],
        "surv": [float(survival[deaths <= t][-1]) for t in times],
        "loglik": [m.log_likelihood_null, m.log_likelihood],
    }


CASES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "icc_shrout_fleiss_public": icc_forms,
    "icc_negative_public": icc_forms,
    "icc_missing_listwise_public": icc_forms,
    "icc_replica_testset_public": icc_forms,
    "icc_replica_ivus_public": icc_forms,
    "icc_cluster_bootstrap_fixed_index_public": icc_bootstrap,
    "ba_pefr_1986_public": bland_altman_case,
    "ba_missing_public": bland_altman_case,
    "ba_replica_testset_public": bland_altman_case,
    "ba_replica_ivus_public": bland_altman_case,
    "ba_clustered_public": bland_altman_clustered,
    "spearman_ties_public": spearman_case,
    "kappa_lin2022_fig4b_public": kappa_case,
    "kappa_anxiety_r1r2_public": kappa_case,
    "kappa_paradox_public": kappa_case,
    "kappa_clustered_vessels_public": kappa_clustered,
    "dx_lin_tpv_public": two_by_two_case,
    "dx_lin_obstructive_public": two_by_two_case,
    "dx_lin_ica70_patient_public": two_by_two_case,
    "roc_asah_s100b_public": roc_case,
    "roc_asah_wfns_ties_public": roc_case,
    "roc_replica_scotheart_tpv_public": roc_case,
    "roc_asah_delong_pair_public": roc_pair,
    "km_lung_public": km_lung,
    "logrank_lung_sex_public": log_rank_lung,
    "km_replica_scotheart_public": km_replica,
    "cox_lung_multi_public": cox_case,
    "cox_veteran_ph_violation_public": cox_case,
    "cox_rossi_public": cox_case,
    "cox_replica_scotheart_public": cox_case,
    "cox_replica_scotheart_univ_public": cox_case,
    "cox_left_truncation_public": cox_left_truncation,
}


def kappa_matrix(matrix: list[list[int]], levels: list[int], weights: str) -> float:
    estimate = kappa_of_matrix(np.array(matrix), levels=levels, weights=weights).estimate
    assert estimate is not None
    return estimate
