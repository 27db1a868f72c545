"""Where files live: a folder (embedded) or an S3-compatible bucket (production), by the same paths.

Content is immutable: a path contains the hash of what it holds, so that writing twice is harmless and a
reader never sees half a file.
"""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from plaquelab.storage.base import MissingFileError, StorageError, Store, check_path
from plaquelab.storage.folder import FolderStore

__all__ = ["MissingFileError", "StorageError", "Store", "check_path", "store"]


def store() -> Store:
    """Return the store that the settings name.

    Raises
    ------
    StorageError
        ``FILE_STORE`` is neither ``folder`` nor ``s3``.
    """
    if settings.FILE_STORE == "folder":
        return FolderStore(settings.FILES_DIR)
    if settings.FILE_STORE == "s3":
        return _s3(settings.S3_BUCKET, settings.S3_ENDPOINT_URL)  # type: ignore[misc]  # production only
    raise StorageError(f"FILE_STORE is {settings.FILE_STORE!r}: set it to “folder” or “s3”.")


@lru_cache(maxsize=4)
def _s3(bucket: str, endpoint_url: str | None) -> Store:
    """Keep one client a bucket: making one costs a second."""
    from plaquelab.storage.s3 import S3Store  # noqa: PLC0415  needs boto3, which only production has a use for

    return S3Store(bucket=bucket, endpoint_url=endpoint_url)
