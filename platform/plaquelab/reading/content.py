"""What a signature covers: a canonical text of a revision, and the check that it is still so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from plaquelab.analysis.models import ContourSet, Measurement
from plaquelab.reading.models import Read, ReadRevision, Signature
from plaquelab.storage import StorageError, store


def content_of(revision: ReadRevision) -> dict[str, Any]:
    """Return everything that a signature covers, from the stored files and rows.

    Contour and vessel hashes are those of the files' bytes, computed now.

    Raises
    ------
    StorageError
        A file is missing.
    """
    sets = (
        revision.contour_sets.select_related("vessel").prefetch_related("lesions").order_by("vessel__order")
    )
    read = revision.read
    return {
        "study": read.study.slug,
        "charter": {"number": read.charter.number, "rules": read.charter.rules},
        "read": {
            "pk": read.pk,
            "exam": read.case.exam_id,
            "kind": read.kind,
            "saw_network": read.saw_network,
            "is_simulated": read.is_simulated,
        },
        "revision": revision.number,
        # Revisions of before versions were kept were signed without one: their hash must stay.
        **({"code_version": revision.code_version} if revision.code_version else {}),
        "form": revision.form,
        "reviewed": revision.reviewed,
        "edits": revision.edits,
        "vessels": [_vessel(contour_set) for contour_set in sets],
        "measurements": sorted((_row(row) for row in revision.measurements.all()), key=_key),
    }


def _vessel(contour_set: ContourSet) -> dict[str, Any]:
    return {
        "vessel": contour_set.vessel.name,
        "image": _sha256(contour_set.vessel.path),
        "contours": _sha256(contour_set.path),
        "recorded": [contour_set.vessel.sha256, contour_set.sha256],
        "excluded": contour_set.excluded,
        "lesions": [
            [
                lesion.number,
                lesion.start_mm,
                lesion.end_mm,
                lesion.proximal_reference_mm,
                lesion.distal_reference_mm,
                list(lesion.flags),
            ]
            for lesion in contour_set.lesions.all()
        ],
    }


def _sha256(path: str) -> str:
    return hashlib.sha256(store().get(path)).hexdigest()


def _row(row: Measurement) -> list[Any]:
    where = [row.level, row.vessel, row.segment, row.lesion, row.metric]
    return [*where, row.value, row.text, row.unit, row.low, row.high, row.profile]


def _key(row: list[Any]) -> str:
    return json.dumps(row[:5])


def sha256_of(content: dict[str, Any]) -> str:
    """Return the SHA-256 of the content as JSON with sorted keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def signatures_match() -> Iterator[str]:
    """Name each signature whose revision is no longer what was signed."""
    signatures = Signature.objects.select_related(
        "study", "revision__read__study", "revision__read__charter", "revision__read__case"
    ).order_by("pk")
    found: dict[int, str] = {}
    for signature in signatures.iterator(100):
        revision = signature.revision
        where = (
            f"study {signature.study.slug}, signature {signature.pk} by {signature.printed_name} "
            f"({signature.meaning}, revision {revision.number} of read {revision.read_id})"
        )
        if revision.pk not in found:
            try:
                content = content_of(revision)
            except StorageError as error:
                yield f"{where}: a signed file cannot be read: {error}"
                continue
            for vessel in content["vessels"]:
                if [vessel["image"], vessel["contours"]] != vessel["recorded"]:
                    yield f"{where}: a stored file of vessel {vessel['vessel']} was altered after signing."
                    break
            found[revision.pk] = sha256_of(content)
        if found[revision.pk] != signature.content_sha256 or found[revision.pk] != revision.content_sha256:
            yield f"{where}: what is stored no longer matches what was signed."
    yield from _signed_without_signature()


def _signed_without_signature() -> Iterator[str]:

    for read in Read.objects.filter(state=Read.State.SIGNED, revisions__signatures__isnull=True).exclude(
        revisions__signatures__isnull=False
    ):
        yield f"study {read.study.slug}, read {read.pk}: it is signed, but its signature is missing."
