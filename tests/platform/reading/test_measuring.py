"""Measuring in the web process."""

from __future__ import annotations

from plaquelab.reading.measuring import warm_up


def test_the_made_up_tube_can_be_measured() -> None:
    """It runs in a thread at the server's start, where nobody would see it fail."""
    warm_up()
