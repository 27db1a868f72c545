"""Saving a revision: contours, lesions, measurements, form and edits of every vessel, with one hash over all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Max

from plaquelab.analysis import measuring_code
from plaquelab.analysis.models import ContourSet
from plaquelab.analysis.services import store_measurements, store_read
from plaquelab.audit import services as audit
from plaquelab.reading import measuring, replay
from plaquelab.reading.charter import read_design
from plaquelab.reading.content import content_of, sha256_of
from plaquelab.reading.editing import drafts_of, start_read
from plaquelab.reading.errors import EditError, FormError
from plaquelab.reading.models import Read, ReadRevision
from plaquelab.reading.transitions import R
from plaquelab.states import TransitionError

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

LONGEST_REMARK = 4000


def checked_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form as it is stored: ``image_quality`` 1 (non-diagnostic) to 5 or None, ``remarks``.

    Raises
    ------
    FormError
        A value is not possible.
    """
    quality = form.get("image_quality")
    if quality is not None and (isinstance(quality, bool) or quality not in (1, 2, 3, 4, 5)):
        raise FormError("Image quality must be 1 (non-diagnostic), 2, 3, 4 or 5.")
    remarks = form.get("remarks") or ""
    if not isinstance(remarks, str) or len(remarks) > LONGEST_REMARK:
        raise FormError(f"Remarks are a text of at most {LONGEST_REMARK} characters.")
    return {"image_quality": quality, "remarks": remarks.strip()}


@transaction.atomic
def save_revision(*, read: Read, by: User, form: Mapping[str, Any]) -> ReadRevision:
    """Keep the read as it stands as an immutable revision.

    Raises
    ------
    EditError
        Somebody else's read.
    FormError
        The form holds an impossible value.
    TransitionError
        The read is not in progress.
    """
    if read.assignment.reader_id != by.pk:
        raise EditError("Only the reader of this case saves it.")
    checked = checked_form(form)
    start_read(read=read, by=by)
    # Takes the row's write lock, so that no edit falls between what is measured and what is saved.
    locked = Read.objects.filter(pk=read.pk, state=R.IN_PROGRESS).update(
        draft_version=F("draft_version"), form=checked
    )
    read.refresh_from_db()
    if locked != 1:
        raise TransitionError(f"This read is “{read.state.replace('_', ' ')}”: it cannot be saved again.")
    previous = read.revisions.aggregate(n=Max("number"))["n"] or 0
    drafts = drafts_of(read)
    revision = ReadRevision(
        read=read,
        number=previous + 1,
        form=checked,
        edits=[
            {
                "vessel": draft.vessel.name,
                "base": draft.base.sha256,
                "commands": draft.commands[: draft.cursor],
            }
            for draft in drafts
        ],
        reviewed=[draft.vessel.name for draft in drafts if draft.reviewed],
        draft_version=read.draft_version,
        code_version=measuring_code.today(),
        content_sha256="",
        by=by,
    )
    revision.save(force_insert=True)
    profile = read_design(read.charter).profile
    tables, sets = [], []
    for draft in drafts:
        vessel_read, digest = replay.present(draft)
        tables.append(measuring.measure(draft.vessel, vessel_read, digest=digest, profile=profile))
        sets.append(
            store_read(
                vessel=draft.vessel,
                read=vessel_read,
                source=ContourSet.Source.READER,
            )
        )
    revision.contour_sets.set(sets)
    rows = [row for table in tables for row in table] + measuring.patient(tables, profile=profile)
    store_measurements(exam=read.case.exam, rows=rows, revision=revision)
    digest = sha256_of(content_of(ReadRevision.objects.get(pk=revision.pk)))
    # The one place where the hash is written: it covers rows that did not exist before the revision did.
    ReadRevision.objects.filter(pk=revision.pk).update(content_sha256=digest)
    revision.content_sha256 = digest
    audit.record(
        verb="read.save_revision",
        obj=read,
        by=by,
        study=read.study,
        role="reader",
        after={"revision": revision.number, "content_sha256": digest, "draft_version": read.draft_version},
    )
    return revision


def latest_revision(read: Read) -> ReadRevision | None:
    """Return the newest revision of a read, or None."""
    return read.revisions.order_by("-number").first()
