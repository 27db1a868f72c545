"""Every estimator keeps the one contract on tables that say little: reasons, never NaN nor a traceback."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import numpy as np
import pytest

import analytics
from analytics.accuracy.clustered import clustered_accuracy_of, clustered_proportion
from analytics.accuracy.clustered_roc import clustered_auc_difference, clustered_roc_of
from analytics.accuracy.cutoff import cut_off_of
from analytics.accuracy.locked import locked_cut_off
from analytics.accuracy.maximally_selected import maximally_selected
from analytics.accuracy.mrmc import mrmc_of
from analytics.accuracy.paired import paired_accuracy_of
from analytics.accuracy.predictive import predictive_values
from analytics.accuracy.roc import paired_difference, roc_of, unpaired_difference
from analytics.accuracy.roc_bootstrap import bootstrapped_auc_of
from analytics.accuracy.two_by_two import two_by_two_at
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
from analytics.cohort import describe
from analytics.errors import AnalyticsError
from analytics.heterogeneity.pooling import pool
from analytics.heterogeneity.sites import site_hazard_ratios_of, site_means_of
from analytics.heterogeneity.subgroups import subgroups_of
from analytics.missing import accuracy_with_uninterpretable, pool_imputations, uninterpretable_of
from analytics.monitoring import learning_curve, mean_chart, proportion_chart, reader_disagreement
from analytics.monitoring.rate import rate_of
from analytics.monitoring.timing import paired_timing_of
from analytics.result import NOT_ASKED, Estimated, Finding, Interval, Result
from analytics.survival.calibration import calibration_of
from analytics.survival.competing import competing_incidence_of
from analytics.survival.competing_models import cause_specific_of, fine_gray_of
from analytics.survival.concordance import compare_concordance, concordance_of
from analytics.survival.cox import cox_of
from analytics.survival.decision import decision_curve_of, reclassification_of, survival_decision_curve_of
from analytics.survival.firth import firth_of
from analytics.survival.hazard_over_time import hazard_over_time_of
from analytics.survival.kaplan_meier import cumulative_incidence_of
from analytics.survival.log_rank import log_rank
from analytics.survival.restricted_mean import restricted_means_of
from analytics.survival.spline import spline_of
from analytics.survival.survival_calibration import survival_calibration_of
from analytics.survival.time_roc import time_auc_of

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


def truth(y: np.ndarray) -> np.ndarray:
    """A yes-or-no reference of a read; NaN stays missing."""
    return np.where(np.isnan(y), NAN, y > 3)


def each(who: list[int] | None, n: int) -> list[int]:
    return list(range(n)) if who is None else who


ACCURACY: dict[str, Estimate] = {
    "roc": lambda x, y, who: roc_of(x, truth(y)),
    "paired_difference": lambda x, y, who: paired_difference(x, x[::-1], truth(y)),
    "unpaired_difference": lambda x, y, who: unpaired_difference(
        roc_of(x, truth(y)), roc_of(x[:3], truth(y)[:3])
    ),
    "bootstrapped_auc": lambda x, y, who: bootstrapped_auc_of(x, truth(y), clusters=who, **FEW),
    "bootstrapped_auc, two": lambda x, y, who: bootstrapped_auc_of(
        x, truth(y), second=x[::-1], clusters=who, **FEW
    ),
    "clustered_roc": lambda x, y, who: clustered_roc_of(x, truth(y), clusters=each(who, len(x))),
    "clustered_auc_difference": lambda x, y, who: clustered_auc_difference(
        x, x[::-1], truth(y), clusters=each(who, len(x))
    ),
    "clustered_accuracy": lambda x, y, who: clustered_accuracy_of(
        x > 3, truth(y) == 1, clusters=each(who, len(x))
    ),
    "clustered_proportion": lambda x, y, who: clustered_proportion(
        "Right", x > 3, clusters=each(who, len(x))
    ),
    "cut_off": lambda x, y, who: cut_off_of(x, truth(y), clusters=who, **FEW),
    "cut_off, target": lambda x, y, who: cut_off_of(
        x, truth(y), criterion="sensitivity", target=0.9, clusters=who, **FEW
    ),
    "locked_cut_off": lambda x, y, who: locked_cut_off(
        cut_off_of(x, truth(y), **FEW), x, truth(y), clusters=who
    ),
    "maximally_selected": lambda x, y, who: maximally_selected(
        x[~np.isnan(x)], x[~np.isnan(x)] - (x[~np.isnan(x)].mean() if (~np.isnan(x)).any() else 0), **FEW
    ),
    "mrmc": lambda x, y, who: mrmc_of(np.stack([[x, x], [y, x]]), truth(y) == 1, clusters=who),
    "paired_accuracy": lambda x, y, who: paired_accuracy_of(x > 3, x > 4, truth(y) == 1),
    "two_by_two": lambda x, y, who: two_by_two_at(x, y, threshold=3, clusters=who),
    "two_by_two, recommended": lambda x, y, who: two_by_two_at(
        x, y, threshold=3, clusters=who, profile="recommended"
    ),
    "predictive_values": lambda x, y, who: predictive_values(two_by_two_at(x, y, threshold=3), [0.1]),
    "calibration": lambda x, y, who: calibration_of(x / 10, truth(y)),
    "decision_curve": lambda x, y, who: decision_curve_of(truth(y), {"x": x / 10}, [0.2, 0.5]),
    "reclassification": lambda x, y, who: reclassification_of(x / 10, x[::-1] / 10, truth(y)),
    "rate": lambda x, y, who: rate_of(truth(y), clusters=who, name="failed"),
    "paired_timing": lambda x, y, who: paired_timing_of(np.where(x > 0, x, NAN), np.where(y > 0, y, NAN)),
    "describe": lambda x, y, who: describe(x),
    "site_means": lambda x, y, who: site_means_of(x, months(len(x)), clusters=who),
    "pool": lambda x, y, who: pool(x[~np.isnan(x)], np.ones(int((~np.isnan(x)).sum()))),
}
"""Estimators of a marker and a reference; the reference is whether the second read lies above 3."""

FOLLOWED = {
    "no row": ([], [], []),
    "one row": ([3.0], [1.0], [2.0]),
    "two rows": ([3.0, 5.0], [1.0, 0.0], [2.0, 1.0]),
    "constant": ([2.0] * 6, [1.0] * 6, [3.0] * 6),
    "nobody has the event": ([1.0, 2, 3, 4, 5, 6], [0.0] * 6, [1.0, 2, 3, 4, 5, 6]),
    "everybody at once": ([2.0] * 6, [1.0] * 6, [1.0, 2, 3, 4, 5, 6]),
    "one event": ([1.0, 2, 3, 4, 5, 6], [0.0, 1, 0, 0, 0, 0], [1.0, 3, 2, 4, 6, 5]),
    "constant marker": ([1.0, 2, 3, 4, 5, 6], [1.0, 0, 1, 0, 1, 0], [2.0] * 6),
    "all missing": ([1.0, 2, 3, 4, 5, 6], [1.0, 0, 1, 0, 1, 0], [NAN] * 6),
    "perfect order": ([1.0, 2, 3, 4, 5, 6], [1.0] * 6, [6.0, 5, 4, 3, 2, 1]),
    "usual": ([1.0, 2, 3, 4, 5, 6, 7, 8], [1.0, 0, 1, 1, 0, 1, 0, 1], [3.0, 2, NAN, 4, 1, 2, 5, 1]),
}
"""Time, event and marker of up to eight patients."""

Followed = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]
SURVIVAL: dict[str, Followed] = {
    "cox": lambda t, e, x: cox_of(t, e, {"x": x}),
    "cox, strata and clusters": lambda t, e, x: cox_of(
        t, e, {"x": x}, strata=months(len(t)), clusters=months(len(t))
    ),
    "firth": lambda t, e, x: firth_of(t, e, {"x": x}),
    "cause_specific": lambda t, e, x: cause_specific_of(t, e, {"x": x}),
    "fine_gray": lambda t, e, x: fine_gray_of(t, e, {"x": x}),
    "competing_incidence": lambda t, e, x: competing_incidence_of(
        t, e * (1 + (x > 2)), outcomes=("event", "other"), horizon=4.0
    ),
    "competing_incidence, groups": lambda t, e, x: competing_incidence_of(
        t, e, outcomes=("event", "other"), horizon=4.0, groups=months(len(t))
    ),
    "cumulative_incidence": lambda t, e, x: cumulative_incidence_of(t, e, horizon=4.0),
    "cumulative_incidence, groups": lambda t, e, x: cumulative_incidence_of(
        t, e, horizon=4.0, groups=months(len(t))
    ),
    "log_rank": lambda t, e, x: log_rank(t, e, np.arange(len(t)) % 2, 2),
    "restricted_means": lambda t, e, x: restricted_means_of(t, e, tau=4.0, groups=months(len(t))),
    "concordance": lambda t, e, x: concordance_of(t, e, x),
    "compare_concordance": lambda t, e, x: compare_concordance(t, e, x, x[::-1]),
    "hazard_over_time": lambda t, e, x: hazard_over_time_of(t, e, {"x": x}, covariate="x"),
    "spline": lambda t, e, x: spline_of(t, e, x),
    "time_auc": lambda t, e, x: time_auc_of(t, e, x, [2.0, 4.0]),
    "survival_calibration": lambda t, e, x: survival_calibration_of(t, e, x / 10, horizon=4.0, groups=2),
    "survival_decision_curve": lambda t, e, x: survival_decision_curve_of(
        t, e, {"x": x / 10}, [0.2, 0.5], horizon=4.0
    ),
    "subgroups": lambda t, e, x: subgroups_of(t, e, x, {"half": months(len(t))}),
    "site_hazard_ratios": lambda t, e, x: site_hazard_ratios_of(t, e, x, months(len(t))),
}
"""Estimators of follow-up."""

MADE_FROM_OTHERS = {
    "two_by_two_of": "counts; two_by_two_at makes them",
    "kappa_of_matrix": "counts; kappa_of makes them",
    "refused_model": "makes the refusals of the models above",
    "diverged_model": "makes the refusals of the models above",
}
"""Functions that return a result and are reached by those above."""

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
    if found.reason:  # what holds several estimates may say it of each instead
        assert any(reason in said for reason in (found.reason, *(p.reason for p in parts(found) if p.reason)))
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
@pytest.mark.parametrize("name", PAIRED | ACCURACY)
def test_tables_that_say_little(name, reads):
    x, y = (np.array(values, np.float64) for values in READS[reads])
    for who in patients(len(x)).values():
        try:
            found = (PAIRED | ACCURACY)[name](x, y, who)
        except AnalyticsError:  # a table that cannot be analysed is refused in words
            continue
        held_to_the_contract(found)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("rows", FOLLOWED)
@pytest.mark.parametrize("name", SURVIVAL)
def test_follow_up_that_says_little(name, rows):
    arrays = (np.array(values, np.float64) for values in FOLLOWED[rows])
    try:
        found = SURVIVAL[name](*arrays)
    except AnalyticsError:
        return
    held_to_the_contract(found)


def test_every_estimator_is_tried():
    tried = {
        name
        for way in (PAIRED, ACCURACY, SURVIVAL, OTHERS)
        for function in way.values()
        for name in function.__code__.co_names
    }
    public = set()
    for module in pkgutil.walk_packages(analytics.__path__, "analytics."):
        if module.name.split(".")[1] in ("__main__", "figures", "questions", "report", "paper"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if inspect.isfunction(value) and not name.startswith("_") and value.__module__ == module.name:
                made = get_type_hints(value).get("return")
                if isinstance(made, type) and issubclass(made, Finding):
                    public.add(name)
    assert public - tried == set(MADE_FROM_OTHERS)


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
