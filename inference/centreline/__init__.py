"""Centrelines: the type, its files, and tracing between two points."""

from inference.centreline.lines import COLUMNS, Centreline, read_centrelines, write_centrelines

__all__ = ["COLUMNS", "Centreline", "read_centrelines", "write_centrelines"]
