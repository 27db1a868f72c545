"""What is missing: scans that could not be read, and estimates from imputed data."""

from analytics.missing.imputation import Imputed, pool_imputations
from analytics.missing.uninterpretable import (
    ThreeWays,
    Uninterpretable,
    accuracy_with_uninterpretable,
    uninterpretable_of,
)

__all__ = [
    "Imputed",
    "ThreeWays",
    "Uninterpretable",
    "accuracy_with_uninterpretable",
    "pool_imputations",
    "uninterpretable_of",
]
