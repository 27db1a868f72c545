"""Files named by what they hold: written once, and made only where nothing is stored under their name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from plaquelab.storage import store


@dataclass(frozen=True)
class StoredFile:
    """A file that lies in the store, with what its row will say; ``sha256`` is that of the stored bytes."""

    kind: str
    path: str
    sha256: str
    size: int


def _path(folder: str, kind: str, content: str, suffix: str) -> str:
    return f"{folder}/{kind}-{content[:16]}{suffix}"


def put_file(*, folder: str, kind: str, suffix: str, data: bytes) -> StoredFile:
    """Store bytes under ``folder/kind-<hash>suffix`` unless just these are there already; a damaged file is replaced."""
    digest = hashlib.sha256(data).hexdigest()
    path = _path(folder, kind, digest, suffix)
    files = store()
    if not files.exists(path) or files.get(path) != data:
        files.put(path, data)
    return StoredFile(kind=kind, path=path, sha256=digest, size=len(data))


def put_made(*, folder: str, kind: str, suffix: str, content: str, make: Callable[[], bytes]) -> StoredFile:
    """Store a file that takes time to make (to compress) unless it is there already.

    What is there is taken as it is found, because another version of the compressor may have made other bytes of the
    same content. Damage that happened before is found where the format has a checksum of its own (npz has, a slab has
    not); whatever happens later is found by the row's hash.

    Parameters
    ----------
    content : hash of what the file holds, before it is compressed; its beginning names the file.
    make : returns the file's bytes; called only where nothing is stored under that name.
    """
    path = _path(folder, kind, content, suffix)
    files = store()
    if files.exists(path):
        data = files.get(path)
    else:
        data = make()
        files.put(path, data)
    return StoredFile(kind=kind, path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
