"""The viewer samples on the grid on which vessels were straightened: its constants are those of the library."""

from __future__ import annotations

import re
from pathlib import Path

from inference import section_grid

SAMPLER = Path(__file__).resolve().parents[2] / "frontend" / "src" / "viewer" / "geometry" / "sampler.ts"


def test_the_viewers_grid_is_the_librarys() -> None:
    found = dict(re.findall(r"^export const ([A-Z_]+) = (-?[\d.]+);$", SAMPLER.read_text("utf-8"), re.M))
    grid = {name: float(found[name]) for name in ("SIZE", "CENTRE", "SPACING_ALONG", "SPACING_ACROSS")}
    assert grid == {
        "SIZE": section_grid.PIXELS,
        "CENTRE": section_grid.MIDDLE,
        "SPACING_ALONG": section_grid.SPACING_ALONG,
        "SPACING_ACROSS": section_grid.SPACING_ACROSS,
    }
