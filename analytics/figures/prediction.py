"""Figures of a prediction: calibration in groups, AUC over time, decision curve."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from analytics.figures.draw import draw
from analytics.figures.drawing import Drawing, refused
from analytics.figures.estimates import EstimateRow, estimates
from analytics.figures.style import ACCENT, GROUPS, NEUTRAL, translucent
from analytics.survival.calibration import Calibration
from analytics.survival.decision import DecisionCurve, Reclassification
from analytics.survival.risk_groups import RiskGroup
from analytics.survival.survival_calibration import SurvivalCalibration
from analytics.survival.time_roc import TimeAuc


@draw.register
def calibration(result: Calibration | SurvivalCalibration, *, link_template: str = "") -> Drawing:
    """Observed against predicted risk of groups of equal size, with the line of identity; ``{group}`` in the link."""
    if not result.groups:
        return refused(result.reason or "", simulated=result.simulated)
    drawn = Drawing("Predicted risk (%)", "Observed risk (%)", simulated=result.simulated)
    groups: Sequence[RiskGroup] = result.groups
    end = max(max(100 * g.predicted, 100 * (g.interval.high if g.interval else g.observed)) for g in groups)
    drawn.diagonal(0, end)
    drawn.trace(
        "scatter",
        x=[100 * g.predicted for g in groups],
        y=[100 * g.observed for g in groups],
        mode="markers",
        marker={"size": 9, "color": ACCENT},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (g.interval.high - g.observed) if g.interval else 0 for g in groups],
            "arrayminus": [100 * (g.observed - g.interval.low) if g.interval else 0 for g in groups],
            "color": ACCENT,
        },
        customdata=[[link_template.replace("{group}", str(i)), f"{g.n:,}"] for i, g in enumerate(groups)],
        hovertemplate="predicted %{x:.1f} %, observed %{y:.1f} % (n = %{customdata[1]})<extra></extra>",
    )
    return drawn


@draw.register
def time_auc(result: TimeAuc, *, link_template: str = "") -> Drawing:
    """AUC with its interval at every time; times without an AUC are left out. ``{time}`` in the link."""
    known = [(a.time, a.estimate, a.interval) for a in result.at if a.estimate is not None]
    if not known:
        return refused("no AUC at any of the times", simulated=result.simulated)
    drawn = Drawing(f"Time ({result.time_unit})", "AUC", simulated=result.simulated)
    drawn.trace(
        "scatter",
        x=[t for t, _, _ in known],
        y=[v for _, v, _ in known],
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [i.high - v if i else 0 for _, v, i in known],
            "arrayminus": [v - i.low if i else 0 for _, v, i in known],
            "color": translucent(ACCENT, 0.6),
        },
        customdata=[[link_template.replace("{time}", repr(t)), ""] for t, _, _ in known],
        hovertemplate="%{x:.2f}: %{y:.3f}<extra></extra>",
    )
    drawn.layout["xaxis"]["tickvals"] = [t for t, _, _ in known]
    drawn.layout["yaxis"]["range"] = [0, 1.02]
    return drawn


@draw.register
def decision(result: DecisionCurve, *, link_template: str = "") -> Drawing:
    """Net benefit of the models, of treating all and of treating none; ``{model}``, ``{threshold}`` in the links of models."""
    drawn = Drawing("Threshold probability (%)", "Net benefit", simulated=result.simulated)
    x = [100 * t for t in result.thresholds]
    models = {name for name, _ in result.models}
    lines = [
        (name, list(values), GROUPS[i % len(GROUPS)], "solid")
        for i, (name, values) in enumerate(result.models)
    ]
    lines += [
        ("treat all", list(result.treat_all), NEUTRAL, "dash"),
        ("treat none", [0.0] * len(x), NEUTRAL, "dot"),
    ]
    for name, values, colour, dash in lines:
        drawn.trace(
            "scatter",
            x=x,
            y=values,
            mode="lines",
            name=name,
            line={"color": colour, "width": 2, "dash": dash},
            customdata=[
                [_of_model(link_template, name, t) if name in models else "", ""] for t in result.thresholds
            ],
            hovertemplate=f"{name}, threshold %{{x:.1f}} %: %{{y:.4f}}<extra></extra>",
        )
    top = max(v for _, values, _, _ in lines for v in values if v is not None)
    drawn.layout["yaxis"]["range"] = [-0.3 * max(top, 0.01), 1.1 * max(top, 0.01)]
    drawn.layout |= {"showlegend": True, "legend": {"x": 0.98, "y": 0.98, "xanchor": "right"}}
    return drawn


@draw.register
def reclassification(result: Reclassification) -> Drawing:
    """NRI and IDI with their intervals."""
    rows = [EstimateRow("NRI", result.estimate, result.interval)]
    if result.idi is not None:
        rows.append(EstimateRow("IDI", result.idi.estimate, result.idi.interval))
    title = "Reclassification"
    return estimates(rows, title, reason=result.reason, reference=0.0, simulated=result.simulated)


def _of_model(link_template: str, name: str, threshold: float) -> str:
    return link_template.replace("{model}", quote(name)).replace("{threshold}", repr(threshold))
