"""The ASSIGN cardiovascular risk score, version 1 (Woodward, Brindle, Tunstall-Pedoe; Heart 2007;93:172).

risk = 100 × (1 − S0^exp(Σβx − Σβx̄)), coefficients and means by sex as in the study's definitions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

VERSION = "ASSIGN v1"
INPUTS = (
    "age",
    "total_cholesterol",
    "hdl_cholesterol",
    "systolic_blood_pressure",
    "diabetes",
    "family_history",
    "cigarettes_per_day",
    "simd",
)


@dataclass(frozen=True)
class Coefficients:
    """β and population mean of each input, in the order of ``INPUTS``, and ten-year baseline survival."""

    beta: tuple[float, ...]
    mean: tuple[float, ...]
    baseline_survival: float


BY_SEX = {
    "male": Coefficients(
        (0.05698, 0.22286, -0.53684, 0.01183, 0.81558, 0.27500, 0.02005, 0.06296),
        (48.8706, 6.22520, 1.35042, 133.810, 0.0152905, 0.263762, 7.95841, 2.74038),
        0.8831,
    ),
    "female": Coefficients(
        (0.07203, 0.12720, -0.55836, 0.01064, 0.97727, 0.49159, 0.02724, 0.09386),
        (48.7959, 6.40706, 1.62837, 130.115, 0.0127275, 0.326328, 6.44058, 2.82470),
        0.9365,
    ),
}


def assign_v1(*, sex: str, values: Mapping[str, float]) -> float:
    """Return the ten-year risk in %.

    Parameters
    ----------
    sex : ``male`` or ``female``.
    values : every name of ``INPUTS``: years, mmol/L, mmol/L, mmHg, 0/1, 0/1, cigarettes a day, SIMD score / 10.

    Raises
    ------
    KeyError
        An input is missing.
    """
    found = BY_SEX[sex]
    excess = sum(
        beta * (values[name] - mean) for name, beta, mean in zip(INPUTS, found.beta, found.mean, strict=True)
    )
    return 100.0 * (1.0 - found.baseline_survival ** math.exp(excess))
