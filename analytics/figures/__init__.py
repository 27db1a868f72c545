"""Figures of results, in plotly's JSON. A point's ``customdata`` is ``[link, label]``: a click leads to its case.

A builder returns a :class:`~analytics.figures.drawing.Drawing`; pages send its ``to_dict()``, and ``to_figure()``
makes it a ``plotly.graph_objects.Figure`` (validated, and ten times slower, so only where somebody asks for one).
"""
