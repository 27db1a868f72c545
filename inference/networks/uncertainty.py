"""How sure a network is of each section, in a unit that can be checked against the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VESSEL = 0.05  # a pixel belongs to what is judged from this probability of lying inside the outer wall


def section_uncertainty(
    wall: NDArray[np.float32], lumen: NDArray[np.float32], plaque: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The share of a section's vessel pixels that is expected to be labelled wrongly.

    Parameters
    ----------
    wall, lumen, plaque : (S, 64, 64) probabilities of lying inside the outer wall, of lumen, of plaque.

    Returns
    -------
    (S,) float32, 0…2/3: the mean over pixels that may be vessel of one minus the largest probability of background,
    lumen and plaque; 0 where no pixel may be vessel. Calibrated when it equals the observed share of wrong labels,
    which ``python -m inference evaluate`` reports (Guo et al., ICML 2017).
    """
    where = wall > VESSEL
    sure = np.maximum(np.maximum(lumen, plaque), 1 - lumen - plaque)
    doubt = np.where(where, 1 - sure, 0).sum((1, 2))
    return np.asarray((doubt / np.maximum(where.sum((1, 2)), 1)).astype(np.float32))
