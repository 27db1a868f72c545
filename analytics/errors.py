"""What can be wrong with a table handed to this library."""

from __future__ import annotations


class AnalyticsError(ValueError):
    """The input cannot be analysed; the message names the column and row and says what to do."""
