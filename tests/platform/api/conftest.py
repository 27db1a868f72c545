"""Fixtures of cases that are ready to be read."""

from tests.platform.ready_cases import assigned, discordant, ready_case

__all__ = ["assigned", "discordant", "ready_case"]
