"""What imaging does when an upload is complete, and when a worker starts."""

from __future__ import annotations

from typing import Any

from plaquelab.imaging import services
from plaquelab.imaging.tasks import expire_files
from plaquelab.uploads.models import UploadSession


def import_upload(*, session: UploadSession, **_: Any) -> None:
    """Queue the import of what was sent."""
    services.start_import(session=session)


def expire_at_start(**_: Any) -> None:
    """Erase abandoned files once a worker starts: no other clock runs in an embedded installation."""
    expire_files.delay()
