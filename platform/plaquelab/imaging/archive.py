"""Unpacking zip archives of strangers: nothing above the folder, no links, no bombs, no archives within.

Members are named by running number; their names are looked at for safety only and never kept.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from plaquelab.imaging.errors import ImportRejected

CHUNK = 1 << 20
LARGEST_RATIO = 200
RATIO_COUNTS_FROM = 64 << 20
LOCAL_HEADER, EMPTY_ARCHIVE = b"PK\x03\x04", b"PK\x05\x06"


@dataclass(frozen=True)
class SourceFile:
    """A file on disk that came in an upload: the file itself, or member ``member`` of archive ``file_index``."""

    path: Path = field(repr=False)
    file_index: int
    member: int | None = None

    @property
    def label(self) -> str:
        """Return what a message calls the file: its number, never its name."""
        return (
            f"file {self.file_index}"
            if self.member is None
            else f"member {self.member} of file {self.file_index}"
        )


def is_archive(path: Path) -> bool:
    """Tell by the first bytes whether this is a zip archive."""
    with path.open("rb") as stream:
        return stream.read(4) in (LOCAL_HEADER, EMPTY_ARCHIVE)


def unpack(
    source: SourceFile, *, into: Path, max_bytes: int, max_files: int, tick: Callable[[float], None]
) -> list[SourceFile]:
    """Unpack an archive into ``into`` and return its members.

    Raises
    ------
    ImportRejected
        The archive is empty, damaged, encrypted, too large, nested, or has links or paths that lead upward.
    """
    where = {"file_index": source.file_index}
    try:
        with zipfile.ZipFile(source.path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check_members(infos, max_bytes=max_bytes, max_files=max_files, file_index=source.file_index)
            into.mkdir(mode=0o700, parents=True, exist_ok=True)
            found, budget = [], max_bytes
            for number, info in enumerate(infos):
                target = into / f"{source.file_index:06d}-{number:06d}"
                budget -= _unpack_member(
                    archive, info, target=target, budget=budget, file_index=source.file_index
                )
                if is_archive(target):
                    raise ImportRejected(
                        "nested-archive",
                        "There is an archive inside the archive: unpack it and send its files.",
                        file_index=source.file_index,
                        member=number,
                    )
                found.append(SourceFile(path=target, file_index=source.file_index, member=number))
                tick((number + 1) / len(infos))
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ImportRejected(
            "damaged-archive",
            "The archive is damaged or packed in an unusual way: pack it again as a plain zip and send it again.",
            **where,
        ) from error


def _check_members(infos: list[zipfile.ZipInfo], *, max_bytes: int, max_files: int, file_index: int) -> None:
    """Refuse by the archive's own table of contents before a byte is written."""
    if not infos:
        raise ImportRejected(
            "empty-archive", "The archive is empty: there is no file in it.", file_index=file_index
        )
    if len(infos) > max_files:
        raise ImportRejected(
            "too-many-files",
            f"The archive has {len(infos)} files, more than the {max_files} allowed: send one examination at a time.",
            file_index=file_index,
        )
    for number, info in enumerate(infos):
        here = {"file_index": file_index, "member": number}
        name = info.orig_filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or (len(name) > 1 and name[1] == ":"):
            raise ImportRejected(
                "archive-path-upward",
                "The archive has a path that leads out of its own folder. It was refused whole: pack the folder again.",
                **here,
            )
        mode = info.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise ImportRejected(
                "archive-link", "The archive has a link or a special file. Pack plain files only.", **here
            )
        if info.flag_bits & 0x1:
            raise ImportRejected(
                "encrypted-archive", "The archive is encrypted: send it without a password.", **here
            )
    total = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if total > max_bytes or (total > RATIO_COUNTS_FROM and total > LARGEST_RATIO * max(packed, 1)):
        raise ImportRejected(
            "archive-too-large",
            f"Unpacked, the archive has {total / 2**20:.0f} MiB, more than is allowed or believable: "
            "send one examination at a time.",
            file_index=file_index,
        )


def _unpack_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, target: Path, budget: int, file_index: int
) -> int:
    """Write one member and return its true size, which the table of contents may have understated."""
    written = 0
    with (
        archive.open(info) as stream,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out,
    ):
        while piece := stream.read(CHUNK):
            written += len(piece)
            if written > budget:
                raise ImportRejected(
                    "archive-too-large",
                    "The archive unpacks to more than is allowed: send one examination at a time.",
                    file_index=file_index,
                )
            out.write(piece)
    return written
