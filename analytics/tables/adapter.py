"""``on_table(estimator, table, …)``: an estimator of arrays on the columns of a table.

Estimators take arrays and know no table. What columns each takes, and how they are read, stands in ``READINGS``: every
module of this package adds those of one wing. Nothing is left out here: a row that cannot be read is named in an
:class:`~analytics.errors.AnalyticsError`, and what is missing reaches the estimator, which drops and counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from analytics.columns import Table, column, keys, numbers
from analytics.errors import AnalyticsError

Found = TypeVar("Found")
Reading = Callable[[Table, dict[str, Any]], dict[str, Any]]
"""From a table and what was given (names of columns, and options) to the estimator's arguments."""

READINGS: dict[Callable[..., Any], Reading] = {}
"""How the columns of each estimator are read."""


def on_table(estimator: Callable[..., Found], table: Table, **given: Any) -> Found:
    """Return what the estimator finds in columns of a table.

    Parameters
    ----------
    estimator : one that takes arrays (``icc_of``, ``cox_of``, …)
    table : a DataFrame, or a mapping of column name to values
    **given : names of columns (``first="network"``), and the estimator's own options

    Raises
    ------
    AnalyticsError
        A column is not there, or a row cannot be read.
    TypeError
        A column that the estimator needs was not named, or nobody has said how its columns are read.
    """
    if estimator not in READINGS:
        raise TypeError(f"Nobody has said how the columns of {estimator.__name__} are read.")
    try:
        arguments = READINGS[estimator](table, given)
    except KeyError as missing:
        raise TypeError(f"{estimator.__name__} needs the name of the column {missing}.") from None
    return estimator(**arguments)


@dataclass(frozen=True)
class Column:
    """A column: the argument that its values become, and how they are read."""

    argument: str
    read: Callable[[Table, Any], Any] = numbers
    required: bool = True


@dataclass(frozen=True)
class Columns:
    """Columns that become arguments one by one, a row a unit.

    ``columns`` by the option that names each; ``quoted`` are arguments that take the names of columns instead of
    their values: one name, or a tuple of several. Other options pass through.
    """

    columns: Mapping[str, Column]
    quoted: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, table: Table, given: dict[str, Any]) -> dict[str, Any]:
        """Return the estimator's arguments."""
        arguments = {name: value for name, value in given.items() if name not in self.columns}
        for argument, named in self.quoted.items():
            value = given[named] if isinstance(named, str) else tuple(given[one] for one in named)
            arguments.setdefault(argument, value)
        for option, one in self.columns.items():
            name = given[option] if one.required else given.get(option)
            if name:
                arguments[one.argument] = one.read(table, name)
        return arguments


def entries(table: Table, name: str) -> list[Any]:
    """Return a column as it stands."""
    values: list[Any] = column(table, name).tolist()
    return values


def numbers_by_name(table: Table, names: str | tuple[str, ...]) -> dict[str, Any]:
    """Return several columns of numbers by their names."""
    return {name: numbers(table, name) for name in ((names,) if isinstance(names, str) else names)}


def zeros_and_ones(table: Table, name: str) -> Any:
    """Return a column of 0 and 1; NaN where a value is missing. Raises AnalyticsError that names the row of another."""
    values = numbers(table, name)
    for row, value in enumerate(values, start=1):
        if value not in (0, 1) and value == value:
            raise AnalyticsError(f"Column {name!r}, row {row}: {value:g} is neither 0 nor 1.")
    return values


CLUSTER = Column("clusters", keys, required=False)
