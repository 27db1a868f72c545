"""The statistical oracle: numbers made in R, compared by its own ``compare.py --strict``."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analytics.agreement.icc import icc_of
from analytics.survival.cox import cox_of
from analytics.tables import on_table


def _neighbour(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle_cases = _neighbour("oracle_cases")
CASES = oracle_cases.CASES
for neighbour in ("oracle_agreement", "oracle_survival", "oracle_readers"):
    CASES = CASES | _neighbour(neighbour).CASES
ORACLE = oracle_cases.ORACLE


def test_the_oracle_is_there():
    assert (ORACLE / "index_public.json").is_file(), f"the oracle is missing: {ORACLE}"


def test_every_public_case_is_asked():
    index = json.loads((ORACLE / "index_public.json").read_text())
    assert {case["id"] for case in index} == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(name, tmp_path):
    path = ORACLE / "cases" / f"{name}.json"
    result = CASES[name](json.loads(path.read_text()))
    target = tmp_path / "result.json"
    target.write_text(json.dumps({"expected": result}, default=_plain))
    done = subprocess.run(
        [sys.executable, str(ORACLE / "compare.py"), str(path), str(target), "--strict"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_missing_reads_are_counted_not_only_dropped():
    case = json.loads((ORACLE / "cases" / "icc_missing_listwise_public.json").read_text())
    result = icc_of(oracle_cases.ratings(oracle_cases.data(case)))
    assert result.dropped_count == 2


def test_monotone_likelihood_is_refused():
    """The oracle's maximum likelihood diverges; no hazard ratio may be printed."""
    case = json.loads((ORACLE / "cases" / "cox_monotone_firth_public.json").read_text())
    assert case["expected"]["ml_coef_diverges"] is True
    model = on_table(cox_of, oracle_cases.data(case), time="time", event="event", covariates=["g", "age"])
    assert model.terms[0].estimate is None
    assert "without limit" in model.terms[0].reason
    assert model.log_likelihood == pytest.approx(case["expected"]["ml_loglik_converged"], abs=1e-3)


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(type(value))
