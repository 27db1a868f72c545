"""A filled study and freezes of it, as fixtures."""

from tests.platform.filled_study import filled, frozen, released

__all__ = ["filled", "frozen", "released"]
