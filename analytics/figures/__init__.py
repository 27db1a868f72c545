"""Plotly figures of results. A point's ``customdata`` is ``[link, label]``: a click leads to the case behind it."""
