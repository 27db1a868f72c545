"""Write ``rounding.json``: numbers and how people see them, the same in Python and in TypeScript.

Run it after a deliberate change of the rule. usage: python tests/golden/make_rounding.py
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from inference.rounding import printed  # noqa: E402
from inference.vocabulary import CADRADS_LIMITS  # noqa: E402

PATH = Path(__file__).with_name("rounding.json")
# Ties whose binary neighbour lies below or above, signs, zeros, carries, borders of a grade, very small and very large.
CHOSEN = (
    *(
        0.285,
        1.005,
        1.115,
        2.5,
        3.5,
        0.5,
        1.45,
        8.345,
        2.675,
        0.125,
        49.5,
        49.95,
        49.949999999999996,
        9.995,
        99.995,
    ),
    *(0.0, -0.0, -0.04, -0.05, -0.5, -2.5, -78.25, -0.285, -1.005, 1e-9, -1e-9, 5e-324, 1e-7, 1.5e-7),
    *(
        0.95,
        0.99999,
        1.0,
        24.96,
        25.0,
        49.96,
        49.99999999999999,
        50.0,
        69.95,
        69.5,
        99.96,
        99.99,
        100.0,
        24.5,
    ),
    *(238.45, 238.449999999999989, 750.05, 1611.0, 123456.785, 1e15, 1234567890123.45, 1e21, 2.5e22),
)


def golden() -> dict[str, object]:
    """Return the limits and rows of value, digits, with or without the borders, text."""
    draw = random.Random(20_220_401)
    random_ones = [round(draw.uniform(-120, 120), draw.randint(0, 6)) for _ in range(150)]
    rows = [
        [value, digits, graded, printed(value, digits, CADRADS_LIMITS if graded else ())]
        for value in (*CHOSEN, *random_ones)
        for digits in (0, 1, 2)
        for graded in ((False, True) if 0 <= value <= 100 else (False,))
    ]
    return {"borders": list(CADRADS_LIMITS), "rows": rows}


if __name__ == "__main__":
    PATH.write_text(json.dumps(golden(), ensure_ascii=False, separators=(",", ":")) + "\n")
