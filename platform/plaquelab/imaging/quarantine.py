"""Objects that are no plain CT image: kept apart as they came, decided by a person, erased after seven days."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.imaging.models import ImportJob, Quarantine
from plaquelab.imaging.screening import Finding
from plaquelab.imaging.transitions import QUARANTINE

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


def folder_of(job_id: int) -> Path:
    """Return where a job's quarantined objects lie."""
    return Path(settings.QUARANTINE_DIR) / str(job_id)


def _path(job_id: int, file_index: int, member: int | None) -> Path:
    return folder_of(job_id) / f"{file_index:06d}-{'file' if member is None else f'{member:06d}'}"


def hold_files(*, job: ImportJob, findings: Sequence[Finding]) -> None:
    """Copy objects into quarantine; doing it again overwrites the same files."""
    if not findings:
        return
    folder = folder_of(job.pk)
    for part in (folder.parent, folder):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.chmod(0o700)
    for finding in findings:
        target = _path(job.pk, finding.source.file_index, finding.source.member)
        shutil.copyfile(finding.source.path, target)
        target.chmod(0o600)


def hold_rows(*, job: ImportJob, findings: Sequence[Finding]) -> None:
    """Record what is held, in the transaction that ends the import."""
    for finding in findings:
        Quarantine.objects.create(
            study=job.study,
            job=job,
            file_index=finding.source.file_index,
            member=finding.source.member,
            code=finding.code,
            message=finding.message,
            size=finding.source.path.stat().st_size,
        )
    if findings:
        audit.record(
            verb="quarantine.hold", obj=job, by=None, study=job.study, after={"objects": len(findings)}
        )


def reject(*, held: Quarantine, by: User, reason: str) -> Quarantine:
    """Erase a held object for good, with a reason."""
    _end(held, "reject", by=by, reason=reason)
    return held


def expire_quarantine() -> int:
    """Erase what nobody decided on within the limit, and folders that no row speaks of."""
    limit = timezone.now() - timedelta(days=settings.STAGING_DAYS)
    count = 0
    for held in Quarantine.objects.filter(state=Quarantine.State.HELD, held_at__lt=limit):
        _end(held, "expire", by=None, reason=f"undecided for {settings.STAGING_DAYS} days")
        count += 1
    root = Path(settings.QUARANTINE_DIR)
    for folder in sorted(root.iterdir()) if root.exists() else []:
        running = (
            ImportJob.objects.filter(pk=folder.name, finished_at__isnull=True)
            if folder.name.isdigit()
            else None
        )
        if running is None or running.exists():
            continue
        if not Quarantine.objects.filter(job_id=int(folder.name), state=Quarantine.State.HELD).exists():
            shutil.rmtree(folder)
            count += 1
    return count


def erase_job(job_id: int) -> None:
    """Erase everything that a job put into quarantine (the import was rejected or failed)."""
    folder = folder_of(job_id)
    if folder.exists():
        shutil.rmtree(folder)


def _end(held: Quarantine, event: str, *, by: User | None, reason: str) -> None:
    fields = {"decided_at": timezone.now(), "decided_by": by}
    QUARANTINE.apply(held, event, by=by, reason=reason, fields=fields)
    _path(held.job_id, held.file_index, held.member).unlink(missing_ok=True)
