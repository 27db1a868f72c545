"""Planes stand as people expect: patient right on the left of the screen, head up, at one scale."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest

from inference.scan import Volume
from plaquelab.imaging.planes import LETTERS, orient, plane_hu, render
from plaquelab.imaging.png import grey_png


def _volume(axes: str = "LPS", spacing: tuple[float, float, float] = (0.5, 0.5, 1.0)) -> Volume:
    """A volume with a bright voxel block at the patient's left, back and head corner, stored along ``axes``."""
    # Build in head, back, left order first; then store along the wanted index axes i, j, k.
    hu = np.full((6, 8, 10), -1000, np.int16)  # S, P, L
    hu[-2:, -3:, -4:] = 1000
    patient = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
    order = [patient[axis] for axis in axes]  # patient axis of i, j, k
    stored = hu.transpose(2 - order[2], 2 - order[1], 2 - order[0])
    for index, axis in enumerate(axes):
        if axis in "RAI":
            stored = np.flip(stored, axis=2 - index)
    affine = np.eye(4)
    affine[:3, :3] = 0
    for index, axis in enumerate(axes):
        affine[order[index], index] = spacing[index] * (-1 if axis in "RAI" else 1)
    return Volume(hu=np.ascontiguousarray(stored), affine=affine)


@pytest.mark.parametrize("axes", ["LPS", "LPI", "RAS", "RPS", "LSA", "LIP", "PSL", "SLP"])
def test_left_back_head_is_where_it_belongs_however_it_is_stored(axes: str) -> None:
    oriented = orient(_volume(axes))
    axial = plane_hu(oriented, "axial", oriented.count("axial") - 1)
    assert axial[-1, -1] == 1000  # bottom is the back, the screen's right is the patient's left
    assert axial[0, 0] == axial[-1, 0] == axial[0, -1] == -1000
    coronal = plane_hu(oriented, "coronal", oriented.count("coronal") - 1)
    assert coronal[0, -1] == 1000  # top is the head
    assert coronal[-1, -1] == coronal[0, 0] == -1000
    sagittal = plane_hu(oriented, "sagittal", oriented.count("sagittal") - 1)
    assert sagittal[0, -1] == 1000  # the screen's right is the back
    assert sagittal[0, 0] == sagittal[-1, -1] == -1000
    assert [oriented.count(name) for name in LETTERS] == [6, 8, 10]


def test_letters_say_the_same_as_the_pixels() -> None:
    assert LETTERS["axial"] == ("R", "L", "A", "P")
    assert LETTERS["coronal"] == ("R", "L", "H", "F")
    assert LETTERS["sagittal"] == ("A", "P", "H", "F")


def test_one_scale_in_both_directions() -> None:
    oriented = orient(_volume(spacing=(0.5, 0.5, 1.5)))
    assert oriented.spacing == (1.5, 0.5, 0.5)
    assert render(oriented, "axial", 0, window=2000, level=0).shape == (8, 10)
    assert render(oriented, "coronal", 0, window=2000, level=0).shape == (18, 10)
    assert render(oriented, "sagittal", 0, window=2000, level=0).shape == (18, 8)


def test_window_and_level() -> None:
    oriented = orient(_volume())
    pixels = render(oriented, "axial", 5, window=4000, level=0)
    assert pixels[0, 0] == 64  # -1000 HU is a quarter of the way
    assert pixels[-1, -1] == 191
    assert set(np.unique(render(oriented, "axial", 5, window=100, level=0))) == {0, 255}


def test_a_tilt_is_measured() -> None:
    volume = _volume()
    angle = np.radians(7.0)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert orient(Volume(hu=volume.hu, affine=turn @ volume.affine)).tilt_degrees == pytest.approx(7.0)
    assert orient(volume).tilt_degrees == pytest.approx(0.0)


def test_the_png_holds_the_pixels() -> None:
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    data = grey_png(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (7, 5)
    start = data.index(b"IDAT") + 4
    length = struct.unpack(">I", data[start - 8 : start - 4])[0]
    lines = np.frombuffer(zlib.decompress(data[start : start + length]), np.uint8).reshape(5, 8)
    assert (lines[:, 0] == 0).all()
    assert (lines[:, 1:] == pixels).all()
    from PIL import Image

    assert (np.asarray(Image.open(io.BytesIO(data))) == pixels).all()
