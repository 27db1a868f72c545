"""What every store can do."""

from __future__ import annotations

import re
from typing import BinaryIO, Protocol

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class StorageError(Exception):
    """A file could not be stored or fetched. The text names the path and what to do."""


class MissingFileError(StorageError):
    """Nothing is stored under this path."""


class Store(Protocol):
    """Bytes under relative paths."""

    def put(self, path: str, data: bytes) -> None:
        """Store ``data`` whole or not at all; the same path again replaces it."""

    def get(self, path: str) -> bytes:
        """Return the bytes, or raise :class:`MissingFileError`."""

    def open(self, path: str) -> BinaryIO:
        """Open for reading, or raise :class:`MissingFileError`."""

    def exists(self, path: str) -> bool:
        """Tell whether something is stored there."""

    def delete(self, path: str) -> None:
        """Remove the file; a missing one is fine."""

    def size(self, path: str) -> int:
        """Return the size in bytes, or raise :class:`MissingFileError`."""


def check_path(path: str) -> str:
    """Return ``path`` when it is a plain relative one.

    Raises
    ------
    StorageError
        It is empty or absolute, or a part of it is hidden, upward or holds odd characters.
    """
    if not path or not all(_PART.fullmatch(part) for part in path.split("/")):
        raise StorageError(f"{path!r} is no storage path: use letters, digits, “._-” and single slashes.")
    return path
