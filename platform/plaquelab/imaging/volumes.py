"""The HU volume of an exam: its file, its slabs for the viewer, and what its row says of its geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from plaquelab.imaging.models import CtSlab, Exam, Volume
from plaquelab.imaging.slabs import put_slabs
from plaquelab.storage import store
from plaquelab.storage.content import StoredFile

if TYPE_CHECKING:
    from inference.scan import Volume as Scan


@dataclass(frozen=True)
class StoredVolume:
    """A volume whose files lie in the store and whose rows are still to be written."""

    path: str
    sha256: str
    geometry: dict[str, Any]
    slabs: tuple[StoredFile, ...]


def geometry_of(volume: Scan) -> dict[str, Any]:
    """Return what a volume's row says of it: ``affine`` (index → LPS mm), ``shape``, ``warnings``, ``volume_sha256``."""
    return {
        "affine": [[float(value) for value in row] for row in volume.affine],
        "shape": [int(size) for size in volume.hu.shape],
        "warnings": list(volume.warnings),
        "volume_sha256": volume.content_sha256,
    }


def put_volume(volume: Scan, *, study_id: int, tick: Callable[[float], None]) -> StoredVolume:
    """Store a volume and its slabs. Paths hold the content's hash: doing it again changes nothing."""
    data = volume.to_bytes()
    digest = sha256(data).hexdigest()
    path = f"studies/{study_id}/volumes/{digest}.npz"
    files = store()
    if not files.exists(path):
        files.put(path, data)
    folder = f"studies/{study_id}/slabs/{volume.content_sha256[:16]}"
    slabs = put_slabs(volume.hu, folder=folder, tick=tick)
    return StoredVolume(path=path, sha256=digest, geometry=geometry_of(volume), slabs=slabs)


def write_volume(*, exam: Exam, stored: StoredVolume) -> Volume:
    """Write the rows of a stored volume; call it in the transaction that registers the exam."""
    made = Volume.objects.create(exam=exam, path=stored.path, sha256=stored.sha256, geometry=stored.geometry)
    _write_slabs(made, stored.slabs)
    return made


def _write_slabs(volume: Volume, slabs: Iterable[StoredFile]) -> None:
    CtSlab.objects.bulk_create(
        (
            CtSlab(volume=volume, index=index, path=file.path, sha256=file.sha256, size=file.size)
            for index, file in enumerate(slabs)
        ),
        ignore_conflicts=True,  # two runs of one exam may both find that it has none
    )


def complete_slabs(*, exam: Exam, volume: Scan) -> None:
    """Make the slabs of an exam that was registered before registration made them; others are left as they are."""
    row = exam.volume
    if not row.slabs.exists():
        folder = f"studies/{exam.study_id}/slabs/{volume.content_sha256[:16]}"
        _write_slabs(row, put_slabs(volume.hu, folder=folder, tick=lambda _: None))
