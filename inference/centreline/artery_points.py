"""How surely each point of a line lies in an artery: a small perceptron looks at what is seen across the line.

A vein holds less contrast than the aorta, but a thin artery too looks darker, because the scanner blurs it, and darker
still beside plaque; a chamber's edge is bright on one side only. What tells them apart is the course of HU from the
line outwards, together with the radius. The perceptron (32 numbers in, one hidden layer) was trained on lines that the
search itself found in simulated patients (``artery_training``; ``tests/bench/centrelines.py --fit`` writes the weights).
All HU are shares of the aorta's, so that the amount of contrast does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.ndimage import gaussian_filter1d

from inference.centreline.centring import Outlines, rays
from inference.errors import InferenceError
from inference.scan import Volume

WEIGHTS = Path(__file__).with_suffix(".safetensors")
FEATURES = 32  # columns of ``seen_across``; the stored weights are made for them
SHARES = (-0.4, 1.5)
"""HU over the aorta's, clipped: air and lung below, calcium and metal above."""
LOW_RAY, HIGH_RAY = 3, 12
"""Of 16 rays in the order of their HU, those at 20 and 80 %."""
RADII = (27, 28)
"""Features in mm; all others are shares of the aorta's HU."""


@dataclass(frozen=True)
class Perceptron:
    """Weights of one hidden layer.

    Parameters
    ----------
    mean, scale : (32,) of the features. hidden : (n, 32), hidden_bias : (n,), out : (n,), bias : (1,).
    """

    mean: np.ndarray
    scale: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    out: np.ndarray
    bias: np.ndarray

    def log_odds(self, seen: np.ndarray) -> np.ndarray:
        """Return the log-odds (n,) of features (n, 32)."""
        x = (seen - self.mean) / self.scale @ self.hidden.T + self.hidden_bias
        return np.asarray((x / (1.0 + np.exp(-x))) @ self.out + self.bias[0])

    def save(self, path: Path) -> None:
        """Write the weights, float32."""
        save_file({k: np.asarray(v, np.float32) for k, v in vars(self).items()}, path)

    @classmethod
    def load(cls, path: Path) -> Perceptron:
        """Read weights. Raises InferenceError ``weights-missing`` or ``weights-damaged``."""
        if not path.is_file():
            raise InferenceError("weights-missing", f"{path.name} does not exist", where=path.name)
        try:
            found = {k: v.astype(np.float64) for k, v in load_file(path).items()}
            net = cls(**found)
            net.log_odds(np.zeros((1, FEATURES)))
        except Exception as error:
            raise InferenceError(
                "weights-damaged",
                f"{path.name} does not hold the weights of the artery points",
                where=path.name,
            ) from error
        return net


@cache
def served() -> Perceptron:
    """Return the weights that come with the product."""
    return Perceptron.load(WEIGHTS)


def log_odds(volume: Volume, line: np.ndarray, outlines: Outlines, blood_hu: float) -> np.ndarray:
    """Return the log-odds (n,) of each point of a line to lie in an artery.

    Parameters
    ----------
    line : (n, 3) LPS mm, every 0.5 mm. outlines : of its points. blood_hu : HU of the aorta.
    """
    return served().log_odds(seen_across(volume, line, outlines, blood_hu))


def seen_across(volume: Volume, line: np.ndarray, outlines: Outlines, blood_hu: float) -> np.ndarray:
    """Return what is seen across each point of a line, (n, 32): the features of the perceptron.

    Mean HU on circles of 0, 0.5 … 4.5 mm, its 20th and 80th percentile every 0.75 mm, each over 1 mm of the line; the
    first three over 4 mm; radius and core's HU over 1 and 5 mm; how much the core's HU changes along the line.
    """
    values = np.clip(rays(volume, line, most_hu=np.inf) / blood_hu, *SHARES)
    ordered = np.partition(values.transpose(0, 2, 1), (LOW_RAY, HIGH_RAY), axis=2)
    low, high = ordered[..., LOW_RAY], ordered[..., HIGH_RAY]
    around = _along(np.concatenate([values.mean(1)[:, ::2], low[:, ::3], high[:, ::3]], axis=1), 2.0)
    core = outlines.hu / blood_hu
    change = np.abs(np.diff(core, prepend=core[:1]))
    columns = [
        around,
        _along(around[:, :3], 8.0),
        _along(outlines.radius_mm, 2.0)[:, None],
        _along(outlines.radius_mm, 10.0)[:, None],
        _along(core, 2.0)[:, None],
        _along(core, 10.0)[:, None],
        _along(change, 4.0)[:, None],
    ]
    return np.concatenate(columns, axis=1)


def _along(a: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(gaussian_filter1d(a, sigma, axis=0, mode="nearest"))
