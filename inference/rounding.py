"""One rule of rounding for people: half up on the decimal value, never over a border at which a grade changes.

Files keep full precision. ``analytics/rounding.py`` and the viewer's ``numbers.ts`` hold the same rule; a house test
and ``tests/golden/rounding.json`` tie the three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from inference.vocabulary import Metric

MINUS = "−"


def half_up(value: float, digits: int) -> str:
    """Round half away from zero to ``digits`` decimals and print every one of them.

    The decimal value that is rounded is the shortest one that identifies the float, so that 0.285 gives 0.29 although
    its binary neighbour lies below.

    Raises
    ------
    ValueError
        The value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be printed: say that there is no number")
    exact = Decimal(repr(float(value)))
    text = format(exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP), "f")
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def printed(value: float, digits: int, borders: Sequence[float] = ()) -> str:
    """Return a number as people see it, with a true minus sign.

    A value below a border that rounding would lift to it is rounded down instead: a stenosis of 49.96 % is CAD-RADS 2
    and prints as 49.9 %, not as 50.0 %. ``borders`` have no more decimals than ``digits``.
    """
    text = half_up(value, digits)
    if any(value < border <= float(text) for border in borders):
        text = format(Decimal(text) - Decimal(1).scaleb(-digits), "f")
    return text.replace("-", MINUS)


def written(metric: Metric, value: float | str | None, *, missing: str = "–") -> str:
    """Return a metric's value as people see it: a category as it is, ``missing`` where there is none."""
    if value is None or isinstance(value, str):
        return value or missing
    return printed(value, metric.digits, metric.borders) if math.isfinite(value) else missing
