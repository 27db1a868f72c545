"""Where a position along one operator's centreline lies along another's, through the patient's own space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inference.section_grid import SPACING_ALONG
from plaquelab.analysis.models import Vessel
from plaquelab.analysis.selectors import load_vessel


def nearest_position(points: np.ndarray, point: np.ndarray) -> float:
    """Return the position (mm from the first point) of the centreline point nearest to ``point``.

    Parameters
    ----------
    points : (S, 3) section centres, ``SPACING_ALONG`` mm apart, LPS mm. point : (3,) LPS mm.
    """
    return float(((points - point) ** 2).sum(1).argmin()) * SPACING_ALONG


def place_between(first_run: int, second_run: int) -> Callable[[str, float], float]:
    """Return a function (vessel, mm along the second run's vessel) → mm along the first run's.

    A vessel that only one run has keeps its positions.
    """
    rows = Vessel.objects.filter(run__in=(first_run, second_run))
    centres = {(row.run_id, row.name): load_vessel(row).centre for row in rows}

    def place(vessel: str, position: float) -> float:
        first, second = centres.get((first_run, vessel)), centres.get((second_run, vessel))
        if first is None or second is None:
            return position
        section = min(max(round(position / SPACING_ALONG), 0), len(second) - 1)
        return nearest_position(first, second[section])

    return place
