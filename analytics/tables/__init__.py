"""Tables in: ``on_table(estimator, table, …)`` runs an estimator of arrays on named columns.

For the command line and for notebooks; the questions hand arrays to the estimators themselves.
"""

from analytics.tables import (  # each says how the estimators of one wing read their columns
    agreement,
    missing,
)
from analytics.tables.adapter import on_table

__all__ = ["agreement", "missing", "on_table"]
