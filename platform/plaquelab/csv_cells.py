"""CSV cells that a spreadsheet would run as a formula: made text when written, refused when read."""

from __future__ import annotations

import re
from typing import Any

_ALWAYS = ("=", "@", "\t", "\r", "\n")
_SIGNS = ("+", "-")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def guarded(cell: Any) -> Any:
    """Return a cell to write: text that begins like a formula gets an apostrophe before it. Numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(_ALWAYS + _SIGNS):
        return "'" + cell
    return "" if cell is None else cell


def is_formula(cell: str) -> bool:
    """Tell whether a cell that was sent is a formula. A number with its sign, or a dash alone, is none."""
    if cell.startswith(_ALWAYS):
        return True
    return cell.startswith(_SIGNS) and len(cell) > 1 and not NUMBER.fullmatch(cell)
