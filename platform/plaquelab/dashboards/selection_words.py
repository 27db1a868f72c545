"""A selection in words, for the head of the list of cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from analytics.freeze import PAIRS
from analytics.metrics import METRICS

if TYPE_CHECKING:
    from plaquelab.dashboards.asking import Asked

MATCHES = {
    "matched": "found by both",
    "first_only": "found by the first read alone",
    "second_only": "found by the second read alone",
}
CELLS = {
    "tp": "true positive",
    "fp": "false positive",
    "fn": "false negative",
    "tn": "true negative",
    "agree": "called alike",
}
OUTCOME: dict[str, str] = {
    "group": "{} the cut-off",
    "event": "{} the event",
    "time": "at {} years",
    "until": "by {} years",
    "at_risk": "at risk at {} years",
    "from": "marker from {}",
    "below": "marker below {}",
    "tenth": "tenth {} of predicted risk",
    "risk": "predicted risk from {}",
    "cause": "{}",
    "covariate": "with {}",
}
BOXES = frozenset({"view", "x0", "x1", "y0", "y1"})


def selection_words(asked: Asked) -> str:
    """``Site S07 · CAD-RADS 3``; empty where everything is selected."""
    chosen = asked.address.selection
    parts = []
    for name, value in chosen.items():
        if name in BOXES or name == "row":
            continue
        if name == "metric" and value in METRICS:
            parts.append(METRICS[value].label)
        elif name == "pair" and value in PAIRS:
            parts.append(PAIRS[value].label)
        elif name == "match" and value in MATCHES:
            parts.append(MATCHES[value])
        elif name == "cell" and value in CELLS:
            parts.append(CELLS[value])
        elif asked.question.key == "outcome" and name in OUTCOME:
            parts.append(_of_outcome(name, value))
        else:
            parts.append(f"{name.replace('_', ' ')} {value}")
    if "view" in chosen:
        parts.append(_box(chosen))
    if "row" in chosen:
        parts.append("one point")
    text = " · ".join(parts)[:200]
    return text[:1].upper() + text[1:]


def _of_outcome(name: str, value: str) -> str:
    """What a part of an outcome's selection means: ``group=1`` is ``at or above the cut-off``."""
    said = {
        "group": {"1": "at or above", "0": "below"},
        "event": {"1": "with", "0": "without"},
        "cause": {"1": "the endpoint", "2": "the competing event"},
    }.get(name, {}).get(value, value.replace("_", " "))
    if name == "tenth" and value.isdecimal():
        said = str(int(value) + 1)
    elif name not in ("group", "event", "cause", "covariate"):
        said = _short(value)
    return OUTCOME[name].format(said)


def _short(value: str) -> str:
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


def _box(chosen: Mapping[str, str]) -> str:
    def short(name: str) -> str:
        try:
            return f"{float(chosen[name]):.4g}"
        except (KeyError, ValueError):
            return "…"

    return f"x {short('x0')} to {short('x1')}, y {short('y0')} to {short('y1')}"
