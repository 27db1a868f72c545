"""What evaluation counts: ICC, patient-cluster bootstrap intervals, calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

# 2,000 resamples make the ends of a 95 % interval steady; ten bins are usual for a reliability diagram.
REPLICATES = 2000
BINS = 10

Array = NDArray[np.float64]


def icc_a1(truth: Array, found: Array) -> float | None:
    """ICC(A,1), two-way, absolute agreement, single measurement (McGraw & Wong, Psychol Methods 1996;1:30)."""
    x = np.stack([truth, found], axis=1)
    n, k = x.shape
    if n < 3:
        return None
    grand = x.mean()
    rows = k * ((x.mean(1) - grand) ** 2).sum() / (n - 1)
    columns = n * ((x.mean(0) - grand) ** 2).sum() / (k - 1)
    rest = ((x - x.mean(1, keepdims=True) - x.mean(0, keepdims=True) + grand) ** 2).sum() / (
        (n - 1) * (k - 1)
    )
    bottom = rows + (k - 1) * rest + k * (columns - rest) / n
    return float((rows - rest) / bottom) if bottom > 0 else None


def by_patient(
    patients: NDArray[np.int64],
    estimate: Callable[[NDArray[np.int64]], float | None],
    *,
    seed: int = 1,
    replicates: int = REPLICATES,
) -> tuple[float, float] | None:
    """95 % percentile interval of an estimate when whole patients are drawn with replacement.

    Parameters
    ----------
    patients : (n,) the patient of each row. estimate : takes row indices (with repeats), gives a number or None.

    Returns
    -------
    (low, high), or None for fewer than three patients or where the estimate is often not defined.
    """
    names = np.unique(patients)
    if len(names) < 3:
        return None
    rows = [np.flatnonzero(patients == name) for name in names]
    rng = np.random.default_rng(seed)
    values = [
        estimate(np.concatenate([rows[k] for k in rng.integers(0, len(names), len(names))]))
        for _ in range(replicates)
    ]
    kept = np.array([v for v in values if v is not None], float)
    if len(kept) < 0.9 * replicates:
        return None
    low, high = np.percentile(kept, [2.5, 97.5])
    return float(low), float(high)


def dice(counts: Array) -> float | None:
    """``2·|A ∩ B| / (|A| + |B|)`` of summed counts (n, 2) = ``(|A ∩ B|, |A| + |B|)``; None where both are empty."""
    both, each = counts.sum(0)
    return float(2 * both / each) if each > 0 else None


def dice_with_interval(counts: Array, patients: NDArray[np.int64]) -> dict[str, Any]:
    """Pooled Dice, its patient-bootstrap interval, and the median over patients."""
    single = [dice(counts[patients == p]) for p in np.unique(patients)]
    interval = by_patient(patients, lambda rows: dice(counts[rows]))
    return {
        "dice": dice(counts),
        "interval": interval,
        "per_patient": [None if d is None else round(d, 4) for d in single],
    }


def measure_with_interval(truth: Array, found: Array, patients: NDArray[np.int64]) -> dict[str, Any]:
    """Bias, mean absolute error and ICC(A,1) of found against true values, with patient-bootstrap intervals."""
    if not len(truth):
        return {"n": 0}
    error = found - truth
    return {
        "n": len(truth),
        "patients": len(np.unique(patients)),
        "truth_mean": float(truth.mean()),
        "bias": float(error.mean()),
        "bias_interval": by_patient(patients, lambda rows: float(error[rows].mean())),
        "mae": float(np.abs(error).mean()),
        "mae_interval": by_patient(patients, lambda rows: float(np.abs(error[rows]).mean())),
        "icc_a1": icc_a1(truth, found),
        "icc_a1_interval": by_patient(patients, lambda rows: icc_a1(truth[rows], found[rows])),
    }


@dataclass
class Reliability:
    """Sums for a reliability diagram: predicted probability against what was true, in ten bins."""

    count: Array = field(default_factory=lambda: np.zeros(BINS))
    predicted: Array = field(default_factory=lambda: np.zeros(BINS))
    true: Array = field(default_factory=lambda: np.zeros(BINS))

    def add(self, predicted: NDArray[Any], true: NDArray[Any]) -> None:
        """Add predictions 0…1 and what was true of each, 0…1."""
        at = np.minimum((predicted * BINS).astype(int), BINS - 1).ravel()
        self.count += np.bincount(at, minlength=BINS)
        self.predicted += np.bincount(at, predicted.ravel(), BINS)
        self.true += np.bincount(at, true.ravel(), BINS)

    def to_dict(self) -> dict[str, Any]:
        """Bins, and the expected calibration error: mean ``|predicted − true|`` over bins, weighted by count."""
        n = np.maximum(self.count, 1)
        gap = np.abs(self.predicted - self.true) / n
        return {
            "ece": float((gap * self.count).sum() / max(self.count.sum(), 1)),
            "count": self.count.astype(int).tolist(),
            "predicted": (self.predicted / n).round(4).tolist(),
            "true": (self.true / n).round(4).tolist(),
        }
