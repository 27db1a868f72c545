"""Lumen and vessel-wall contours of one vessel, in polar form about each section's centre."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from inference.errors import ContourError
from inference.section_grid import MIDDLE, PIXELS, SPACING_ACROSS

ANGLES = 64  # definitions: for every angle a radius
THETA = 2 * np.pi * np.arange(ANGLES) / ANGLES
LARGEST_RADIUS_MM = 9.6  # inside the field of view of ±10 mm


@dataclass(frozen=True)
class VesselContours:
    """For every section closed lumen and outer-wall contours, and where the wall is plaque.

    Parameters
    ----------
    lumen_radius, wall_radius : (S, 64) float32, mm, 0 ≤ lumen ≤ wall; angle k is 2πk/64, θ = 0 on the first in-plane
        axis, counter-clockwise towards the second.
    plaque : (S, 64) bool, whether the wall at that angle is plaque.
    masks : section → (64, 64) uint8 (0 background, 1 lumen, 2 wall, 3 plaque) for sections that are not star-shaped;
        a mask overrules the radii of its section.
    provenance : who made them, e.g. network and weights hash, or reader and revision.

    Raises
    ------
    ContourError
        A radius is negative, not a number, or a lumen lies outside its wall.
    """

    lumen_radius: np.ndarray
    wall_radius: np.ndarray
    plaque: np.ndarray
    masks: Mapping[int, np.ndarray] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lumen = np.ascontiguousarray(self.lumen_radius, dtype=np.float32)
        wall = np.ascontiguousarray(self.wall_radius, dtype=np.float32)
        plaque = np.ascontiguousarray(self.plaque, dtype=bool)
        if (
            lumen.ndim != 2
            or lumen.shape[1] != ANGLES
            or wall.shape != lumen.shape
            or plaque.shape != lumen.shape
        ):
            raise ContourError(
                "bad-contours", f"Contours need (sections, {ANGLES}) radii and marks of one shape."
            )
        if not (np.isfinite(lumen).all() and np.isfinite(wall).all()):
            raise ContourError("bad-contours", "A radius is not a number.")
        if (lumen < 0).any() or (lumen > wall).any():
            section = int(np.argmax(((lumen < 0) | (lumen > wall)).any(axis=1)))
            raise ContourError(
                "bad-contours",
                f"Section {section}: the lumen must lie inside the wall.",
                f"section {section}",
            )
        for section, mask in self.masks.items():
            if not 0 <= section < len(lumen) or mask.shape != (PIXELS, PIXELS):
                raise ContourError(
                    "bad-contours", f"The mask of section {section} has no place.", f"section {section}"
                )
        for name, value in (("lumen_radius", lumen), ("wall_radius", wall), ("plaque", plaque)):
            object.__setattr__(self, name, value)

    @property
    def sections(self) -> int:
        """Number of sections."""
        return len(self.lumen_radius)

    @cached_property
    def sha256(self) -> str:
        """Hash of radii, marks and masks (not of the provenance)."""
        h = hashlib.sha256()
        for array in (self.lumen_radius, self.wall_radius, self.plaque.astype(np.uint8)):
            h.update(array.tobytes())
        for section in sorted(self.masks):
            h.update(f"{section}:".encode())
            h.update(np.ascontiguousarray(self.masks[section], dtype=np.uint8).tobytes())
        return h.hexdigest()

    def to_bytes(self) -> bytes:
        """Return the contours as a compressed npz."""
        sections = sorted(self.masks)
        stack = np.stack([self.masks[s] for s in sections]) if sections else np.zeros((0, PIXELS, PIXELS))
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            lumen_radius=self.lumen_radius,
            wall_radius=self.wall_radius,
            plaque=np.packbits(self.plaque, axis=1),
            mask_sections=np.array(sections, dtype=np.int32),
            masks=stack.astype(np.uint8),
            provenance=np.array([[k, v] for k, v in sorted(self.provenance.items())], dtype=np.str_).reshape(
                -1, 2
            ),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> VesselContours:
        """Read what ``to_bytes`` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as z:
            return cls(
                lumen_radius=z["lumen_radius"],
                wall_radius=z["wall_radius"],
                plaque=np.unpackbits(z["plaque"], axis=1, count=ANGLES).astype(bool),
                masks={int(s): m for s, m in zip(z["mask_sections"], z["masks"], strict=True)},
                provenance={str(k): str(v) for k, v in z["provenance"]},
            )


_offset = (np.arange(PIXELS) - MIDDLE) * SPACING_ACROSS
PIXEL_U, PIXEL_V = np.meshgrid(_offset, _offset)
PIXEL_RADIUS = np.hypot(PIXEL_U, PIXEL_V)
PIXEL_ANGLE = np.mod(np.arctan2(PIXEL_V, PIXEL_U), 2 * np.pi)


def radius_at(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Radius (..., 64) at ``angle`` (any shape, rad), linear between the fixed angles. Returns ``(..., *angle.shape)``."""
    position = angle / (2 * np.pi) * ANGLES
    low = np.floor(position).astype(int)
    t = (position - low).astype(np.float32)
    return np.asarray(radius[..., low % ANGLES] * (1 - t) + radius[..., (low + 1) % ANGLES] * t)


def label_map(contours: VesselContours) -> np.ndarray:
    """Return (S, 64, 64) uint8: 0 background, 1 lumen, 2 normal wall, 3 plaque."""
    lumen = radius_at(contours.lumen_radius, PIXEL_ANGLE)
    wall = radius_at(contours.wall_radius, PIXEL_ANGLE)
    nearest = np.rint(PIXEL_ANGLE / (2 * np.pi) * ANGLES).astype(int) % ANGLES
    labels = np.zeros(lumen.shape, np.uint8)
    inside = wall > PIXEL_RADIUS
    labels[inside] = 2
    labels[inside & contours.plaque[:, nearest]] = 3
    labels[lumen > PIXEL_RADIUS] = 1
    for section, mask in contours.masks.items():
        labels[section] = mask
    return labels


def move_contour(
    contours: VesselContours,
    *,
    which: str,
    section: int,
    angle_rad: float,
    delta_mm: float,
    width_sections: float = 4.0,
    width_rad: float = 0.5,
) -> VesselContours:
    """Drag one contour: Δr·exp(−½(Δs/σs)²)·exp(−½(Δθ/σθ)²), Δθ wrapped to [−π, π].

    A lumen is kept within [0, wall], a wall within [lumen, 9.6 mm]. The browser uses the same formula
    (``frontend/src/viewer/geometry/polar.ts``); ``tests/golden/geometry.json`` ties the two. A mask of a section where the
    drag is felt (weight > 0.01) gives way to the radii.
    """
    if which not in ("lumen", "wall"):
        raise ContourError("bad-command", "A drag moves “lumen” or “wall”.")
    if not 0 <= section < contours.sections:
        raise ContourError("bad-command", f"There is no section {section}.")
    along = np.exp(-0.5 * ((np.arange(contours.sections) - section) / width_sections) ** 2)
    turn = np.mod(THETA - angle_rad + np.pi, 2 * np.pi) - np.pi
    change = delta_mm * along[:, None] * np.exp(-0.5 * (turn / width_rad) ** 2)[None, :]
    masks = {s: m for s, m in contours.masks.items() if along[s] <= 0.01}
    if which == "lumen":
        moved = np.clip(contours.lumen_radius.astype(np.float64) + change, 0.0, contours.wall_radius)
        return replace(
            contours, lumen_radius=np.minimum(moved.astype(np.float32), contours.wall_radius), masks=masks
        )
    moved = np.clip(
        contours.wall_radius.astype(np.float64) + change, contours.lumen_radius, LARGEST_RADIUS_MM
    )
    return replace(
        contours, wall_radius=np.maximum(moved.astype(np.float32), contours.lumen_radius), masks=masks
    )
