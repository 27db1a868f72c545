"""The CT for the viewer: slabs of slices, coded so that a browser can undo it fast and a codec packs it well.

A slab of int16 HU (slices, rows, columns) becomes: differences along the columns (the first column as it is),
zigzag to uint16 (0, −1, 1, −2 … → 0, 1, 2, 3 …), then all low bytes followed by all high bytes. Differences
wrap modulo 2¹⁶, so that every int16 survives. The bytes are then compressed with zstandard; a browser that
does not take zstandard gets gzip, made once when it is first asked for. Slabs are made when an exam is registered.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import zstandard

from plaquelab.storage import store
from plaquelab.storage.content import StoredFile, put_made

SLICES = 25
ZSTD_LEVEL = 3
GZIP_LEVEL = 4


@dataclass(frozen=True)
class Slab:
    """Which slices a slab holds: ``count`` from ``first``."""

    index: int
    first: int
    count: int

    @property
    def kind(self) -> str:
        """What the slab's file is called."""
        return f"ct-slab-{self.index:03d}"


def slabs_of(slices: int) -> list[Slab]:
    """Divide a volume's slices into slabs of at most 25."""
    return [
        Slab(index, first, min(SLICES, slices - first))
        for index, first in enumerate(range(0, slices, SLICES))
    ]


def encode(hu: np.ndarray) -> bytes:
    """Code int16 HU of shape (slices, rows, columns); see the module's text.

    Raises
    ------
    ValueError
        The array is not int16 or has not three axes.
    """
    if hu.dtype != np.int16 or hu.ndim != 3:
        raise ValueError(f"A slab is int16 with three axes, not {hu.dtype} with {hu.ndim}.")
    difference = (
        hu.view(np.uint16).copy() if hu.flags.c_contiguous else np.ascontiguousarray(hu).view(np.uint16)
    )
    difference[..., 1:] -= np.ascontiguousarray(hu).view(np.uint16)[..., :-1]
    signed = difference.view(np.int16)
    zigzag = ((signed << 1) ^ (signed >> 15)).view(np.uint16)
    low = (zigzag & 0xFF).astype(np.uint8)
    high = (zigzag >> 8).astype(np.uint8)
    return low.tobytes() + high.tobytes()


def decode(data: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """Undo :func:`encode`: int16 HU of the given shape (slices, rows, columns)."""
    count = shape[0] * shape[1] * shape[2]
    if len(data) != 2 * count:
        raise ValueError(f"{len(data)} bytes are not {2 * count}, as a slab of shape {shape} has.")
    raw = np.frombuffer(data, np.uint8)
    zigzag = (raw[:count].astype(np.uint16) | (raw[count:].astype(np.uint16) << 8)).reshape(shape)
    difference = (zigzag >> 1) ^ (np.uint16(0) - (zigzag & 1))
    return np.cumsum(difference, axis=2, dtype=np.uint16).view(np.int16)


def compress(data: bytes) -> bytes:
    """Compress with zstandard."""
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(data)


def put_slabs(hu: np.ndarray, *, folder: str, tick: Callable[[float], None]) -> tuple[StoredFile, ...]:
    """Store a volume's slabs under names that hold their content, and return them in order.

    Parameters
    ----------
    hu : int16, (slices, rows, columns). folder : where they are to lie. tick : called with the share that is done.
    """
    stored = []
    slabs = slabs_of(len(hu))
    for slab in slabs:
        part = np.ascontiguousarray(hu[slab.first : slab.first + slab.count])
        content = hashlib.sha256(repr(part.shape).encode() + part.tobytes()).hexdigest()
        make = partial(_packed, part)
        stored.append(put_made(folder=folder, kind=slab.kind, suffix=".zst", content=content, make=make))
        tick((slab.index + 1) / len(slabs))
    return tuple(stored)


def _packed(hu: np.ndarray) -> bytes:
    return compress(encode(hu))


def stored_bytes(path: str, *, accept_encoding: str) -> tuple[bytes, str]:
    """Return a stored slab as the browser takes it.

    Parameters
    ----------
    path : where the slab lies. accept_encoding : the request's ``Accept-Encoding``.

    Returns
    -------
    (bytes, value of ``Content-Encoding``)
    """
    offered = {part.split(";")[0].strip().lower() for part in accept_encoding.split(",")}
    files = store()
    if "zstd" in offered:
        return files.get(path), "zstd"
    zipped = path.removesuffix(".zst") + ".gz"
    if not files.exists(zipped):
        plain = zstandard.ZstdDecompressor().decompress(files.get(path))
        files.put(zipped, gzip.compress(plain, GZIP_LEVEL, mtime=0))
    return files.get(zipped), "gzip"
