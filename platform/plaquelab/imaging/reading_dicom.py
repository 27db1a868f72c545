"""Reading source DICOM without ever letting a value of it into a warning, a log or a message."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import config

from inference.errors import VolumeError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from inference.scan.values import Settled


class NotDicomError(Exception):
    """The file is no DICOM object."""


class DamagedDicomError(Exception):
    """The file begins as DICOM and cannot be read to its end; ``code`` and ``message`` say why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


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


def read_source(path: Path, called: str) -> tuple[Dataset, Settled]:
    """Read a source object whole, with every value of its header as its value representation promises.

    Parameters
    ----------
    path : the file. called : what messages call it.

    Returns
    -------
    the object, and what of its header had to be read otherwise, left out, or cannot be had although it is needed.

    Raises
    ------
    NotDicomError, DamagedDicomError
        Their texts hold nothing of the file.
    """
    from inference.scan.opening import open_image  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.scan.values import settle  # noqa: PLC0415

    try:
        source = open_image(path, called)
    except VolumeError as error:
        if error.code == "not-dicom":
            raise NotDicomError from error
        raise DamagedDicomError(error.code, str(error)) from error
    settled = settle(source, called, only=None, refuse=False)
    _complete_uids(source)
    return source, settled


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
