"""Oracle cases of agreement and accuracy: case id → numbers in the oracle's shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from analytics.agreement.lin import concordance_correlation
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


CASES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "repeatability_pefr_public": repeatability_case,
    "ccc_pefr_public": concordance_case,
}
