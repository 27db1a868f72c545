"""How agreement reads its columns: two reads side by side, or one row a subject and rater."""

from __future__ import annotations

from typing import Any

from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.categorical import chance_corrected_of, symmetry_of, within_steps_of
from analytics.agreement.components import icc_reml_of, nested_icc_of
from analytics.agreement.correlation import kendall_of, spearman_of
from analytics.agreement.icc import icc_of
from analytics.agreement.kappa import cross_table, kappa_of
from analytics.agreement.lin import concordance_correlation_of
from analytics.agreement.quantile_limits import quantile_limits_of
from analytics.agreement.rank_sum import rank_sum_of
from analytics.agreement.ratio_limits import ratio_limits_of
from analytics.agreement.regression import deming_of, passing_bablok_of
from analytics.agreement.regression_limits import regression_limits_of
from analytics.agreement.repeatability import repeatability_of
from analytics.agreement.signed_rank import signed_rank_of
from analytics.agreement.total_deviation import total_deviation_of
from analytics.columns import Table, column, keys, numbers, wide
from analytics.errors import AnalyticsError
from analytics.tables.adapter import CLUSTER, READINGS, Column, Columns, entries

NAMES = {"names": ("first", "second")}
TWO_READS = {"first": Column("first"), "second": Column("second"), "cluster": CLUSTER}
TWO_CATEGORIES = {
    "first": Column("first", entries),
    "second": Column("second", entries),
    "cluster": CLUSTER,
}


def _counted(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Return two columns of categories, counted; ``levels`` is the whole ordered scale."""
    arguments = Columns(TWO_CATEGORIES)(table, given)
    counts = {
        name: arguments.pop(name) for name in ("first", "second", "levels", "clusters") if name in arguments
    }
    return arguments | {"counted": cross_table(**counts)}


class _Long:
    """One row a subject and rater, which become a matrix (subjects, raters).

    ``matrix`` is the argument that takes it; ``quoted`` are those that take the raters' and subjects' identities.
    """

    def __init__(self, matrix: str, *, cluster: str = "cluster", quoted: tuple[str, ...] = ()) -> None:
        self.matrix, self.cluster, self.quoted = matrix, cluster, quoted

    def __call__(self, table: Table, given: dict[str, Any]) -> dict[str, Any]:
        named = {name: given[name] for name in ("subject", "rater", "value")}
        subjects, raters, matrix, rows = wide(table, **named)
        arguments = {k: v for k, v in given.items() if k not in (*named, self.cluster)} | {
            self.matrix: matrix
        }
        identities = {"raters": raters, "ids": subjects}
        arguments |= {name: identities[name] for name in self.quoted}
        if given.get(self.cluster):
            patients = keys(table, given[self.cluster])
            arguments["clusters"] = [patients[row] for row in rows]
        return arguments


def _two_groups(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """Return a column of numbers in the two groups of another; the group that is named first comes first."""
    values, names = numbers(table, given["value"]), [str(g) for g in column(table, given["group"]).tolist()]
    groups = list(dict.fromkeys(names))
    if len(groups) != 2:
        raise AnalyticsError(
            f"Column {given['group']!r} has {len(groups)} groups; the rank-sum test needs two."
        )
    first, second = (values[[name == group for name in names]] for group in groups)
    options = {k: v for k, v in given.items() if k not in ("value", "group")}
    return options | {"first": first, "second": second}


READINGS |= {
    bland_altman_of: Columns({**TWO_READS, "subject": Column("ids", keys, required=False)}, NAMES),
    spearman_of: Columns(TWO_READS),
    kendall_of: Columns(TWO_READS),
    concordance_correlation_of: Columns(TWO_READS),
    signed_rank_of: Columns(TWO_READS),
    total_deviation_of: Columns(TWO_READS),
    deming_of: Columns(TWO_READS, NAMES),
    passing_bablok_of: Columns(TWO_READS, NAMES),
    quantile_limits_of: Columns(TWO_READS, NAMES),
    ratio_limits_of: Columns(TWO_READS, NAMES),
    regression_limits_of: Columns(TWO_READS, NAMES),
    kappa_of: Columns(TWO_CATEGORIES, NAMES),
    within_steps_of: Columns(TWO_CATEGORIES),
    chance_corrected_of: _counted,
    symmetry_of: _counted,
    icc_of: _Long("ratings", quoted=("raters", "ids")),
    icc_reml_of: _Long("ratings", quoted=("raters",)),
    nested_icc_of: _Long("ratings", cluster="patient", quoted=("raters",)),
    repeatability_of: _Long("reads"),
    rank_sum_of: _two_groups,
}
