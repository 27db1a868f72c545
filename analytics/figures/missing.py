"""What could not be read, and estimates from imputed data, as rows."""

from __future__ import annotations

from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing
from analytics.figures.estimates import EstimateRow, estimates
from analytics.missing.imputation import Imputed
from analytics.missing.uninterpretable import Uninterpretable


@draw.register
def imputed(result: Imputed) -> Drawing:
    """The pooled estimate with its interval."""
    rows = [EstimateRow("pooled", result.estimate, result.interval)]
    return estimates(rows, result.method, simulated=result.simulated)


@draw.register
def uninterpretable(result: Uninterpretable) -> Drawing:
    """Shares that could not be read, by patient, vessel and lesion."""
    levels = [level for level in (result.patients, result.vessels, result.lesions) if level is not None]
    rows = [EstimateRow(f"{v.unit}s", v.some.estimate, v.some.interval) for v in levels]
    return estimates(rows, "Share that could not be read", simulated=result.simulated)
