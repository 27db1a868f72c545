"""One small hierarchy: what was wrong, where, and what to do, in words for a person."""

from __future__ import annotations


class InferenceError(Exception):
    """An input that cannot be analysed.

    Parameters
    ----------
    code : short kebab-case name, stable, for machines.
    message : what was wrong and what to do, without identifiers.
    where : file, tag or row, where one can be named.
    """

    def __init__(self, code: str, message: str, where: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.where = where


class VolumeError(InferenceError):
    """A DICOM series that cannot become a volume."""


class CentrelineError(InferenceError):
    """A centreline that cannot be read or found."""


class StraighteningError(InferenceError):
    """A vessel that cannot be straightened."""


class ContourError(InferenceError):
    """Contours that contradict themselves."""


class QuantificationError(InferenceError):
    """A measurement that cannot be made."""


class DicomObjectError(InferenceError):
    """A segmentation or report that cannot be written or read."""


class RefusedScan(InferenceError):  # noqa: N818 - the scan is refused; nothing went wrong
    """A scan that cannot carry an analysis; no number is given for it."""
