"""Files in a private folder: written beside, synchronised, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from plaquelab.storage.base import MissingFileError, check_path


class FolderStore:
    """A store in one folder; its folders have mode 0700, its files 0600.

    Parameters
    ----------
    root : the folder; made when it does not exist.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def _full(self, path: str) -> Path:
        return self.root / check_path(path)

    def put(self, path: str, data: bytes) -> None:
        """Store ``data`` whole or not at all: a temporary file in the same folder is renamed."""
        target = self._full(path)
        self._make(target.parent)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _make(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for part in reversed(missing):
            part.mkdir(mode=0o700, exist_ok=True)

    def get(self, path: str) -> bytes:
        """Return the bytes, or raise :class:`MissingFileError`."""
        with self.open(path) as file:
            return file.read()

    def open(self, path: str) -> BinaryIO:
        """Open for reading, or raise :class:`MissingFileError`."""
        try:
            return self._full(path).open("rb")
        except (FileNotFoundError, IsADirectoryError):
            raise MissingFileError(f"Nothing is stored under {path}.") from None

    def exists(self, path: str) -> bool:
        """Tell whether a file is stored there."""
        return self._full(path).is_file()

    def delete(self, path: str) -> None:
        """Remove the file; a missing one is fine."""
        self._full(path).unlink(missing_ok=True)

    def size(self, path: str) -> int:
        """Return the size in bytes, or raise :class:`MissingFileError`."""
        try:
            return self._full(path).stat().st_size
        except FileNotFoundError:
            raise MissingFileError(f"Nothing is stored under {path}.") from None
