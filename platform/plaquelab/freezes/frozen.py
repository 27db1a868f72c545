"""Opening a freeze that lies in the store: a local copy, hashes checked, kept open for the next page."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from plaquelab.errors import Refusal
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.storage import StorageError, store

if TYPE_CHECKING:
    from analytics.freeze import Freeze


class NotFrozenError(Refusal):
    """A freeze without content was asked for."""

    code = "not-frozen"
    status = 404


def open_freeze(freeze: DatasetFreeze) -> Freeze:
    """Return a frozen set's tables (``analytics.freeze.Freeze``). Who may see it was decided by the selectors.

    Raises
    ------
    NotFrozenError
        It was never frozen.
    StorageError
        A file is missing from the store.
    AnalyticsError
        A file was changed after the freeze was made.
    """
    if not freeze.is_locked:
        raise NotFrozenError(f"Freeze {freeze.number} is “{freeze.state}”: it has no content yet.")
    # One folder a study and hash: two processes that copy at once make the same bytes.
    folder = Path(settings.DATA_DIR) / "cache" / "freezes" / f"{freeze.study_id}-{freeze.hash}"
    if not folder.exists():
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            copy_freeze(freeze, folder)
    return _opened(str(folder))


@lru_cache(maxsize=8)
def _opened(folder: str) -> Freeze:
    from analytics.freeze import read_freeze  # noqa: PLC0415  loads pandas, and every command loads this module

    return read_freeze(Path(folder))


def copy_freeze(freeze: DatasetFreeze, out: Path) -> None:
    """Copy a freeze's files into a new folder, which appears whole; of several who copy at once, one is first.

    Raises
    ------
    StorageError
        A file is missing.
    FileExistsError
        The folder exists.
    """
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for name in freeze.files:
            target = part / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store().get(f"{freeze.folder}/{name}"))
        if out.exists():
            raise FileExistsError(str(out))
        try:
            part.rename(out)
        except OSError as error:  # somebody else's copy, not empty, is there since
            raise FileExistsError(str(out)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def freezes_match() -> Iterator[str]:
    """Name each freeze whose stored files are no longer what was frozen (a check of ``audit_verify``)."""
    from analytics.freeze.manifest import whole_hash  # noqa: PLC0415  loads pandas, and every command loads this module

    locked = DatasetFreeze.objects.filter(
        state__in=(DatasetFreeze.State.FROZEN, DatasetFreeze.State.RELEASED)
    ).select_related("study")
    for freeze in locked.order_by("pk").iterator(50):
        where = f"study {freeze.study.slug}, freeze {freeze.number}"
        try:
            manifest = json.loads(store().get(f"{freeze.folder}/manifest.json"))
            hashes = {entry["file"]: entry["sha256"] for entry in manifest["tables"].values()}
            hashes |= {f"panels/{name}": digest for name, digest in manifest["panels"].items()}
            hashes["dictionary.json"] = manifest["dictionary"]
            altered = [
                name
                for name, digest in sorted(hashes.items())
                if hashlib.sha256(store().get(f"{freeze.folder}/{name}")).hexdigest() != digest
            ]
        except (StorageError, ValueError, KeyError, TypeError) as error:
            yield f"{where}: it cannot be read: {error}"
            continue
        if whole_hash(manifest) != freeze.hash or manifest.get("hash") != freeze.hash:
            yield f"{where}: its manifest is no longer what was frozen."
        elif altered:
            yield f"{where}: {altered[0]} was altered after freezing."
