"""SCCT segments along the paths of a tree, with the boundaries of definitions.md.

pLAD ends at the first large septal or D1 (more than 1.5 mm wide), whichever is more proximal; mLAD half-way from there
to the apex. pRCA ends half-way to the acute margin, mRCA at it, dRCA at the posterior descending artery or, where the
left is dominant, at the end. pLCx ends at OM1. Branches are one segment each; AM and unnamed branches have none.
"""

from __future__ import annotations

import numpy as np

from inference.vocabulary import SEGMENTS

from .curve import STEP_MM
from .table import VesselTable
from .tree import Tree

NAMES = {s.short for s in SEGMENTS}
LARGE_MM = 1.5


def _wide(table: VesselTable) -> bool:
    """Whether a branch is more than 1.5 mm wide within its first 5 mm."""
    return bool(2 * np.sqrt(np.median(table.lumen_area()[:20]) / np.pi) > LARGE_MM)


def segments(tree: Tree, tables: dict[int, VesselTable]) -> list[tuple[str, ...]]:
    """Segment short names row by row, for every path of the tree in order; ``tables`` by place in ``tree.paths``."""
    large = [
        p.origin_mm
        for k, p in enumerate(tree.paths)
        if p.parent == "LAD" and (p.name == "D1" or p.name == "septal") and _wide(tables[k])
    ]
    first_marginal = [p.origin_mm for p in tree.paths if p.name == "OM1"]
    out = []
    for path in tree.paths:
        n = len(path.curve.points)
        s = np.arange(n) * STEP_MM
        if path.name == "LAD":
            first = min(large, default=0.25 * s[-1])
            names = np.select([s < first, s < 0.5 * (first + s[-1])], ["pLAD", "mLAD"], "dLAD")
        elif path.name == "LCx":
            names = np.where(s < first_marginal[0], "pLCx", "mid-distal LCx")
        elif path.name == "RCA":
            acute = tree.acute_margin_mm
            names = np.select([s < 0.5 * acute, s < acute], ["pRCA", "mRCA"], "dRCA")
        else:
            names = np.full(n, path.name if path.name in NAMES else "")
        out.append(tuple(str(x) for x in names))
    return out
