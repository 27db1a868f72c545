"""Estimators of the command line: which columns and options each takes; the table is a CSV file."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analytics.accuracy import roc_of, two_by_two_at
from analytics.agreement import bland_altman_of, icc_of, kappa_of, spearman_of
from analytics.agreement.kappa import WEIGHTS
from analytics.errors import AnalyticsError
from analytics.heterogeneity import subgroups_of
from analytics.monitoring import paired_timing_of, rate_of
from analytics.survival import (
    calibration_of,
    cause_specific_of,
    competing_incidence_of,
    cox_of,
    cumulative_incidence_of,
    fine_gray_of,
    firth_of,
    restricted_means_of,
    spline_of,
    time_auc_of,
)
from analytics.tables import on_table


@dataclass(frozen=True)
class Command:
    """One estimator: the columns it must be told, its options as ``argparse`` takes them.

    lists, numbers : those that name several columns or values, and several numbers, joined by commas
    """

    estimator: Callable[..., Any]
    columns: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Add the columns and options to a parser."""
        for column in self.columns:
            parser.add_argument(f"--{column}", required=True)
        for option, settings in self.options.items():
            parser.add_argument(f"--{option}", **settings)

    def run(self, table: Mapping[str, list[str]], given: argparse.Namespace) -> Any:
        """Return the result of the estimator on a table."""
        named = {name: getattr(given, name) for name in (*self.columns, *self.options)}
        named = {name: value for name, value in named.items() if value is not None}
        named |= {name: tuple(named[name].split(",")) for name in self.lists if name in named}
        named |= {name: _numbers(name, named[name]) for name in self.numbers if name in named}
        return on_table(self.estimator, table, **named)


def _numbers(name: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise AnalyticsError(f"--{name} {text}: numbers joined by commas are needed.") from None


def read_csv(path: Path) -> dict[str, list[str]]:
    """Return a CSV file as columns of text. Raises AnalyticsError for rows of another length than the heading."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.reader(stream))
    if not rows:
        raise AnalyticsError(f"{path}: the file is empty; a heading is needed.")
    heading = rows[0]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(heading):
            raise AnalyticsError(f"{path}, row {number}: {len(row)} cells under {len(heading)} headings.")
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(heading)}


OPTIONAL: Mapping[str, Any] = {}
FOLLOW_UP = ("time", "event")
ESTIMATORS: dict[str, Command] = {
    "icc": Command(
        icc_of,
        ("subject", "rater", "value"),
        {"cluster": OPTIONAL, "form": {"default": "A,1"}, "replicates": {"type": int, "default": 10_000}},
        lists=("subject",),
    ),
    "bland-altman": Command(
        bland_altman_of, ("first", "second"), {"cluster": OPTIONAL, "value_unit": {"default": "mm³"}}
    ),
    "spearman": Command(spearman_of, ("first", "second"), {"cluster": OPTIONAL}),
    "kappa": Command(
        kappa_of,
        ("first", "second", "levels"),
        {"cluster": OPTIONAL, "weights": {"default": "unweighted", "choices": WEIGHTS}},
        lists=("levels",),
    ),
    "roc": Command(roc_of, ("marker", "outcome")),
    "two-by-two": Command(
        two_by_two_at, ("test", "reference"), {"threshold": {"type": float, "required": True}}
    ),
    "incidence": Command(
        cumulative_incidence_of,
        FOLLOW_UP,
        {"group": OPTIONAL, "horizon": {"type": float, "required": True}},
    ),
    "cox": Command(
        cox_of,
        (*FOLLOW_UP, "covariates"),
        {"ties": {"default": "Efron"}, "entry": OPTIONAL, "strata": OPTIONAL, "cluster": OPTIONAL},
        lists=("covariates",),
    ),
    "firth": Command(firth_of, (*FOLLOW_UP, "covariates"), {"entry": OPTIONAL}, lists=("covariates",)),
    "cause-specific": Command(cause_specific_of, (*FOLLOW_UP, "covariates"), lists=("covariates",)),
    "fine-gray": Command(fine_gray_of, (*FOLLOW_UP, "covariates"), lists=("covariates",)),
    "competing": Command(
        competing_incidence_of,
        (*FOLLOW_UP, "outcomes"),
        {"group": OPTIONAL, "horizon": {"type": float, "required": True}},
        lists=("outcomes",),
    ),
    "time-auc": Command(time_auc_of, (*FOLLOW_UP, "marker", "times"), numbers=("times",)),
    "spline": Command(
        spline_of,
        (*FOLLOW_UP, "marker"),
        {"covariates": OPTIONAL, "knots": {"type": int, "default": 4}},
        lists=("covariates",),
    ),
    "restricted-mean": Command(
        restricted_means_of, FOLLOW_UP, {"group": OPTIONAL, "tau": {"type": float, "required": True}}
    ),
    "calibration": Command(calibration_of, ("probability", "outcome")),
    "subgroups": Command(
        subgroups_of, (*FOLLOW_UP, "marker", "by"), {"covariates": OPTIONAL}, lists=("by", "covariates")
    ),
    "timing": Command(paired_timing_of, ("first", "second"), {"time_unit": {"default": "min"}}),
    "rate": Command(rate_of, ("flag",), {"cluster": OPTIONAL, "reason": OPTIONAL}),
}
"""Commands that run one estimator on a CSV file."""
