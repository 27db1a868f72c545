"""Reading source DICOM without ever letting a value of it into a warning, a log or a message."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import config, dcmread
from pydicom.errors import InvalidDicomError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


class NotDicomError(Exception):
    """The file is no DICOM object."""


class DamagedDicomError(Exception):
    """The file begins as DICOM and cannot be read to its end."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom: its warnings and log lines quote the values that it finds odd, and those may be names."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def read_source(path: Path) -> Dataset:
    """Read a source object whole.

    Raises
    ------
    NotDicomError, DamagedDicomError
        Their texts hold nothing of the file.
    """
    try:
        try:
            source = dcmread(path)
        except InvalidDicomError:
            # Some exports leave out the preamble; a data set says itself what it is.
            source = dcmread(path, force=True)
            if not source.get("SOPClassUID") or not source.get("SOPInstanceUID"):
                raise NotDicomError from None
        _complete_uids(source)
        for element in source.iterall():
            # Values are converted on first touch: what cannot be converted shows now, not halfway.
            _ = element.VR
    except NotDicomError:
        raise
    except Exception as error:
        if _has_preamble(path):
            raise DamagedDicomError from error
        raise NotDicomError from error
    return source


def _complete_uids(source: Dataset) -> None:
    """Fill UIDs that an earlier anonymisation emptied, from what still tells images and series apart.

    The values stand in for source UIDs only: they are mapped with the study's key before anything is stored.
    """
    meta = getattr(source, "file_meta", None) or {}
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if not source.get(keyword) and meta.get(f"MediaStorage{keyword}"):
            setattr(source, keyword, meta[f"MediaStorage{keyword}"].value)
    frame = source.get("FrameOfReferenceUID")
    if frame and not source.get("SeriesInstanceUID"):
        parts = (frame, *(source.get(name, "") for name in ("SeriesDate", "SeriesTime", "SeriesNumber")))
        source.SeriesInstanceUID = "series|" + "|".join(str(part) for part in parts)
    if frame and not source.get("StudyInstanceUID"):
        source.StudyInstanceUID = f"study|{frame}|{source.get('StudyDate', '')}"


def _has_preamble(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(128)
        return stream.read(4) == b"DICM"
