"""The paper's published numbers, case by case, with the methods that exist; none is tuned to match."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from analytics.accuracy.roc import hanley_mcneil_se
from analytics.accuracy.two_by_two import two_by_two_of
from analytics.agreement.icc import f_limits
from analytics.agreement.kappa import WEIGHTS, kappa_of_matrix
from analytics.agreement.limits import Z, limit_intervals
from analytics.rounding import percent

PATH = Path(__file__).resolve().parents[3] / "shared" / "data" / "lin2022_cases.json"
CASES = json.loads(PATH.read_text())["cases"]


def group(name):
    return [pytest.param(case, id=case["id"]) for case in CASES if case["group"] == name and case["expected"]]


@pytest.mark.parametrize("case", group("diagnostic"))
def test_diagnostic(case):
    result = two_by_two_of(**case["input"])
    expected = case["expected"]
    for name in ("sensitivity", "specificity", "accuracy", "ppv", "npv"):
        measure = getattr(result, name)
        assert 100 * measure.estimate == pytest.approx(expected[name], abs=5e-7)
        key = f"{name}_ci" if f"{name}_ci" in expected else f"{name}_ci_logit"
        if key in expected:
            assert [100 * v for v in measure.interval] == pytest.approx(expected[key], abs=5e-7)
    short = {"sens": result.sensitivity, "spec": result.specificity, "ppv": result.ppv, "npv": result.npv}
    for name, text in case["published"].items():
        value = short[name]
        printed = f"{percent(value.estimate)} ({percent(value.interval.low)}-{percent(value.interval.high)})"
        assert printed == text


@pytest.mark.parametrize("case", group("kappa"))
def test_kappa(case):
    expected = case["expected"]
    for weights in WEIGHTS:
        result = kappa_of_matrix(
            np.array(case["input"]["matrix"]), levels=case["input"]["levels"], weights=weights
        )
        assert result.estimate == pytest.approx(expected[f"kappa_{weights}"], abs=5e-7)
    assert (result.n, result.agree, result.within_one) == (
        expected["n"],
        expected["agree"],
        expected["within_one"],
    )


@pytest.mark.parametrize("case", group("bland_altman"))
def test_bland_altman(case):
    given, expected = case["input"], case["expected"]
    sd = (given["upper"] - given["lower"]) / (2 * Z)
    assert sd == pytest.approx(expected["sd"], abs=5e-7)
    lower, upper = limit_intervals((given["upper"] + given["lower"]) / 2, sd, given["n"])
    assert tuple(lower) == pytest.approx(expected["lower_ci_ba1999"], abs=5e-7)
    assert tuple(upper) == pytest.approx(expected["upper_ci_ba1999"], abs=5e-7)


@pytest.mark.parametrize("case", group("icc"))
def test_icc_intervals(case):
    """F intervals of the consistency forms follow from the coefficient and n alone."""
    icc, n, k = (case["input"][key] for key in ("icc", "n", "k"))
    single = (1 + (k - 1) * icc) / (1 - icc)
    assert f_limits(single, "C,1", n, k) == pytest.approx(case["expected"]["ci_C,1"], abs=5e-7)
    assert f_limits(1 / (1 - icc), "C,k", n, k) == pytest.approx(case["expected"]["ci_C,2"], abs=5e-7)


@pytest.mark.parametrize("case", group("roc"))
def test_hanley_mcneil(case):
    given, expected = case["input"], case["expected"]
    se = hanley_mcneil_se(given["auc"], given["n_cases"], given["n_controls"])
    assert se == pytest.approx(expected["hanley_mcneil_se"], abs=5e-7)
    assert [given["auc"] - Z * se, given["auc"] + Z * se] == pytest.approx(
        expected["hanley_mcneil_ci"], abs=5e-7
    )


@pytest.mark.parametrize("case", group("cox"))
def test_wald_consistency_of_printed_hazard_ratios(case):
    given, expected = case["input"], case["expected"]
    assert math.sqrt(given["lower"] * given["upper"]) == pytest.approx(
        expected["geometric_mean_of_limits"], abs=5e-7
    )
    se = math.log(given["upper"] / given["lower"]) / (2 * Z)
    assert se == pytest.approx(expected["se_from_ci"], abs=5e-7)
    assert math.log(given["hr"]) / se == pytest.approx(expected["wald_z"], abs=5e-7)
