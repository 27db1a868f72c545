"""How figures are written on the pages that benchmarks make."""

from __future__ import annotations

from typing import Any

WORDS = {
    "total_plaque_volume": "total plaque volume, mm³",
    "noncalcified_plaque_volume": "non-calcified, mm³",
    "calcified_plaque_volume": "calcified, mm³",
    "low_attenuation_plaque_volume": "low-attenuation, mm³",
    "vessel_volume": "vessel volume, mm³",
    "minimal_luminal_area": "minimal luminal area, mm²",
    "diameter_stenosis": "diameter stenosis, points",
}


def figure(value: float | None, digits: int = 3) -> str:
    """A number with a true minus, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def with_interval(value: float | None, interval: Any, digits: int = 3) -> str:
    """A number and its interval where both are known."""
    if value is None or interval is None:
        return figure(value, digits)
    return f"{figure(value, digits)} ({figure(interval[0], digits)} to {figure(interval[1], digits)})"
