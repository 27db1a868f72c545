"""How a figure prints a metric's values where one points at them: the house's rule of rounding, never the browser's."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.metrics import Metric
from analytics.rounding import printed


@dataclass(frozen=True)
class Decimals:
    """Decimals of a metric's values, and the borders over which printing never rounds (same unit)."""

    digits: int = 1
    borders: tuple[float, ...] = ()

    @classmethod
    def of(cls, metric: Metric) -> Decimals:
        """Those of a metric."""
        return cls(metric.digits, metric.borders)

    def value(self, value: float) -> str:
        """A value of the metric, or a mean of values."""
        return printed(value, self.digits, self.borders)

    def difference(self, value: float) -> str:
        """A difference of two values, which no border cuts."""
        return printed(value, self.digits)


ONE = Decimals()
"""Of a figure that knows no metric."""
