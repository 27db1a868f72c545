"""Grades of a stenosis and of plaque: CAD-RADS and plaque stage, always from the measured value."""

from __future__ import annotations

from collections.abc import Sequence

from inference.vocabulary import CADRADS_LIMITS


def cadrads(stenosis_percent: float, *, occluded: bool = False, has_lesion: bool = True) -> str:
    """Grade a diameter stenosis by profile ``lin2022``, on the measured value, never rounded first.

    0 = no lesion or < 1; 1 = [1, 25); 2 = [25, 50); 3 = [50, 70); 4 = [70, 100); 5 = lumen closed.
    """
    if occluded:
        return "5"
    if not has_lesion:
        return "0"
    for grade, limit in enumerate(CADRADS_LIMITS):
        if stenosis_percent < limit:
            return str(grade)
    return "5"


def cadrads2(
    worst_by_territory: Sequence[float],
    *,
    left_main: float,
    has_plaque: bool,
    occluded: bool = False,
) -> str:
    """Grade a patient by CAD-RADS 2.0 (Cury et al., 2022): 4A one or two vessels ≥ 70 %, 4B LM ≥ 50 % or three."""
    minimal, mild, moderate, severe, closed = CADRADS_LIMITS
    worst = max([*worst_by_territory, left_main, 0.0])
    if occluded or worst >= closed:
        return "5"
    if left_main >= moderate or sum(x >= severe for x in worst_by_territory) >= 3:
        return "4B"
    if worst >= severe:
        return "4A"
    if worst >= moderate:
        return "3"
    if worst >= mild:
        return "2"
    return "1" if worst >= minimal or has_plaque else "0"


def plaque_stage(total_plaque_volume_mm3: float) -> int:
    """Return the stage by total plaque volume: 0 none, 1 up to 250, 2 up to 750, 3 above (mm³)."""
    return sum(total_plaque_volume_mm3 > limit for limit in (0.0, 250.0, 750.0))


def plaque_stage_by_pav(percent_atheroma_volume: float) -> int:
    """Return the stage by percent atheroma volume: 0 none, 1 up to 5, 2 up to 15, 3 above (%)."""
    return sum(percent_atheroma_volume > limit for limit in (0.0, 5.0, 15.0))
