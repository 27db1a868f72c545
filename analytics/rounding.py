"""Half-up rounding, once, from full precision, and the number formats of sentences and captions."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

MINUS = "−"
EVERY_DIGIT = Context(prec=400)
"""A float has up to 309 digits before the point."""


def half_up(value: float, digits: int) -> str:
    """Round half away from zero to ``digits`` decimals and print every one of them.

    The decimal value that is rounded is the shortest one that identifies the float, so that 0.285 gives
    0.29 although its binary neighbour lies below; round each number once (29/31 is 93.5 %, not 93.6 %).

    Raises ValueError when the value is not finite: "nan" is never printed.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be printed: give null and a reason instead")
    exact = Decimal(repr(float(value)))
    text = format(
        exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP, context=EVERY_DIGIT), "f"
    )
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def printed(value: float, digits: int, borders: Sequence[float] = ()) -> str:
    """A number as people see it, with a true minus sign.

    A value below a border that rounding would lift to it is rounded down instead: a stenosis of 49.96 % is
    CAD-RADS 2 and prints as 49.9 %, not as 50.0 %. ``borders`` have no more decimals than ``digits``. The same
    rule as in ``inference/rounding.py`` and in the viewer; a house test and a golden file tie the three.
    """
    text = half_up(value, digits)
    if any(value < border <= float(text) for border in borders):
        text = format(Decimal(text) - Decimal(1).scaleb(-digits), "f")
    return text.replace("-", MINUS)


def percent(fraction: float, digits: int = 1) -> str:
    """A fraction as per cent without the sign: 0.935483 gives ``93.5``."""
    return half_up(float(Decimal(repr(float(fraction))) * 100), digits)


def count(number: int) -> str:
    """1901 gives ``1,901``."""
    return f"{number:,}"


def p_value(p: float) -> str:
    """``p < 0.0001`` or ``p = 0.042`` (three decimals, four below 0.001)."""
    if p < 0.0001:
        return "p < 0.0001"
    return f"p = {half_up(p, 4 if p < 0.001 else 3)}"


_HYPHEN_BEFORE_NUMBER = re.compile(r"(?<![\w.,)\]–−-])-(?=\d)")
_BEGINNING = re.compile(r"^((?:Simulated data\. )?)([a-z])")


def typeset(text: str) -> str:
    """A text as pages and reports show it: minus signs before negative numbers, a capital where it begins.

    ``bias -4.90 mm³`` gives ``Bias −4.90 mm³``. Files that machines read keep the hyphen.
    """
    signed = _HYPHEN_BEFORE_NUMBER.sub("−", text)
    return _BEGINNING.sub(lambda found: found[1] + found[2].upper(), signed)


def minus(text: str) -> str:
    """A number as pages and reports show it: ``-4.90`` gives ``−4.90``."""
    return _HYPHEN_BEFORE_NUMBER.sub("−", text)
