"""Tables in: ``on_table(estimator, table, …)`` runs an estimator of arrays on named columns.

For the command line, notebooks, and questions that have a table of one row a read.
"""

from analytics.tables import (  # each says how the estimators of one wing read their columns
    accuracy,
    agreement,
    heterogeneity,
    missing,
    monitoring,
    survival,
)
from analytics.tables.adapter import on_table

__all__ = ["accuracy", "agreement", "heterogeneity", "missing", "monitoring", "on_table", "survival"]
