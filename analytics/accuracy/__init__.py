"""How well a measurement tells diseased from healthy, or who will have an event."""

from analytics.accuracy.roc import Roc, roc
from analytics.accuracy.two_by_two import TwoByTwo, two_by_two, two_by_two_of

__all__ = ["Roc", "TwoByTwo", "roc", "two_by_two", "two_by_two_of"]
