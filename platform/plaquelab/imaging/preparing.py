"""From chosen slices to de-identified files and a checked volume, all in the job's private work folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from inference.errors import InferenceError
from plaquelab.imaging.archive import SourceFile, is_archive, unpack
from plaquelab.imaging.deidentify import Deidentifier
from plaquelab.imaging.errors import ImportRejected
from plaquelab.imaging.facts import acquisition_facts
from plaquelab.imaging.keys import keyed_hash
from plaquelab.imaging.pixels import PixelError, make_native
from plaquelab.imaging.reading_dicom import read_source
from plaquelab.imaging.screening import Finding, screen
from plaquelab.imaging.selection import Chosen

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from inference.scan import Volume

Tick = Callable[[float], None]
IMPLEMENTATION_CLASS_UID = "2.25.302135498741032895710427369818052763041"


@dataclass(frozen=True)
class PreparedImage:
    """One de-identified image on disk; ``label`` is what messages call it."""

    path: Path
    uid: str
    source_key: str = field(repr=False)
    number: int
    sha256: str
    label: str


@dataclass(frozen=True)
class Prepared:
    """A de-identified series: its files, its volume and what is known about it."""

    images: tuple[PreparedImage, ...]
    volume: Volume
    study_uid: str
    series_uid: str
    facts: dict[str, Any]
    actions: dict[str, dict[str, int]]
    offset_hash: str
    header_notes: tuple[str, ...] = ()


def gather(
    files: list[SourceFile], *, work: Path, max_bytes: int, max_files: int, tick: Tick
) -> tuple[list[Finding], int]:
    """Unpack archives and look at every file once.

    Returns
    -------
    findings, and how many archives there were.
    """
    sources: list[SourceFile] = []
    archives = 0
    for source in files:
        if is_archive(source.path):
            archives += 1
            budget = max_files - len(sources)
            sources += unpack(
                source,
                into=work / "unpacked",
                max_bytes=max_bytes,
                max_files=budget,
                tick=lambda p: tick(0.3 * p),
            )
        else:
            sources.append(source)
    findings = []
    for number, source in enumerate(sources):
        findings.append(screen(source))
        if number % 10 == 0:
            tick(0.3 + 0.7 * number / len(sources))
    return findings, archives


def deidentify_series(
    chosen: Chosen, *, work: Path, key: bytes, subject_key: str, pseudonym: str, tick: Tick
) -> tuple[list[PreparedImage], Dataset, Deidentifier, tuple[str, ...]]:
    """Write every chosen slice de-identified as Explicit VR Little Endian into ``work/clean``.

    Returns
    -------
    images, the first of them, who de-identified them, and sentences about header values that are not as DICOM has them.

    Raises
    ------
    ImportRejected
        Pixels cannot be decoded, or a header cannot be read.
    """
    from inference.scan.values import Settled, number  # noqa: PLC0415  as below

    cleaner = Deidentifier(key=key, subject=subject_key, pseudonym=pseudonym)
    folder = work / "clean"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    images: list[PreparedImage] = []
    first: Dataset | None = None
    settled = Settled()
    for place, finding in enumerate(chosen.slices):
        source, read = read_source(finding.source.path, finding.source.label)
        settled.add(read)
        try:
            make_native(source)
        except PixelError as error:
            raise ImportRejected(
                error.code, str(error), file_index=finding.source.file_index, member=finding.source.member
            ) from error
        clean = cleaner.apply(source)
        if not clean.get("SOPClassUID") or not clean.get("SOPInstanceUID"):
            raise ImportRejected(
                "no-uid",
                f"{finding.source.label}: its SOP Class or Instance UID cannot be read: export the image again.",
                file_index=finding.source.file_index,
                member=finding.source.member,
            )
        path = folder / f"{place:06d}.dcm"
        write_clean(clean, path)
        first = clean if first is None else first
        images.append(
            PreparedImage(
                path=path,
                uid=str(clean.SOPInstanceUID),
                source_key=keyed_hash(key, "sop", finding.sop_uid),
                number=int(number(clean, "InstanceNumber") or place + 1),
                sha256=sha256(path.read_bytes()).hexdigest(),
                label=finding.source.label,
            )
        )
        if place % 5 == 0:
            tick(place / len(chosen.slices))
    if first is None:
        raise ImportRejected("no-ct-images", "There is no CT image in this upload.")
    return images, first, cleaner, tuple(settled.sentences())


def write_clean(image: Dataset, path: Path) -> None:
    """Write a de-identified image with a new file meta header and an empty preamble."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = image.SOPClassUID
    meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = "PLAQUELAB_1"
    image.file_meta = meta
    image.preamble = b"\0" * 128
    image.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=True)
    path.chmod(0o600)


def build_volume(images: list[PreparedImage]) -> Volume:
    """Read the volume back from the de-identified files, with every check of its geometry.

    Raises
    ------
    ImportRejected
        Missing slices, mixed geometry and whatever else the reader names.
    """
    from inference.scan import read_series  # noqa: PLC0415  loads SciPy and numba, which few pages need

    try:
        return read_series([image.path for image in images], name=lambda place: images[place].label)
    except InferenceError as error:
        raise ImportRejected(error.code, str(error)) from error


def prepare(
    chosen: Chosen,
    *,
    work: Path,
    key: bytes,
    subject_key: str,
    pseudonym: str,
    tick: Tick,
    validating: Callable[[], None],
) -> Prepared:
    """De-identify the chosen series, then read and check its volume; ``validating`` is called in between."""
    images, first, cleaner, header_notes = deidentify_series(
        chosen, work=work, key=key, subject_key=subject_key, pseudonym=pseudonym, tick=tick
    )
    validating()
    volume = build_volume(images)
    return Prepared(
        images=tuple(sorted(images, key=lambda image: (image.number, image.uid))),
        volume=volume,
        study_uid=str(first.get("StudyInstanceUID", "")),
        series_uid=str(first.SeriesInstanceUID),
        facts=acquisition_facts(first, volume.metadata),
        actions=cleaner.report(),
        offset_hash=cleaner.offset_hash,
        header_notes=header_notes,
    )
