"""Pictures as inline SVG: a grey PNG below, contours and composition as shapes above."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LUMEN, WALL, MARK = "#f4a261", "#48bfe3", "#5fe0d0"
COMPOSITION = {1: "#b5179e", 2: "#d62828", 3: "#ffd60a"}  # low-attenuation, non-calcified, calcified


def png(grey: NDArray[np.uint8]) -> str:
    """(rows, columns) or (rows, columns, 4) uint8 → a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(grey)).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def tinted(composition: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(rows, columns) of 0…3 → RGBA, see-through where there is no plaque."""
    out = np.zeros((*composition.shape, 4), np.uint8)
    for code, colour in COMPOSITION.items():
        out[composition == code] = (*(int(colour[i : i + 2], 16) for i in (1, 3, 5)), 140)
    return out


def polygon(points: NDArray[np.float64], colour: str, *, closed: bool = True, width: float = 1.0) -> str:
    """Points (n, 2) in picture coordinates as an outline."""
    path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    kind = "polygon" if closed else "polyline"
    return f'<{kind} points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" vector-effect="non-scaling-stroke"/>'


def image(picture: str, columns: float, rows: float) -> str:
    """A PNG stretched over (columns, rows) units; pixel centres lie at half units."""
    return f'<image href="{picture}" width="{columns:g}" height="{rows:g}" preserveAspectRatio="none"/>'


def svg(
    parts: list[str], *, box: tuple[float, float, float, float], width: int, height: int, label: str
) -> str:
    """One picture; ``box`` is x, y, width and height of what is seen."""
    view = " ".join(f"{v:g}" for v in box)
    return (
        f'<svg role="img" aria-label="{escape(label, quote=True)}" viewBox="{view}" width="{width}" height="{height}" '
        f'preserveAspectRatio="none">{"".join(parts)}</svg>'
    )
