"""The study's secret key and what is derived from it: pseudonymous UIDs, keyed hashes, date offsets.

The key lies outside the database in ``settings.KEYS_DIR`` (mode 0600) and must be backed up apart from it.
"""

from __future__ import annotations

import hmac
import os
import secrets
import uuid
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from plaquelab.imaging.errors import MissingKeyError

if TYPE_CHECKING:
    from plaquelab.studies.models import Study

SMALLEST_OFFSET_DAYS = 365
OFFSET_RANGE_DAYS = 3285


def key_path(study: Study) -> Path:
    """Return where the study's key lies."""
    return Path(settings.KEYS_DIR) / f"study-{study.pk}.key"


def make_key(study: Study) -> Path:
    """Make the study's key unless it exists; called when the study is made."""
    path = key_path(study)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_hex(32))
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # Another process was first: its key is the key.
    finally:
        partial.unlink()
    return path


def study_key(study: Study) -> bytes:
    """Return the study's key.

    Raises
    ------
    MissingKeyError
        The study already has exams, but no key file is there: put it back from its backup.
    """
    path = key_path(study)
    if not path.exists():
        if study.exams.exists():
            raise MissingKeyError(f"The key file of study {study.pk} is missing: restore it from its backup.")
        make_key(study)
    return bytes.fromhex(path.read_text().strip())


def keyed_hash(key: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA256 of a source value; ``purpose`` keeps hashes of different things apart."""
    return hmac.new(key, f"{purpose}\0{value}".encode(), sha256).hexdigest()


def mapped_uid(key: bytes, uid: str) -> str:
    """Map a source UID to ``2.25.<integer of a UUID>`` (PS3.5 B.2), the same for the same key and UID."""
    digest = bytes.fromhex(keyed_hash(key, "uid", uid))[:16]
    return f"2.25.{uuid.UUID(bytes=digest, version=4).int}"


def date_offset_days(key: bytes, subject: str) -> int:
    """Return by how many days this subject's dates move (always into the past, 1 to 10 years)."""
    number = int(keyed_hash(key, "dates", subject)[:12], 16)
    return -(SMALLEST_OFFSET_DAYS + number % OFFSET_RANGE_DAYS)
