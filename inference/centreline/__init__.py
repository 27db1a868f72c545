"""Centrelines: the type, its files, editing, evaluation, and tracing between two points."""

from inference.centreline.lines import COLUMNS, Centreline, read_centrelines, write_centrelines
from inference.centreline.tracing import trace

__all__ = ["COLUMNS", "Centreline", "read_centrelines", "trace", "write_centrelines"]
