"""Looking at every received file once: a CT slice, something for quarantine, or an error to tell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from plaquelab.imaging.archive import SourceFile
from plaquelab.imaging.reading_dicom import DamagedDicomError, NotDicomError, read_source

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
DICOMDIR = "1.2.840.10008.1.3.10"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88."
DOSE_REPORTS = ("1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.68")


class Verdict(StrEnum):
    """What becomes of a file."""

    SLICE = "slice"
    QUARANTINE = "quarantine"
    LEFT_OUT = "left out"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """What one file is.

    Fields that hold source values are kept out of ``repr``, so that no log can print them.
    """

    source: SourceFile
    verdict: Verdict
    code: str = ""
    message: str = ""
    series_uid: str = field(default="", repr=False)
    sop_uid: str = field(default="", repr=False)
    study_uid: str = field(default="", repr=False)
    patient: str = field(default="", repr=False)
    header: Dataset | None = field(default=None, repr=False)
    thickness_mm: float | None = None
    contrast: bool = False


def screen(source: SourceFile) -> Finding:
    """Look at one file and say what it is. Call inside ``reading_dicom.quiet``."""
    if source.path.stat().st_size == 0:
        return Finding(
            source, Verdict.ERROR, "empty-file", "The file is empty: copy it again from its source."
        )
    try:
        header, settled = read_source(source.path, source.label)
    except NotDicomError:
        return Finding(source, Verdict.LEFT_OUT, "not-dicom", "This is not a DICOM file; it was left out.")
    except DamagedDicomError as error:
        return Finding(source, Verdict.ERROR, error.code, error.message)
    sop_class = str(header.get("SOPClassUID", "") or header.file_meta.get("MediaStorageSOPClassUID", ""))
    other = _other_than_slice(source, header, sop_class)
    if other is not None:
        return other
    found = _slice(source, header)
    if settled.refused and found.verdict is Verdict.SLICE:
        refused = settled.refused[0]
        return replace(found, verdict=Verdict.ERROR, code=refused.code, message=f"In {refused}")
    return found


def _other_than_slice(source: SourceFile, header: Dataset, sop_class: str) -> Finding | None:
    """Return a finding for everything that is not a single CT image, else None."""
    from inference.scan.kinds import image_words, is_localiser  # noqa: PLC0415  as above

    kinds = image_words(header)
    if sop_class == DICOMDIR:
        return Finding(
            source, Verdict.LEFT_OUT, "dicomdir", "A DICOMDIR index; it is not needed and was left out."
        )
    if held := _not_a_ct_image(sop_class) or _may_show_text(header, kinds):
        code, what = held
        return Finding(
            source, Verdict.QUARANTINE, code, f"{what} It was put into quarantine and is in no exam."
        )
    if "PixelData" not in header:
        return Finding(
            source,
            Verdict.ERROR,
            "no-pixel-data",
            "The file is a CT object without pixel data (or cut short before them): export it again, with pixels.",
        )
    if sop_class in ENHANCED_CT or (header.get("NumberOfFrames") or 1) > 1:
        return Finding(
            source,
            Verdict.ERROR,
            "multi-frame",
            "An enhanced (multi-frame) CT object is not read: export the series as one image per slice.",
        )
    if is_localiser(header):
        return Finding(source, Verdict.LEFT_OUT, "localiser", "A localiser image; it was left out.")
    return None


def _not_a_ct_image(sop_class: str) -> tuple[str, str] | None:
    """Return (code, what it is) of an object that is no CT image by its class."""
    if sop_class in DOSE_REPORTS:
        return "quarantined-dose-report", "A dose report is no image."
    if sop_class.startswith(STRUCTURED_REPORT):
        return "quarantined-report", "A structured report is no image."
    if sop_class.startswith(ENCAPSULATED):
        return "quarantined-document", "An encapsulated document may hold anything."
    if sop_class == SECONDARY_CAPTURE or sop_class.startswith(f"{SECONDARY_CAPTURE}."):
        return "quarantined-secondary-capture", "A secondary capture (a screen picture) may show names."
    if sop_class not in (CT_IMAGE, *ENHANCED_CT):
        return _NOT_CT
    return None


def _may_show_text(header: Dataset, kinds: frozenset[str]) -> tuple[str, str] | None:
    """Return (code, what it is) of an object that its header calls another one, or says text is drawn into."""
    if str(header.get("Modality", "CT") or "CT").upper() != "CT":
        return _NOT_CT
    if str(header.get("BurnedInAnnotation", "") or "").upper() == "YES":
        return "quarantined-burned-in", "The image says that text is burned into its pixels."
    if any("SCREEN" in kind for kind in kinds):
        return "quarantined-secondary-capture", "A screen picture may show names."
    return None


_NOT_CT = ("quarantined-not-ct", "This object is not a CT image.")


def _slice(source: SourceFile, header: Dataset) -> Finding:
    """Return the finding for a CT slice, or an error where its UIDs are missing."""
    series, sop = str(header.get("SeriesInstanceUID", "") or ""), str(header.get("SOPInstanceUID", "") or "")
    if not series or not sop:
        return Finding(
            source,
            Verdict.ERROR,
            "no-uid",
            "The image has no SOP or Series Instance UID: export it again from the archive or the scanner.",
        )
    patient = str(header.get("PatientID", "") or "").strip()
    if not patient:
        name = str(header.get("PatientName", "") or "").strip()
        patient = f"{name}\0{header.get('PatientBirthDate', '') or ''}" if name else ""
    from inference.scan.contents import listed  # noqa: PLC0415  as above
    from inference.scan.values import number  # noqa: PLC0415

    return Finding(
        source,
        Verdict.SLICE,
        series_uid=series,
        sop_uid=sop,
        study_uid=str(header.get("StudyInstanceUID", "") or ""),
        patient=patient,
        header=listed(header),
        thickness_mm=number(header, "SliceThickness"),
        contrast=bool(str(header.get("ContrastBolusAgent", "") or "").strip()),
    )
