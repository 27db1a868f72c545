"""Two methods against each other: ratio, regression and quantile limits, and the fitted line of a comparison.

``bins`` is the link of a grid cell where there are too many points to draw each (see :func:`points`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.agreement.quantile_limits import QuantileLimits
from analytics.agreement.ratio_limits import RatioLimits
from analytics.agreement.regression import MethodComparison
from analytics.agreement.regression_limits import RegressionLimits
from analytics.figures.agreement import both_values, mean_and_difference, points
from analytics.figures.decimals import ONE, Decimals
from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.style import ACCENT, WARNING
from analytics.result import Interval
from analytics.rounding import half_up, printed


@draw.register
def ratio_plot(
    result: RatioLimits,
    *,
    labels: Sequence[str] = (),
    links: Sequence[str] = (),
    bins: str = "",
    decimals: Decimals = ONE,
) -> Drawing:
    """Ratio against geometric mean, both on log axes."""
    if result.estimate is None:
        return refused(result.reason or "", simulated=result.simulated)
    first, second = result.names
    title = f"Geometric mean of {first} and {second}"
    drawn = Drawing(title, f"{second} ÷ {first}", simulated=result.simulated)
    size, ratio = np.sqrt(result.first * result.second), result.second / result.first
    span = [float(size.min()), float(size.max())]
    shown = result.cluster_interval or result.interval
    _flat(drawn, span, result.estimate, "mean ratio", ACCENT, "solid", shown)
    for limit, band in ((result.lower, result.lower_interval), (result.upper, result.upper_interval)):
        if limit is not None:
            _flat(drawn, span, limit, "limit", WARNING, "dash", band)

    def told(x: float, y: float) -> str:
        return f"mean {decimals.value(x)}, ratio {printed(y, 3)}"

    points(drawn, size, ratio, labels, links, told, bins=bins)
    for axis, values in (("xaxis", size), ("yaxis", ratio)):
        drawn.logarithmic(axis, float(values.min()), float(values.max()))
    return drawn


def _flat(
    drawn: Drawing,
    span: list[float],
    value: float,
    name: str,
    colour: str,
    dash: str,
    band: Interval | None,
) -> None:
    text = f"{name} {half_up(value, 3)}" + ("" if band is None else f" ({band.text(3)})")
    line = {"color": colour, "width": 1.5, "dash": dash}
    drawn.trace("scatter", x=span, y=[value, value], mode="lines", line=line, name=text, hoverinfo="name")


@draw.register
def regression_limits_plot(
    result: RegressionLimits,
    *,
    labels: Sequence[str] = (),
    links: Sequence[str] = (),
    bins: str = "",
    decimals: Decimals = ONE,
) -> Drawing:
    """Difference against mean with the sloping bias and limits."""
    if result.bias is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = _differences(result, labels, links, bins, decimals)
    size = (result.first + result.second) / 2
    x = np.linspace(size.min(), size.max(), 50)
    styles = (("bias", ACCENT, "solid"), ("lower limit", WARNING, "dash"), ("upper limit", WARNING, "dash"))
    for y, (name, colour, dash) in zip(result.at(x), styles, strict=True):
        line = {"color": colour, "width": 1.5, "dash": dash}
        drawn.trace(
            "scatter", x=x.tolist(), y=y.tolist(), mode="lines", line=line, name=name, hoverinfo="name"
        )
    return drawn


@draw.register
def quantile_limits_plot(
    result: QuantileLimits,
    *,
    labels: Sequence[str] = (),
    links: Sequence[str] = (),
    bins: str = "",
    decimals: Decimals = ONE,
) -> Drawing:
    """Difference against mean with the median and both quantiles."""
    if result.estimate is None or result.lower is None or result.upper is None:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = _differences(result, labels, links, bins, decimals)
    drawn.level(result.estimate, name="median", colour=ACCENT, dash="solid", interval=result.interval)
    drawn.level(result.lower, name="2.5 %", colour=WARNING, dash="dash", interval=result.lower_interval)
    drawn.level(result.upper, name="97.5 %", colour=WARNING, dash="dash", interval=result.upper_interval)
    return drawn


def _differences(
    result: RegressionLimits | QuantileLimits,
    labels: Sequence[str],
    links: Sequence[str],
    bins: str,
    decimals: Decimals,
) -> Drawing:
    unit = f" ({result.value_unit})" if result.value_unit else ""
    first, second = result.names
    title = f"Mean of {first} and {second}{unit}"
    drawn = Drawing(title, f"{second} − {first}{unit}", simulated=result.simulated)
    size = (result.first + result.second) / 2
    points(drawn, size, result.second - result.first, labels, links, mean_and_difference(decimals), bins=bins)
    return drawn


@draw.register
def method_comparison_plot(
    result: MethodComparison,
    *,
    labels: Sequence[str] = (),
    links: Sequence[str] = (),
    bins: str = "",
    decimals: Decimals = ONE,
) -> Drawing:
    """Second read against the first with the fitted line and the line of identity."""
    if result.estimate is None or result.intercept is None:
        return refused(result.reason or "", simulated=result.simulated)
    unit = f" ({result.value_unit})" if result.value_unit else ""
    first, second = result.names
    drawn = Drawing(f"{first}{unit}", f"{second}{unit}", simulated=result.simulated)
    low, high = float(result.first.min()), float(result.first.max())
    drawn.diagonal(min(low, float(result.second.min())), max(high, float(result.second.max())))
    ends = [result.intercept + result.estimate * x for x in (low, high)]
    line = {"color": WARNING, "width": 2}
    drawn.trace(
        "scatter", x=[low, high], y=ends, mode="lines", line=line, name=result.method, hoverinfo="name"
    )
    points(drawn, result.first, result.second, labels, links, both_values(decimals), bins=bins)
    return drawn
