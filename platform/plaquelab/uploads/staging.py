"""Where original bytes lie for a short time: one private folder a session, files named by running number."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from plaquelab.uploads.errors import UploadError

CHUNK = 1 << 20


def session_folder(session_id: UUID) -> Path:
    """Return the session's folder (it may not exist)."""
    return Path(settings.STAGING_DIR) / str(session_id)


def files_folder(session_id: UUID) -> Path:
    """Return the folder of the session's received files, made with mode 0700."""
    folder = session_folder(session_id) / "files"
    for part in (Path(settings.STAGING_DIR), folder.parent, folder):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.chmod(0o700)
    return folder


def file_path(session_id: UUID, index: int) -> Path:
    """Return the path of a received file: its running number, nothing of its name."""
    return session_folder(session_id) / "files" / f"{index:06d}"


def chunks_of(stream: object) -> Iterator[bytes]:
    """Read a binary stream piece by piece."""
    while piece := stream.read(CHUNK):  # type: ignore[attr-defined]
        yield piece


def write_file(*, session_id: UUID, index: int, pieces: Iterator[bytes], size: int) -> str:
    """Write one file whole or not at all and return its SHA-256.

    Raises
    ------
    UploadError
        More or fewer bytes came than were announced.
    """
    target = files_folder(session_id) / f"{index:06d}"
    part = target.with_suffix(".part")
    digest, written = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            for piece in pieces:
                written += len(piece)
                if written > size:
                    raise UploadError(
                        "file-too-large", f"More than the announced {size} bytes arrived: send it again."
                    )
                digest.update(piece)
                out.write(piece)
        if written != size:
            raise UploadError(
                "file-incomplete",
                f"Only {written} of {size} bytes arrived: the connection broke, send it again.",
            )
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


def erase(session_id: UUID) -> None:
    """Erase everything that the session left on disk."""
    folder = session_folder(session_id)
    if folder.exists():
        shutil.rmtree(folder)
