"""How monitoring reads its columns: times side by side, and what happened to a case with its reason."""

from __future__ import annotations

from analytics.monitoring.rate import rate_of
from analytics.monitoring.timing import paired_timing_of
from analytics.tables.adapter import CLUSTER, READINGS, Column, Columns, entries

READINGS[paired_timing_of] = Columns(
    {"first": Column("first"), "second": Column("second")}, {"names": ("first", "second")}
)
READINGS[rate_of] = Columns(
    {"flag": Column("flags"), "cluster": CLUSTER, "reason": Column("reasons", entries, required=False)},
    {"name": "flag"},
)
