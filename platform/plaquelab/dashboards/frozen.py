"""Opening a freeze that lies in the store: a local copy, hashes checked, kept open for the next page."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from plaquelab.dashboards.freezing import copy_freeze
from plaquelab.dashboards.models import DatasetFreeze

if TYPE_CHECKING:
    from analytics.freeze import Freeze


class NotFrozenError(Exception):
    """A freeze without content was asked for. The text is for a person."""


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
    from analytics.freeze import read_freeze

    return read_freeze(Path(folder))
