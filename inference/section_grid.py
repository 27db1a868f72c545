"""The grid of a straightened vessel's cross-sections: known without loading what samples them."""

from __future__ import annotations

# Definitions: 0.3 mm between sections, a field of view of 20 mm, 64 pixels across.
SPACING_ALONG = 0.3
SPACING_ACROSS = 0.3125
PIXELS = 64
MIDDLE = (PIXELS - 1) / 2
"""Of a section, in pixels: where the centreline passes."""
