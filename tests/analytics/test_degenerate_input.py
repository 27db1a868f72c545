"""Every estimator keeps the one contract on tables that say little: reasons, never NaN nor a traceback."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

import analytics
from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.categorical import COEFFICIENTS, chance_corrected_of, symmetry_of, within_steps_of
from analytics.agreement.components import icc_reml_of, nested_icc_of
from analytics.agreement.correlation import kendall_of, spearman_of
from analytics.agreement.equivalence import equivalence_of, interchangeability_of
from analytics.agreement.icc import FORMS, icc_of
from analytics.agreement.kappa import cross_table, kappa_of
from analytics.agreement.lin import concordance_correlation_of
from analytics.agreement.multirater import fleiss_kappa
from analytics.agreement.quantile_limits import quantile_limits_of
from analytics.agreement.rank_sum import rank_sum_of
from analytics.agreement.ratio_limits import ratio_limits_of
from analytics.agreement.regression import deming_of, passing_bablok_of
from analytics.agreement.regression_limits import regression_limits_of
from analytics.agreement.repeatability import repeatability_of
from analytics.agreement.signed_rank import signed_rank_of
from analytics.agreement.total_deviation import total_deviation_of
from analytics.errors import AnalyticsError
from analytics.missing import accuracy_with_uninterpretable, pool_imputations, uninterpretable_of
from analytics.monitoring import learning_curve, mean_chart, proportion_chart, reader_disagreement
from analytics.result import NOT_ASKED, Estimated, Finding, Interval, Result

NAN = np.nan
FEW = {"replicates": 40}
READS = {
    "no row": ([], []),
    "one row": ([3.0], [4.0]),
    "two rows": ([3.0, 5.0], [4.0, 4.0]),
    "constant": ([2.0] * 6, [2.0] * 6),
    "equal reads": ([1.0, 2, 3, 4, 5, 6], [1.0, 2, 3, 4, 5, 6]),
    "one read constant": ([2.0] * 6, [1.0, 2, 3, 4, 5, 6]),
    "shifted": ([1.0, 2, 3, 4, 5, 6], [2.0, 3, 4, 5, 6, 7]),
    "reversed": ([1.0, 2, 3, 4, 5, 6], [6.0, 5, 4, 3, 2, 1]),
    "all missing": ([NAN] * 6, [1.0, 2, 3, 4, 5, 6]),
    "zeros": ([0.0] * 6, [0.0, 0, 0, 0, 0, 1]),
    "usual": ([1.0, 2, 4, 4, 5, 7], [1.5, 2, 3, 5, NAN, 6]),
}
"""Two reads of up to six units."""

Estimate = Callable[[np.ndarray, np.ndarray, list[int] | None], Any]


def categories(values: np.ndarray) -> list[int | None]:
    """Reads as grades 0 to 7; NaN is missing."""
    return [None if np.isnan(v) else int(v) for v in values]


def counted(x: np.ndarray, y: np.ndarray, who: list[int] | None) -> Any:
    return cross_table(categories(x), categories(y), levels=range(8), clusters=who)


def months(n: int) -> list[str]:
    return [str(i % 3) for i in range(n)]


PAIRED: dict[str, Estimate] = {
    "bland_altman": lambda x, y, who: bland_altman_of(x, y, clusters=who, **FEW),
    "bland_altman, jackknife": lambda x, y, who: bland_altman_of(x, y, clusters=who, replicates=0),
    "spearman": lambda x, y, who: spearman_of(x, y, clusters=who),
    "kendall": lambda x, y, who: kendall_of(x, y, clusters=who),
    "concordance_correlation": lambda x, y, who: concordance_correlation_of(x, y, clusters=who, **FEW),
    "concordance_correlation, not asked": lambda x, y, who: concordance_correlation_of(
        x, y, clusters=who, replicates=0
    ),
    "signed_rank": lambda x, y, who: signed_rank_of(x, y, clusters=who),
    "rank_sum": lambda x, y, who: rank_sum_of(x, y),
    "total_deviation": lambda x, y, who: total_deviation_of(x, y, clusters=who, **FEW),
    "deming": lambda x, y, who: deming_of(x, y, clusters=who),
    "passing_bablok": lambda x, y, who: passing_bablok_of(x, y, clusters=who),
    "quantile_limits": lambda x, y, who: quantile_limits_of(x, y, clusters=who, **FEW),
    "ratio_limits": lambda x, y, who: ratio_limits_of(x, y, clusters=who, **FEW),
    "regression_limits": lambda x, y, who: regression_limits_of(x, y, clusters=who, **FEW),
    "equivalence": lambda x, y, who: equivalence_of(x, y, margin=1.0, clusters=who),
    "interchangeability": lambda x, y, who: interchangeability_of(x, y, y, clusters=who, margin=1.0),
    "repeatability": lambda x, y, who: repeatability_of(np.column_stack([x, y]), clusters=who, **FEW),
    "icc_reml": lambda x, y, who: icc_reml_of(np.column_stack([x, y]), clusters=who, **FEW),
    "nested_icc": lambda x, y, who: nested_icc_of(
        np.column_stack([x, y]), clusters=list(range(len(x))) if who is None else who, **FEW
    ),
    "kappa": lambda x, y, who: kappa_of(
        categories(x), categories(y), levels=range(8), weights="linear", clusters=who
    ),
    "fleiss_kappa": lambda x, y, who: fleiss_kappa(
        list(zip(categories(x), categories(y), categories(y), strict=True)), levels=range(8), clusters=who
    ),
    "symmetry": lambda x, y, who: symmetry_of(counted(x, y, who)),
    "within_steps": lambda x, y, who: within_steps_of(
        categories(x), categories(y), levels=range(8), clusters=who
    ),
    "learning_curve": lambda x, y, who: learning_curve(
        [str(w) for w in who or [1] * len(x)], np.arange(1, len(x) + 1), np.where(x > 0, x, NAN)
    ),
    "mean_chart": lambda x, y, who: mean_chart(x, months(len(x)), what="value"),
    "proportion_chart": lambda x, y, who: proportion_chart(
        np.where(np.isnan(x), NAN, x > 2), months(len(x)), what="failed"
    ),
    "reader_disagreement": lambda x, y, who: reader_disagreement(
        ["a"] * len(x), ["b"] * len(x), x != y, x > y, np.where(x > y, 1.0, NAN)
    ),
    "uninterpretable": lambda x, y, who: uninterpretable_of(
        who or list(range(len(x))), ["LAD"] * len(x), (x > 2).astype(float)
    ),
    **{
        f"icc {form}": lambda x, y, who, form=form: icc_of(
            np.column_stack([x, y]), clusters=who, form=form, replicates=40 if form == "A,1" else 0
        )
        for form in FORMS
    },
    **{
        name: lambda x, y, who, name=name: chance_corrected_of(counted(x, y, who), coefficient=name)
        for name in COEFFICIENTS
    },
}
"""Estimators of two reads, with the patient of each unit."""

OTHERS: dict[str, Callable[[], Any]] = {
    "equal imputations": lambda: pool_imputations([1.0, 1.0], [0.0, 0.0], n=9),
    "imputations": lambda: pool_imputations([1.0, 2.0], [0.1, 0.1], n=9),
    "nothing uninterpretable": lambda: accuracy_with_uninterpretable(
        tp=0, fp=0, fn=0, tn=0, diseased=0, healthy=0
    ),
}


def patients(n: int) -> dict[str, list[int] | None]:
    return {
        "nobody named": None,
        "one patient": [1] * n,
        "a patient each": list(range(n)),
        "three patients": [i // 2 for i in range(n)],
    }


def held_to_the_contract(found: Any) -> None:
    """Raise AssertionError where a result says less, or other, than the contract asks."""
    assert isinstance(found, Finding)
    assert found.n >= 0
    assert all(d.count > 0 and d.reason for d in found.dropped)
    said = f"{found.sentence()} {found.caption()}"
    assert not re.search(r"\b(nan|inf|None)\b", said), said
    if found.reason:
        assert found.reason in said
    json.dumps(found.to_dict(), allow_nan=False)
    for part in parts(found):
        if part.estimate is None:
            assert part.reason
        elif part.interval is None:
            assert part.interval_reason or part.NO_INTERVAL
    if isinstance(found, Result) and found.estimate is not None:
        for name in ("interval_reason", "cluster_reason"):
            reason = getattr(found, name, None)
            assert reason in (None, NOT_ASKED) or reason in found.sentence(), (name, reason)


def parts(found: Any) -> Iterator[Estimated]:
    """Every estimate in a result, itself included; and no interval that is neither there nor explained."""
    if isinstance(found, Estimated):
        yield found
    if is_dataclass(found) and not isinstance(found, Interval):
        for each in fields(found):
            yield from parts(getattr(found, each.name))
    elif isinstance(found, tuple | list):
        for item in found:
            yield from parts(item)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize("name", PAIRED)
def test_tables_that_say_little(name, reads):
    x, y = (np.array(values, np.float64) for values in READS[reads])
    for who in patients(len(x)).values():
        try:
            found = PAIRED[name](x, y, who)
        except AnalyticsError:  # a table that cannot be analysed is refused in words
            continue
        held_to_the_contract(found)


@pytest.mark.parametrize("name", OTHERS)
def test_what_takes_no_reads(name):
    held_to_the_contract(OTHERS[name]())


def test_every_result_descends_from_the_contract():
    """Whatever prints a sentence of its own is a result; whatever holds an interval says why it has none."""
    for module in pkgutil.walk_packages(analytics.__path__, "analytics."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and "sentence" in vars(value):
                assert issubclass(value, Finding), value
