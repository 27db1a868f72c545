"""Oracle cases of agreement and accuracy: case id → numbers in the oracle's shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from analytics.accuracy import binomial
from analytics.accuracy.clustered import clustered_accuracy_of
from analytics.accuracy.clustered_roc import clustered_roc_of
from analytics.accuracy.maximally_selected import log_rank_scores, maximally_selected
from analytics.accuracy.paired import paired_accuracy_of
from analytics.accuracy.roc import roc_of, unpaired_difference
from analytics.accuracy.two_by_two import two_by_two_of
from analytics.agreement.components import icc_reml_of, nested_icc_of
from analytics.agreement.icc import icc_of
from analytics.agreement.lin import concordance_correlation_of
from analytics.agreement.multirater import fleiss_kappa
from analytics.agreement.rank_sum import rank_sum_of
from analytics.agreement.ratio_limits import ratio_limits_of
from analytics.agreement.regression_limits import regression_limits_of
from analytics.agreement.repeatability import repeatability_of
from analytics.agreement.signed_rank import signed_rank_of
from analytics.agreement.total_deviation import total_deviation_of
from analytics.distributions import normal_two_sided_p
from analytics.survival.log_rank import log_rank
from analytics.tables import on_table

Case = dict[str, Any]
ORACLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "oracle"


def data(case: Case) -> pd.DataFrame:
    return pd.read_csv(ORACLE / case["data"][0])


def repeatability_case(case: Case) -> dict[str, Any]:
    table, out = data(case), {}
    for name, columns in (("wright", ["w1", "w2"]), ("mini", ["m1", "m2"])):
        r = repeatability_of(table[columns].to_numpy(float))
        out[name] = {
            "sw": r.estimate,
            "sw_ci": list(r.interval),
            "repeatability_1.96_sqrt2_sw": r.coefficient,
            "wcv_mean": r.cv_mean,
            "wcv_rms": r.cv_rms,
        }
    return out


def concordance_case(case: Case) -> dict[str, Any]:
    r = on_table(concordance_correlation_of, data(case), first="a", second="b")
    t = on_table(total_deviation_of, data(case), first="a", second="b", bound=15)
    return {
        "ccc": r.estimate,
        "ci_ztransform": list(r.interval),
        "ci_asymptotic": list(r.asymptotic_interval),
        "C_b": r.bias_correction,
        "scale_shift": r.scale_shift,
        "location_shift": r.location_shift,
        "pearson": r.pearson,
        "tdi90_normal": t.estimate,
        "tdi90_approx_lin": t.approximate,
        "tdi90_nonparam_type7": t.observed,
        "cp_15_nonparam": t.coverage,
    }


def ratio_limits_case(case: Case) -> dict[str, Any]:
    r = on_table(ratio_limits_of, data(case), first="a", second="b")
    return {
        "n_used": r.n,
        "n_excluded_nonpositive": r.dropped_count,
        "geometric_mean_ratio": r.estimate,
        "gmr_ci": list(r.interval),
        "ratio_loa": [r.lower, r.upper],
        "ratio_loa_lower_ci": list(r.lower_interval),
        "ratio_loa_upper_ci": list(r.upper_interval),
        "wcv_log": r.cv_log,
        "wcv_log_simple": r.cv_simple,
        "wcv_rms": r.cv_rms,
        "cor_absdiff_mean_log": r.spread_with_size,
    }


def regression_limits_case(case: Case) -> dict[str, Any]:
    r = on_table(regression_limits_of, data(case), first="a", second="b")
    at = [50, 100, 200, 400]
    bias, lower, upper = r.at(at)
    return {
        "bias_intercept": r.bias.intercept,
        "bias_slope": r.estimate,
        "bias_slope_p": r.test.p,
        "absres_intercept": r.spread.intercept,
        "absres_slope": r.spread.slope,
        "absres_slope_p": r.spread.p,
        "at": at,
        "bias_at": bias.tolist(),
        "lower_at": lower.tolist(),
        "upper_at": upper.tolist(),
    }


def icc_reml_case(case: Case) -> dict[str, Any]:
    table = data(case)
    r = icc_reml_of(table[[c for c in table.columns if c.startswith("r")]].to_numpy(float), replicates=0)
    return {
        "n_obs": r.observations,
        "var_subject": r.components["subject"],
        "var_rater": r.components["rater"],
        "var_resid": r.components["residual"],
        "icc_A_1": r.estimate,
        "icc_C_1": r.icc_consistency,
        "sem_agreement": r.sem_agreement,
        "reml_loglik": r.log_likelihood,
    }


def nested_icc_case(case: Case) -> dict[str, Any]:
    table = data(case)
    reads = table[["expert", "dl"]].to_numpy(float)
    r = nested_icc_of(reads, clusters=table["patient"].tolist(), replicates=200)
    return {
        "n_patients": r.clusters,
        "n_lesions": r.n,
        "var_patient": r.components["patient"],
        "var_lesion": r.components["lesion"],
        "var_resid": r.components["residual"],
        "fixed_bias_dl_minus_expert": r.bias[0],
        "se_bias": r.bias_se,
        "icc_consistency": r.estimate,
        "icc_patient_share": r.patient_share,
        "naive_icc_C_1": icc_of(reads, form="C,1").estimate,
    }


def signed_rank_case(case: Case) -> dict[str, Any]:
    r = on_table(signed_rank_of, data(case), first="a", second="b")
    return {
        "n_pairs": r.n,
        "n_zero": r.zeros,
        "V_plus": r.positive_sum,
        "z_no_continuity": r.normal.statistic,
        "p_wilcox_drop_zero_continuity": r.continuity.p,
        "p_wilcox_drop_zero_no_continuity": r.normal.p,
        "z_pratt_stata_signrank": r.pratt.statistic,
        "p_pratt_stata_signrank": r.pratt.p,
        "p_exact_drop_zero": r.test.p,
        "sign_test_p": r.sign.p,
    }


def rank_sum_case(case: Case) -> dict[str, Any]:
    r = on_table(rank_sum_of, data(case), value="value", group="group")
    m, n = r.sizes
    no_ties = (r.rank_sum - m * (m + n + 1) / 2) / math.sqrt(m * n * (m + n + 1) / 12)
    return {
        "n1": m,
        "n2": n,
        "rank_sum_A": r.rank_sum,
        "U_A": r.u,
        "z_tie_corrected_stata": r.normal.statistic,
        "p_tie_corrected_no_continuity_stata": r.normal.p,
        "p_tie_corrected_continuity_scipy_mannwhitneyu": r.continuity.p,
        "z_no_tie_scipy_ranksums": no_ties,
        "p_no_tie_scipy_ranksums": normal_two_sided_p(no_ties),
        "p_exact_permutation_abs_deviation": r.exact_deviation.p,
        "p_exact_twice_smaller_tail": r.exact_tails.p,
        "prob_superiority_A": r.superiority,
        "hodges_lehmann": r.estimate,
    }


def clustered_accuracy_case(case: Case) -> dict[str, Any]:
    r = on_table(
        clustered_accuracy_of, data(case), test="test", reference="truth", cluster="patient", threshold=1
    )
    return {
        name: {
            "x": m.numerator,
            "n": m.n,
            "patients": m.clusters,
            "est": m.estimate,
            "cluster_se": m.se,
            "ci_wald_cluster": list(m.wald_interval),
            "ci_logit_cluster": list(m.interval),
            "deff": m.design_effect,
        }
        for name, m in zip(("sensitivity", "specificity", "accuracy"), r.measures(), strict=True)
    }


def clustered_roc_case(case: Case) -> dict[str, Any]:
    r = on_table(clustered_roc_of, data(case), marker="x", outcome="y", cluster="patient")
    return {
        "auc": r.estimate,
        "obuchowski_se": r.se,
        "ci": list(r.interval),
        "naive_delong_se": r.naive_se,
        "n_patients": r.clusters,
        "n_cases": r.cases,
        "n_controls": r.controls,
    }


def unpaired_roc_case(case: Case) -> dict[str, Any]:
    table = data(case)
    a, b = (on_table(roc_of, table[table["g"] == g], marker="x", outcome="y") for g in "AB")
    d = unpaired_difference(a, b)
    return {
        "auc_A": a.estimate,
        "auc_B": b.estimate,
        "D": d.test.statistic,
        "df_welch": d.test.df[0],
        "p": d.test.p,
    }


def paired_accuracy_case(case: Case) -> dict[str, Any]:
    r = on_table(paired_accuracy_of, data(case), first="t1", second="t2", reference="truth")
    out: dict[str, Any] = {"diseased": list(r.diseased), "nondiseased": list(r.healthy)}
    for key, m in (("se", r.sensitivity), ("sp", r.specificity)):
        out[f"mcnemar_{key}"] = [m.first, m.second, m.estimate, m.tests[0].statistic, m.tests[0].p]
        out[f"exact_p_{key}"] = m.tests[1].p
    for key, m in (("ppv", r.ppv), ("npv", r.npv)):
        score, weighted, relative = m.tests
        out[f"gs_{key}"] = [m.first, m.second, score.statistic, score.p]
        out[f"wgs_{key}"] = [weighted.statistic, weighted.p]
        out[f"rpv_{key}"] = [m.ratio, *m.ratio_interval, relative.p]
    return out


def maximally_selected_case(case: Case) -> dict[str, Any]:
    table = data(case)
    time, event, x = (table[c].to_numpy(float) for c in ("time", "event", "x"))
    r = maximally_selected(x, log_rank_scores(time, event), replicates=0)
    group = (x > r.estimate).astype(int)
    return {
        "M": r.test.statistic,
        "cutpoint_le": r.estimate,
        "p_lausen1994_clipped": r.test.p,
        "p_lausen1994_raw_bound": r.test.p,
        "naive_logrank_p_at_cut": log_rank(time, event, group, 2).test.p,
    }


def fleiss_case(case: Case) -> dict[str, Any]:
    table = data(case)
    levels = sorted(set(table.to_numpy().ravel()))
    r = fleiss_kappa(table.to_numpy().tolist(), levels=levels)
    # With more than two complete raters the R package irr 0.84 counts each value m − 1 times in the coincidence
    # matrix's total: its number follows from ours, which counts the N values once (Krippendorff 2011).
    values, others = r.n * r.raters, r.raters - 1
    krippendorff = 1 - (1 - r.krippendorff) * (values * others - 1) / (others * (values - 1))
    return {
        "kappa": r.estimate,
        "z": r.test.statistic,
        "category_kappa": list(r.categories.values()),
        "conger_exact": r.conger,
        "gwet_ac1": {"coeff.val": r.ac1, "coeff.se": r.ac1_se},
        "krippendorff_nominal": krippendorff,
    }


def binomial_case(case: Case) -> dict[str, Any]:
    return {"rows": [_binomial(int(x), int(n)) for x, n in data(case).to_numpy()]}


def _binomial(x: int, n: int) -> dict[str, Any]:
    # PropCIs searches mid-P limits inwards on a grid of 0.0001 + 0.0005 k (closed form at 0 and n).
    mid_p, grid = list(binomial.mid_p(x, n)), 0.0005
    if 0 < x < n:
        low, high = ((limit - 0.0001) / grid for limit in mid_p)
        mid_p = [0.0001 + grid * math.ceil(low), 0.0001 + grid * math.floor(high)]
    # prop.test shrinks the continuity correction near one half, Hmisc alters Wilson at 1 and n − 1, PropCIs clips.
    wilson, plus4 = list(binomial.wilson(x, n)), list(binomial.agresti_coull(x, n, 4))
    corrected = list(binomial.wilson_corrected(x, n))
    hmisc = [
        -math.log(0.95) / n if x == 1 else wilson[0],
        1 + math.log(0.95) / n if x == n - 1 else wilson[1],
    ]
    return {
        "x": x,
        "n": n,
        "exact": list(binomial.clopper_pearson(x, n)),
        "wilson": wilson,
        "wilson_cc_newcombe": corrected,
        "wilson_cc_prop.test": wilson if 2 * x == n else corrected,
        "wald": list(binomial.wald(x, n)),
        "agresti_coull_z2": list(binomial.agresti_coull(x, n)),
        "agresti_plus4": [max(0.0, plus4[0]), min(1.0, plus4[1])],
        "jeffreys_bcd": list(binomial.jeffreys(x, n)),
        "mid_p": mid_p,
        "hmisc_wilson_nonstandard": hmisc,
    }


def accuracy_crosscheck_case(case: Case) -> dict[str, Any]:
    cells = case["input"]
    tp, fp, fn, tn = (cells[k] for k in ("tp", "fp", "fn", "tn"))
    r = two_by_two_of(**cells)
    ratios = r.ratios()

    def exact(x: int, n: int) -> list[float]:
        return [x / n, *binomial.clopper_pearson(x, n)]

    se, sp = exact(tp, tp + fn), exact(tn, tn + fp)
    youden = [a + b - 1 for a, b in zip(se, sp, strict=True)]
    return {
        "ap": exact(tp + fp, r.n),
        "tp": exact(tp + fn, r.n),
        "se": se,
        "sp": sp,
        "diag.ac": [r.accuracy.estimate, *r.accuracy.interval],
        "diag.or": [ratios["dor"], *ratios["dor_ci"]],
        "lr.pos": [ratios["lr_pos"], *ratios["lr_pos_ci"]],
        "lr.neg": [ratios["lr_neg"], *ratios["lr_neg_ci"]],
        "youden": youden,
        "nndx": [1 / youden[0], 1 / youden[2], 1 / youden[1]],
        "pv.pos": exact(tp, tp + fp),
        "pv.neg": exact(tn, tn + fn),
        "p.rin": exact(tp + fp, r.n),
        "p.rout": exact(tn + fn, r.n),
        "p.tpdn": exact(fp, fp + tn),
        "p.tndp": exact(fn, tp + fn),
        "p.dntp": exact(fp, tp + fp),
        "p.dptn": exact(fn, fn + tn),
    }


CASES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "repeatability_pefr_public": repeatability_case,
    "ccc_pefr_public": concordance_case,
    "ba_ratio_loa_public": ratio_limits_case,
    "ba_regression_loa_public": regression_limits_case,
    "icc_missing_reml_complete_public": icc_reml_case,
    "icc_nested_lesions_public": nested_icc_case,
    "signedrank_zeros_ties_public": signed_rank_case,
    "ranksum_ties_public": rank_sum_case,
    "clustered_sens_spec_public": clustered_accuracy_case,
    "roc_clustered_obuchowski_public": clustered_roc_case,
    "roc_unpaired_public": unpaired_roc_case,
    "paired_tests_public": paired_accuracy_case,
    "maxstat_public": maximally_selected_case,
    "fleiss_kappa_diagnoses_public": fleiss_case,
    "binomial_ci_grid_public": binomial_case,
    "dx_epitests_crosscheck_public": accuracy_crosscheck_case,
}
