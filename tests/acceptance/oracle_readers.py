"""Oracle cases of reader studies: MRMC, interchangeability, description. See ``oracle_cases``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.accuracy.mrmc import mrmc_of
from analytics.agreement.equivalence import interchangeability_of
from analytics.cohort import describe, quantiles, standardised_difference, welch
from analytics.tables import on_table

Case = dict[str, Any]
ORACLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "oracle"


def data(case: Case) -> pd.DataFrame:
    return pd.read_csv(ORACLE / case["data"][0])


def mrmc_case(case: Case) -> dict[str, Any]:
    r = on_table(
        mrmc_of,
        data(case),
        case="case",
        reader="reader",
        modality="treatment",
        score="rating",
        diseased="truth",
    )
    c = r.components
    return {
        "var_components": {
            "reader": c.reader,
            "treatment_reader": c.modality_reader,
            "error": c.error,
            "cov1": c.cov1,
            "cov2": c.cov2,
            "cov3": c.cov3,
        },
        "ms_t": r.ms_modality,
        "ms_tr": r.ms_modality_reader,
        "F": r.test.statistic,
        "df1": r.test.df[0],
        "df2": r.test.df[1],
        "p": r.test.p,
        "diff_1_minus_2": -r.estimate,
        "se": r.se,
        "ci": [-r.interval.high, -r.interval.low],
        "means": [m.estimate for m in r.modalities],
        "mean_se": [m.se for m in r.modalities],
        "mean_ci_1": list(r.modalities[0].interval),
        "mean_ci_2": list(r.modalities[1].interval),
    }


def interchangeability_case(case: Case) -> dict[str, Any]:
    d = data(case)
    r = interchangeability_of(d["dl"].to_numpy(), d["e1"].to_numpy(), d["e2"].to_numpy(), unit="patient")
    return {
        "n": r.n,
        "gamma": r.estimate,
        "se": r.estimate / r.test.statistic,
        "ci": list(r.interval),
        "msd_expert_expert": r.rms[1] ** 2,
        "rmsd_dl_expert": r.rms[0],
    }


def describe_case(case: Case) -> dict[str, Any]:
    d = data(case)
    x = d["x"].to_numpy(float)
    a, b = (x[d["g"].to_numpy() == g] for g in (0, 1))
    r, t = describe(x), welch(a, b)
    return {
        "mean": r.mean,
        "sd": r.sd,
        "median": r.median,
        "q_type7": list(r.quartiles),
        "q_type6": list(quantiles(np.sort(x), (0.25, 0.75), 6)),
        "q_type2_stata_summarize": list(quantiles(np.sort(x), (0.25, 0.75), 2)),
        "welch_t_p": t.p,
        "welch_df": t.df[0],
        "smd": standardised_difference(a, b),
        "skewness_type2": r.skewness,
    }


CASES: dict[str, Callable[[Case], dict[str, Any]]] = {
    "mrmc_vandyke_public": mrmc_case,
    "individual_equivalence_index_public": interchangeability_case,
    "describe_public": describe_case,
}
