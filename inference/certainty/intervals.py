"""A range around a lesion's number that holds the truth nine times in ten: conformal prediction with scaled residuals.

On simulated patients whose truth is known, the error of a metric is divided by how large an error of that size, with
those signs, usually is; the interval is the number plus that scale times the 5th and 95th percentile of what was seen
(Papadopoulos et al., ECML 2002; Lei et al., JASA 2018;113:1094). It holds for lesions like those, drawn by those weights
and by nobody's hand: ``python -m inference calibrate`` writes ``weights/intervals.json``, a table a file of weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.certainty.lesion_doubts import Reach
from inference.certainty.signs import Signs
from inference.quantification import LesionRecord, value_of

TABLE = Path(__file__).resolve().parent.parent / "weights" / "intervals.json"
COVERAGE = 0.90
"""Definitions."""
CALIBRATED: Mapping[str, tuple[float, float]] = {
    "total_plaque_volume": (0.0, np.inf),
    "noncalcified_plaque_volume": (0.0, np.inf),
    "calcified_plaque_volume": (0.0, np.inf),
    "low_attenuation_plaque_volume": (0.0, np.inf),
    "diameter_stenosis": (0.0, 100.0),
}
"""The metrics that have an interval, and between what their values lie."""
WITHOUT_PROFILE = ("total_plaque_volume", "diameter_stenosis")
"""Of them, what no composition profile changes."""
SMALLEST_MM3, SMALLEST_POINT = 0.5, 1.0
"""Errors below these are as good as none: the logarithm of an error is taken above them (eight voxels; one point of
stenosis)."""
STEADY = 3.0
"""Ridge of the scale's fit, in lesions: a sign that three lesions show moves it by half."""
FARTHEST_SD = 4.0
"""A sign farther out than any of the calibration widens an interval no more."""
FOLDS = 5
"""Parts of the patients; the scale of a part is fitted without it, so that its errors are new to it."""


def _scales(signs: Signs) -> tuple[float, float]:
    """How far apart two scales drew a lesion, and which way: a share, and a logarithm within a factor of four."""
    if signs.scales is None:
        return 0.0, 0.0
    ratio = np.log((signs.scales.second_mm3 + 2.0) / (signs.scales.first_mm3 + 2.0))
    return signs.scales.disagreement, float(np.clip(ratio, -np.log(4), np.log(4)))


PREDICTORS = (
    *("log total volume", "log calcified volume", "log low-attenuation volume", "log lumen area", "stenosis"),
    *("log length", "uncertainty", "scales apart", "second larger", "larger taken"),
    *("unseen border", "calcium arc", "radius", "thickness", "off centre", "branch", "noise"),
)
"""What an error's usual size follows from; a table made with others holds no more."""


def predictors(record: LesionRecord, signs: Signs) -> NDArray[np.float64]:
    """Return a lesion's predictors in the order of ``PREDICTORS``."""

    def log(metric: str, above: float) -> float:
        return float(np.log((value_of(record, metric).number or 0.0) + above))

    values = (
        log("total_plaque_volume", 2.0),
        log("calcified_plaque_volume", 0.5),
        log("low_attenuation_plaque_volume", 0.5),
        log("minimal_luminal_area", 0.2),
        (value_of(record, "diameter_stenosis").number or 0.0) / 100,
        float(np.log(signs.length_mm + 1.0)),
        signs.uncertainty,
        *_scales(signs),
        float(signs.scales is not None and signs.scales.larger_taken),
        signs.unseen_border,
        signs.calcium_arc,
        signs.radius_mm,
        signs.thickness_mm,
        signs.off_centre,
        float(signs.branch),
        signs.noise_hu,
    )
    return np.array(values)


@dataclass(frozen=True)
class Scale:
    """How large an error usually is: exp(a + b·z), z the predictors in SD from their mean, held within ``FARTHEST_SD``."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    weights: NDArray[np.float64]

    def of(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the usual size of the error at predictors (..., P)."""
        z = np.clip((x - self.mean) / self.sd, -FARTHEST_SD, FARTHEST_SD)
        return np.asarray(np.exp(self.weights[0] + z @ self.weights[1:]))

    @classmethod
    def fit(cls, x: NDArray[np.float64], error: NDArray[np.float64], smallest: float) -> Scale:
        """Fit to errors (n,) at predictors (n, P): ridge regression of the logarithm of their size."""
        mean, sd = x.mean(0), np.maximum(x.std(0), 1e-6)
        z = np.clip((x - mean) / sd, -FARTHEST_SD, FARTHEST_SD)
        design = np.c_[np.ones(len(z)), z]
        ridge = STEADY * np.eye(design.shape[1])
        ridge[0, 0] = 0.0
        target = np.log(np.abs(error) + smallest)
        return cls(mean, sd, np.linalg.solve(design.T @ design + ridge, design.T @ target))


@dataclass(frozen=True)
class Conformal:
    """The interval of one metric: the scale, and the percentiles of errors divided by it."""

    scale: Scale
    low: float
    high: float

    def around(
        self, value: float, x: NDArray[np.float64], bounds: tuple[float, float]
    ) -> tuple[float, float]:
        """Return the interval around a value at its predictors (P,), within what the metric can be and around it."""
        scale = float(self.scale.of(x))
        low, high = value + self.low * scale, value + self.high * scale
        return max(bounds[0], min(low, value)), min(bounds[1], max(high, value))

    @classmethod
    def fit(
        cls, x: NDArray[np.float64], error: NDArray[np.float64], patients: Sequence[str], smallest: float
    ) -> Conformal:
        """Calibrate on errors (n,), truth less number, at predictors (n, P); patients tell which belong together."""
        names = sorted(set(patients))
        fold = np.array([names.index(p) % FOLDS for p in patients])
        score = np.empty(len(error))
        for part in range(FOLDS):
            mine = fold == part
            if mine.any():
                score[mine] = error[mine] / Scale.fit(x[~mine], error[~mine], smallest).of(x[mine])
        return cls(Scale.fit(x, error, smallest), *_tails(score))


def _tails(score: NDArray[np.float64]) -> tuple[float, float]:
    """Return the percentiles of scores that leave (1 − coverage) / 2 on either side of a new one."""
    n, tail = len(score), (1 - COVERAGE) / 2
    rank = min(int(np.ceil((n + 1) * (1 - tail))), n)
    ordered = np.sort(score)
    return float(ordered[n - rank]), float(ordered[rank - 1])


@dataclass(frozen=True)
class Calibration:
    """What was learned on simulated patients of how one file of weights errs.

    name : of the calibration set, for people. profile : of composition. metrics : per way in which lesions came about (``given``, ``found``).
    reach : sizes and noise that it holds.
    """

    name: str
    profile: str
    metrics: Mapping[str, Mapping[str, Conformal]]
    reach: Reach

    def intervals(
        self, x: NDArray[np.float64], numbers: Mapping[str, float | None], how: str
    ) -> dict[str, tuple[float, float]]:
        """Return the interval of every calibrated number of a lesion, from its predictors (P,)."""
        return {
            metric: conformal.around(value, x, CALIBRATED[metric])
            for metric, conformal in self.metrics[how].items()
            if (value := numbers.get(metric)) is not None
        }

    def with_intervals(self, record: LesionRecord, signs: Signs, *, how: str, profile: str) -> LesionRecord:
        """Return a lesion's record with an interval at every number that the calibration holds for.

        Parameters
        ----------
        how : lesions were ``given`` or ``found``. profile : by which the record was measured; what follows from another
            profile than the calibration's has no interval.
        """
        numbers = {metric: value_of(record, metric).number for metric in CALIBRATED}
        if profile != self.profile:
            numbers = {metric: number for metric, number in numbers.items() if metric in WITHOUT_PROFILE}
        found: dict[str, Any] = {
            metric: replace(value_of(record, metric), interval_low=low, interval_high=high)
            for metric, (low, high) in self.intervals(predictors(record, signs), numbers, how).items()
        }
        return replace(record, **found)

    def to_dict(self) -> dict[str, Any]:
        """Return what the table keeps."""
        return {
            "name": self.name,
            "profile": self.profile,
            "reach": [self.reach.radius_mm, self.reach.thickness_mm, self.reach.noise_hu],
            "predictors": list(PREDICTORS),
            "metrics": {
                how: {
                    metric: {
                        "low": c.low,
                        "high": c.high,
                        "mean": c.scale.mean.tolist(),
                        "sd": c.scale.sd.tolist(),
                        "weights": c.scale.weights.tolist(),
                    }
                    for metric, c in metrics.items()
                }
                for how, metrics in self.metrics.items()
            },
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Calibration | None:
        """Return what ``to_dict`` wrote; None where it was made from other predictors than today's."""
        if fields["predictors"] != list(PREDICTORS):
            return None
        metrics = {
            how: {
                metric: Conformal(
                    Scale(*(np.array(row[name]) for name in ("mean", "sd", "weights"))),
                    row["low"],
                    row["high"],
                )
                for metric, row in rows.items()
            }
            for how, rows in fields["metrics"].items()
        }
        return cls(str(fields["name"]), str(fields["profile"]), metrics, Reach(*fields["reach"]))


@lru_cache(maxsize=4)
def calibration_of(weights_sha256: str) -> Calibration | None:
    """Return the calibration of a file of weights; None where it has none, or an older one of other predictors."""
    if not TABLE.exists():
        return None
    tables = json.loads(TABLE.read_text())
    return Calibration.from_dict(tables[weights_sha256]) if weights_sha256 in tables else None


@dataclass(frozen=True)
class Judged:
    """A lesion with its truth.

    patient : whose; lesions of one stay together. how : ``given`` or ``found``. predictors : (P,). size : outer radius and
    thickness, mm, and noise, HU. numbers, truth : by metric, None where there is none. doubts : codes.
    """

    patient: str
    how: str
    predictors: Sequence[float]
    size: Sequence[float]
    numbers: Mapping[str, float | None]
    truth: Mapping[str, float | None]
    doubts: Sequence[str] = ()


def judged(
    patient: str,
    how: str,
    record: LesionRecord,
    signs: Signs,
    truth: Mapping[str, float | None],
    doubts: Sequence[str] = (),
) -> Judged:
    """Return a lesion's record and signs as calibration keeps them."""
    return Judged(
        patient,
        how,
        predictors(record, signs).tolist(),
        (signs.radius_mm, signs.thickness_mm, signs.noise_hu),
        {metric: value_of(record, metric).number for metric in CALIBRATED},
        {metric: truth[metric] for metric in CALIBRATED},
        tuple(doubts),
    )


def calibrate(name: str, profile: str, lesions: Iterable[Judged]) -> Calibration:
    """Calibrate on lesions whose truth is known, for every way in which they came about."""
    rows = list(lesions)
    reach = Reach(*(float(largest) for largest in np.max([row.size for row in rows], axis=0)))
    metrics: dict[str, dict[str, Conformal]] = {}
    for how in sorted({row.how for row in rows}):
        for metric in CALIBRATED:
            kept = [
                (row.patient, row.predictors, true - number)
                for row in rows
                if row.how == how
                and (true := row.truth[metric]) is not None
                and (number := row.numbers[metric]) is not None
            ]
            patients, x, error = zip(*kept, strict=True)
            smallest = SMALLEST_POINT if metric == "diameter_stenosis" else SMALLEST_MM3
            found = Conformal.fit(np.array(x), np.array(error), patients, smallest)
            metrics.setdefault(how, {})[metric] = found
    return Calibration(name, profile, metrics, reach)
