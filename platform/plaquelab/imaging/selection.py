"""Choosing the one CT series of an upload, and checking whose it is, before anything is de-identified."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plaquelab.imaging.deidentify import clean_text
from plaquelab.imaging.errors import ImportRejected
from plaquelab.imaging.keys import keyed_hash
from plaquelab.imaging.models import Exam, Instance, Series
from plaquelab.imaging.screening import Finding, Verdict
from plaquelab.studies.models import Study, Subject

if TYPE_CHECKING:
    from inference.scan.contents import Part

CORONARY_THICKNESS_MM = 1.5
CORONARY_SLICES = 64
_KEYS_AT_ONCE = 500
# What a whole file may say that cannot be read: sending it again would not help.
_BY_HEADER = {"not-a-number", "wrong-count", "no-transfer-syntax"}


@dataclass(frozen=True)
class Note:
    """Something to tell about a file (or about the whole upload) that does not stop the import."""

    code: str
    message: str
    file_index: int | None = None
    member: int | None = None
    fatal: bool = False


@dataclass(frozen=True)
class Chosen:
    """The series that becomes the exam, and what was noted on the way."""

    slices: tuple[Finding, ...]
    series_key: str
    patient_key: str
    notes: tuple[Note, ...] = field(default=())


def choose(findings: Sequence[Finding], *, key: bytes) -> Chosen:
    """Choose the CT series.

    Raises
    ------
    ImportRejected
        No CT image, a broken CT file, two patients, several possible series, or slices that do not belong together.
    """
    broken = [finding for finding in findings if finding.verdict is Verdict.ERROR]
    slices = [finding for finding in findings if finding.verdict is Verdict.SLICE]
    if not slices:
        if len(broken) == 1:
            raise _rejected(broken[0])
        raise ImportRejected(
            "no-ct-images", "There is no CT image that could be read in this upload: see the list of files."
        )
    if broken:
        raise _broken(broken)
    if len({finding.patient for finding in slices if finding.patient}) > 1:
        raise ImportRejected(
            "two-patients",
            "The upload has images of more than one patient: send one patient's examination at a time.",
        )
    series: dict[str, list[Finding]] = defaultdict(list)
    for finding in slices:
        series[finding.series_uid].append(finding)
    best, notes = _one_series(series)
    kept, doubles = _once(series[best])
    _check_together(kept)
    patient = next((finding.patient for finding in kept if finding.patient), "")
    if not patient:
        notes.append(
            Note(
                "no-patient-id",
                "The images name no patient, so it could not be checked that it is the same subject.",
            )
        )
    return Chosen(
        slices=tuple(kept),
        series_key=keyed_hash(key, "series", best),
        patient_key=keyed_hash(key, "patient", patient) if patient else "",
        notes=tuple(notes + doubles),
    )


def check_identity(chosen: Chosen, *, subject: Subject) -> tuple[Note, ...]:
    """Compare the scan's patient with the subject's earlier exam and with the study's other subjects.

    Raises
    ------
    ImportRejected
        The subject's earlier exam is of another patient.
    """
    if not chosen.patient_key:
        return ()
    if subject.patient_key and subject.patient_key != chosen.patient_key:
        raise ImportRejected(
            "identity",
            "The patient of this scan is not the patient of this subject's earlier exam: "
            "check the pseudonym on the transmittal form.",
        )
    others = Subject.objects.filter(study=subject.study, patient_key=chosen.patient_key).exclude(
        pk=subject.pk
    )
    if others.exists():
        return (
            Note(
                "patient-under-other-pseudonym",
                "The same patient identifier is in this study under another pseudonym. Where the site numbers its "
                "patients by hand this may be chance; otherwise query the site.",
            ),
        )
    return ()


def check_duplicate(chosen: Chosen, *, study: Study, subject: Subject, key: bytes) -> None:
    """Refuse a scan that the study already has, also one under another pseudonym.

    Raises
    ------
    ImportRejected
        ``duplicate`` or ``duplicate-other-subject``.
    """
    exam = Exam.objects.filter(
        series__in=Series.objects.filter(study=study, source_key=chosen.series_key)
    ).first()
    keys = [keyed_hash(key, "sop", finding.sop_uid) for finding in chosen.slices]
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        if exam is not None:
            break
        instance = (
            Instance.objects.filter(series__study=study, source_key__in=keys[start : start + _KEYS_AT_ONCE])
            .select_related("series__exam")
            .first()
        )
        exam = instance.series.exam if instance else None
    if exam is None:
        return
    if exam.subject_id == subject.pk:
        raise ImportRejected("duplicate", f"This scan is already in the study: it is exam {exam.number}.")
    raise ImportRejected(
        "duplicate-other-subject",
        "This scan is already in the study under another pseudonym: check whose scan it is and tell the core lab.",
    )


def _rejected(finding: Finding) -> ImportRejected:
    return ImportRejected(
        finding.code, finding.message, file_index=finding.source.file_index, member=finding.source.member
    )


def _broken(broken: Sequence[Finding]) -> ImportRejected:
    """Say what is wrong where it is one thing, else that the files are to be sent again."""
    if {finding.code for finding in broken} <= _BY_HEADER:
        more = f" The same is wrong with {len(broken) - 1} more." if len(broken) > 1 else ""
        return ImportRejected(
            broken[0].code,
            broken[0].message + more,
            file_index=broken[0].source.file_index,
            member=broken[0].source.member,
        )
    return ImportRejected(
        broken[0].code,
        f"{len(broken)} of the files are damaged or incomplete, so slices would be missing: "
        "send the whole examination again.",
    )


def _one_series(series: dict[str, list[Finding]]) -> tuple[str, list[Note]]:
    """Return the only series, or the only one that can be a coronary CT angiogram."""
    if len(series) == 1:
        return next(iter(series)), []
    coronary = [
        uid
        for uid, slices in series.items()
        if len(slices) >= CORONARY_SLICES
        and slices[0].contrast
        and slices[0].thickness_mm is not None
        and slices[0].thickness_mm <= CORONARY_THICKNESS_MM
    ]
    if len(coronary) != 1:
        counts = " and ".join(str(len(slices)) for slices in series.values())
        raise ImportRejected(
            "several-series",
            f"The upload mixes {len(series)} CT series (of {counts} slices) and it is not clear which is meant: "
            "send only the contrast-enhanced coronary series.",
        )
    left_out = len(series) - 1
    message = f"{left_out} other CT series were left out; the thin contrast-enhanced one was taken."
    return coronary[0], [Note("series-left-out", message)]


def _once(slices: list[Finding]) -> tuple[list[Finding], list[Note]]:
    """Drop copies of the same image; refuse two different images under one UID."""
    kept: dict[str, Finding] = {}
    notes = []
    for finding in slices:
        first = kept.setdefault(finding.sop_uid, finding)
        if first is finding:
            continue
        where: dict[str, Any] = {"file_index": finding.source.file_index, "member": finding.source.member}
        if first.source.path.read_bytes() != finding.source.path.read_bytes():
            raise ImportRejected(
                "conflicting-images",
                "Two different images have the same SOP Instance UID: export the series again.",
                **where,
            )
        notes.append(Note("copy", "A copy of another file of this upload; it was left out.", **where))
    return list(kept.values()), notes


def _check_together(slices: list[Finding]) -> None:
    """Refuse slices of one series that are several volumes, or differ in size, orientation or spacing."""
    from inference.scan.contents import parts_of  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.scan.likeness import same_image_plane  # noqa: PLC0415

    if len({finding.study_uid for finding in slices}) > 1:
        raise ImportRejected(
            "mixed-series",
            "Images of one series claim to be of different examinations: export the series again.",
        )
    headers = [finding.header for finding in slices if finding.header is not None]
    parts = parts_of(headers)
    if len(parts) > 1:
        named = "; ".join(
            f"{_words_of(part, n)}, {len(part.members)} slices" for n, part in enumerate(parts, 1)
        )
        raise ImportRejected(
            "several-volumes",
            f"The series holds {len(parts)} volumes ({named}): export the one that the protocol asks for as a series of its "
            "own, and send that.",
        )
    for finding, header in zip(slices, headers, strict=True):
        keyword = same_image_plane(headers[0], header)
        if keyword:
            raise ImportRejected(
                "mixed-series",
                f"The slices of the series are not of one kind: {keyword} of {finding.source.label} is another than of the "
                "first. Send the axial slices of one reconstruction only.",
                file_index=finding.source.file_index,
                member=finding.source.member,
            )


def _words_of(part: Part, number: int) -> str:
    """Say what tells a volume from others of its series, in known words only; else its running number."""
    return clean_text(part.what.replace(" %", "%")) or f"volume {number}"
