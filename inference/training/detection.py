"""What a network finds by itself: lesions found, missed and extra, and a patient's plaque without given extents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.quantification import Lesion

from .agreement import by_patient, measure_with_interval

LEAST_OVERLAP_MM = 1.5  # the shortest stretch that is a lesion (definitions)


@dataclass
class Found:
    """Counts of one patient, and total plaque volume (mm³) in truth and as found with its own extents."""

    patient: int
    true: int = 0
    hit: int = 0
    drawn: int = 0
    extra: int = 0
    volume_true: float = 0.0
    volume_found: float = 0.0

    def add(self, truth: Sequence[Lesion], drawn: Sequence[Lesion]) -> None:
        """Count one vessel: a lesion is found where one that was drawn shares at least 1.5 mm with it."""

        def share(a: Lesion, b: Lesion) -> bool:
            return min(a.end_mm, b.end_mm) - max(a.start_mm, b.start_mm) >= LEAST_OVERLAP_MM - 1e-9

        self.true += len(truth)
        self.drawn += len(drawn)
        self.hit += sum(any(share(a, b) for b in drawn) for a in truth)
        self.extra += sum(not any(share(a, b) for a in truth) for b in drawn)


def detection(patients: Sequence[Found]) -> dict[str, Any]:
    """Sensitivity, positive predictive value, extra lesions a patient, and agreement of patients' total volumes."""
    rows = np.arange(len(patients))
    count = {k: np.array([getattr(p, k) for p in patients], float) for k in ("true", "hit", "drawn", "extra")}

    def ratio(top: np.ndarray, bottom: np.ndarray) -> dict[str, Any]:
        def estimate(chosen: np.ndarray) -> float | None:
            return float(top[chosen].sum() / bottom[chosen].sum()) if bottom[chosen].sum() else None

        return {"value": estimate(rows), "interval": by_patient(rows, estimate)}

    truth, found = (np.array([getattr(p, k) for p in patients]) for k in ("volume_true", "volume_found"))
    return {
        "sensitivity": ratio(count["hit"], count["true"]),
        "positive_predictive_value": ratio(count["drawn"] - count["extra"], count["drawn"]),
        "extra_lesions_a_patient": float(count["extra"].mean()),
        "patient_total_plaque_volume": measure_with_interval(truth, found, rows),
    }
