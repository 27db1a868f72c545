"""How heterogeneity reads its columns: a value by site, a marker's follow-up by subgroup."""

from __future__ import annotations

from typing import Any

from analytics.columns import Table, keys
from analytics.heterogeneity.sites import site_means_of
from analytics.heterogeneity.subgroups import subgroups_of
from analytics.tables.adapter import CLUSTER, READINGS, Column, Columns, entries, numbers_by_name
from analytics.tables.survival import FOLLOW_UP, MARKER

VALUE_BY_SITE = Columns({"value": Column("values"), "site": Column("sites", keys), "cluster": CLUSTER})


def _by_name(table: Table, names: str | tuple[str, ...]) -> dict[str, list[Any]]:
    """Columns of labels by their names."""
    return {name: entries(table, name) for name in ((names,) if isinstance(names, str) else names)}


def _site_means(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """A value by site; the effect is its mean."""
    arguments = VALUE_BY_SITE(table, given)
    return arguments | {"effect": given.get("effect", f"mean {given['value']}")}


READINGS[site_means_of] = _site_means
READINGS[subgroups_of] = Columns(
    FOLLOW_UP
    | MARKER
    | {
        "by": Column("by", _by_name),
        "covariates": Column("covariates", numbers_by_name, required=False),
    },
    {"marker": "marker"},
)
