"""Figures of results, in plotly's JSON. A point's ``customdata`` is ``[link, label]``: a click leads to its case.

``draw(result)`` chooses the builder by the result's type. A builder returns a
:class:`~analytics.figures.drawing.Drawing`; pages send its ``to_dict()``, and ``to_figure()`` makes it a
``plotly.graph_objects.Figure`` (validated, and ten times slower, so only where somebody asks for one).
"""

from analytics.figures import (  # each registers its builders with draw
    accuracy,
    agreement,
    coefficients,
    comparison,
    competing,
    cutoff,
    discrimination,
    heterogeneity,
    missing,
    monitoring,
    prediction,
    spline,
    survival,
    timing,
)
from analytics.figures.draw import draw

__all__ = [
    "accuracy",
    "agreement",
    "coefficients",
    "comparison",
    "competing",
    "cutoff",
    "discrimination",
    "draw",
    "heterogeneity",
    "missing",
    "monitoring",
    "prediction",
    "spline",
    "survival",
    "timing",
]
