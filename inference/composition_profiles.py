"""Composition profiles: which HU are low-attenuation, non-calcified and calcified plaque."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inference.errors import QuantificationError


@dataclass(frozen=True)
class CompositionProfile:
    """Named, versioned HU limits; bins are half-open on the HU value.

    Parameters
    ----------
    low_attenuation_below, calcified_from : HU.
    corrected : whether low-attenuation is judged after partial-volume correction at lumen and fat borders. Calcium never is.
    adaptive : whether the calcified limit rises with the lumen: max(350, m(s) + 2σ).
    """

    name: str
    version: int
    low_attenuation_below: float = 30.0
    calcified_from: float = 350.0
    corrected: bool = False
    adaptive: bool = False
    four_classes: bool = False


PROFILES = {
    p.name: p
    for p in (
        CompositionProfile("fixed", 1),
        CompositionProfile("corrected", 3, corrected=True),
        CompositionProfile("adaptive", 3, corrected=True, adaptive=True),
        # (−30, 75], (75, 130], (130, 350], > 350; calcified starts above 350.
        CompositionProfile("qangio", 1, calcified_from=math.nextafter(350.0, 351.0), four_classes=True),
    )
}


def profile_named(name: str) -> CompositionProfile:
    """Return a composition profile, or say which there are."""
    try:
        return PROFILES[name]
    except KeyError:
        raise QuantificationError(
            "unknown-profile", f"There is no composition profile “{name}”; there are {', '.join(PROFILES)}."
        ) from None
