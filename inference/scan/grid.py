"""Where slices lie → one even grid: the position summed up must hold, not only the gaps between neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from inference.errors import VolumeError
from inference.scan.likeness import HARMLESS_MM, cut_mm, finest
from inference.scan.values import tag_name, written

LARGEST_SHEAR_MM = 1.0  # a pixel or two over the scan; a tilted gantry shears by centimetres
# Two images nearer than a fifth of the usual distance are one place twice; a gap of one and a half has lost a slice.
SAME_PLACE, GAP = 0.2, 1.5
# Unit vectors at right angles as vendors write them: three digits at least (in-plane error below 0.3 mm over 250 mm).
RIGHT_ANGLE, UNIT = 1e-3, 1e-2
LARGEST_CUT_MM = 0.5  # about a pixel; what is written in whole millimetres is no better known
PARALLEL = 1e-6  # what floating point loses


@dataclass(frozen=True)
class Stack:
    """The grid of a series.

    Parameters
    ----------
    order : which image is which slice. affine : (4, 4), (i, j, k, 1) → LPS mm.
    at : (N,) where each image lies on the grid, in slices; None where all lie on it.
    warnings : what a person should know of it.
    """

    order: np.ndarray
    affine: np.ndarray
    at: np.ndarray | None
    warnings: tuple[str, ...]


def stack(headers: Sequence[Dataset], called: Sequence[str]) -> Stack:
    """Lay the images of one series, whose headers are settled and alike, onto an even grid.

    Raises
    ------
    VolumeError
        ``no-geometry``, ``duplicate-slices``, ``missing-slices``, ``gantry-tilt``, ``shifted-slices``.
    """
    along, down, normal = _axes(headers, called)
    places = [written(d, "ImagePositionPatient") for d in headers]
    place = np.array([[x.value for x in numbers] for numbers in places])
    positions = place @ normal
    order = np.argsort(positions, kind="stable")
    place, positions = place[order], positions[order]
    names = [called[i] for i in order]
    step = _check_gaps(positions, names)
    cut = cut_mm(places)
    shear = _shear(place, positions, normal, names, 2 * float(np.linalg.norm(cut)))
    row_mm, column_mm = (x.value for x in finest(headers, "PixelSpacing"))
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = along * column_mm, down * row_mm
    affine[:3, 2] = normal * step + shear
    affine[:3, 3] = place[0]
    warnings = []
    total = float(np.linalg.norm(shear)) * (len(order) - 1)
    if total > HARMLESS_MM:
        warnings.append(
            f"The slices are sheared against each other by {total:.1f} mm from the first to the last (a tilted gantry): the "
            "volume's axes are tilted with them."
        )
    at = (positions - positions[0]) / step
    off = np.abs(at - np.arange(len(at))) * step
    if off.max() <= HARMLESS_MM:
        return Stack(order, affine, None, tuple(warnings))
    gaps = np.diff(positions)
    if off.max() <= min(2 * float(np.abs(normal) @ cut), LARGEST_CUT_MM):
        warnings.append(
            f"{tag_name('ImagePositionPatient')} is written so coarsely that slices lie up to {off.max():.2f} mm beside an "
            f"even grid of {step:.3f} mm; the grid was taken."
        )
        return Stack(order, affine, None, tuple(warnings))
    warnings.append(
        f"Slices lie {gaps.min():.2f} to {gaps.max():.2f} mm apart, up to {off.max():.1f} mm beside an even grid: they were "
        f"resampled every {step:.3f} mm, linearly between neighbours, which blurs a little along the slices."
    )
    return Stack(order, affine, at, tuple(warnings))


def resampled(hu: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return slices on the even grid: each is mixed from the two images between which it lies.

    Parameters
    ----------
    hu : (N, rows, columns) int16, in order. at : (N,) where each lies, in slices of the grid, rising from 0 to N − 1.
    """
    out = np.empty_like(hu)
    for k in range(len(at)):
        above = int(np.clip(np.searchsorted(at, k), 1, len(at) - 1))
        share = np.float32(np.clip((k - at[above - 1]) / (at[above] - at[above - 1]), 0, 1))
        mixed = hu[above - 1] * (np.float32(1) - share) + hu[above] * share
        out[k] = np.rint(mixed)
    return out


def _axes(headers: Sequence[Dataset], called: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    turn = np.array([x.value for x in finest(headers, "ImageOrientationPatient")])
    along, down = turn[:3], turn[3:]
    lengths = np.linalg.norm(along), np.linalg.norm(down)
    if abs(along @ down) > RIGHT_ANGLE or max(abs(x - 1) for x in lengths) > UNIT:
        raise VolumeError(
            "no-geometry",
            f"{called[0]}: {tag_name('ImageOrientationPatient')} is not two unit vectors at right angles.",
            called[0],
        )
    return along, down, np.cross(along, down)


def _check_gaps(positions: np.ndarray, called: Sequence[str]) -> float:
    """Return the mean gap; refuse a place that is there twice, and a slice that is not there."""
    gaps = np.diff(positions)
    usual = float(np.median(gaps))
    if usual < PARALLEL or gaps.min() < max(PARALLEL, SAME_PLACE * usual):
        where = called[int(np.argmin(gaps)) + 1]
        raise VolumeError(
            "duplicate-slices",
            f"{where} lies at the same position as another image: send each slice once.",
            where,
        )
    i = int(gaps.argmax())
    if gaps[i] > GAP * usual and gaps[i] - usual > HARMLESS_MM:
        raise VolumeError(
            "missing-slices",
            f"About {max(1, round(gaps[i] / usual - 1))} slices are missing between {called[i]} and {called[i + 1]} "
            f"(a gap of {gaps[i]:.2f} mm where slices are {usual:.2f} mm apart): send the whole series.",
            called[i + 1],
        )
    return float(np.mean(gaps))


def _shear(
    place: np.ndarray, positions: np.ndarray, normal: np.ndarray, called: Sequence[str], written_off_mm: float
) -> np.ndarray:
    """Return by how much (LPS mm) each slice is shifted in its plane against the one before."""
    aside = place - place[0] - np.outer(positions - positions[0], normal)
    if np.linalg.norm(aside, axis=1).max() <= max(PARALLEL, min(written_off_mm, HARMLESS_MM)):
        return np.zeros(3)
    if np.linalg.norm(aside, axis=1).max() > LARGEST_SHEAR_MM:
        raise VolumeError(
            "gantry-tilt",
            "The slices are sheared against each other (gantry tilt): reconstruct the series without tilt.",
        )
    share = (positions - positions[0]) / (positions[-1] - positions[0])
    off = np.linalg.norm(aside - np.outer(share, aside[-1]), axis=1)
    if off.max() > max(HARMLESS_MM, min(written_off_mm, LARGEST_CUT_MM)):
        # The worst of a straight line through all: the last image itself may be the one that lies aside.
        line = np.polynomial.polynomial.polyvander(share, 1)
        left = aside - line @ np.linalg.lstsq(line, aside, rcond=None)[0]
        where = called[int(np.linalg.norm(left, axis=1).argmax())]
        raise VolumeError(
            "shifted-slices",
            f"{where} lies beside the other images, in its own plane: {tag_name('ImagePositionPatient')} of the series does "
            "not run in a straight line. Export the series again.",
            where,
        )
    return np.asarray(aside[-1] / (len(place) - 1))
