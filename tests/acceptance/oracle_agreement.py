"""Oracle cases of agreement and accuracy: case id → numbers in the oracle's shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from analytics.agreement.lin import concordance_correlation
from analytics.agreement.ratio_limits import ratio_limits
from analytics.agreement.regression_limits import regression_limits
from analytics.agreement.repeatability import repeatability_of
from analytics.agreement.total_deviation import total_deviation

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
    r = concordance_correlation(data(case), first="a", second="b")
    t = total_deviation(data(case), first="a", second="b", bound=15)
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
    r = ratio_limits(data(case), first="a", second="b")
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
    r = regression_limits(data(case), first="a", second="b")
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


CASES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "repeatability_pefr_public": repeatability_case,
    "ccc_pefr_public": concordance_case,
    "ba_ratio_loa_public": ratio_limits_case,
    "ba_regression_loa_public": regression_limits_case,
}
