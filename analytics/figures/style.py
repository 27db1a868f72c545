"""One quiet look for all figures: colours and type."""

from __future__ import annotations

ACCENT = "#2a9d8f"
NEUTRAL = "#6c757d"
FAINT = "#ced4da"
WARNING = "#e76f51"
GROUPS = (NEUTRAL, ACCENT, "#457b9d", "#e9c46a")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def translucent(colour: str, opacity: float) -> str:
    """A ``#rrggbb`` colour as ``rgba()``."""
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},{opacity})"
