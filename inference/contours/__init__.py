"""Contours of one vessel: the type in polar form (``polar``), and where contours come from.

``from_probabilities`` draws them from a network's maps, ``from_threshold`` from HU alone.
"""

from inference.contours.polar import (
    ANGLES,
    LARGEST_RADIUS_MM,
    PIXEL_ANGLE,
    PIXEL_RADIUS,
    PIXEL_U,
    PIXEL_V,
    THETA,
    VesselContours,
    label_map,
    move_contour,
    radius_at,
)

__all__ = [
    "ANGLES",
    "LARGEST_RADIUS_MM",
    "PIXEL_ANGLE",
    "PIXEL_RADIUS",
    "PIXEL_U",
    "PIXEL_V",
    "THETA",
    "VesselContours",
    "label_map",
    "move_contour",
    "radius_at",
]
