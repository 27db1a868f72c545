"""Submitting and signing: the person proves again who they are, and what they sign is hashed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

from plaquelab.analysis.measuring_code import made_earlier
from plaquelab.audit import services as audit
from plaquelab.reading.discordance import judge
from plaquelab.reading.editing import start_read
from plaquelab.reading.errors import EditError, FormError, SigningError
from plaquelab.reading.models import Read, ReadCase, ReadRevision, Signature, SigningLock
from plaquelab.reading.revisions import checked_form, latest_revision, save_revision
from plaquelab.reading.transitions import READ, R
from plaquelab.states import TransitionError
from plaquelab.studies.models import Study

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)


def reauthenticate(*, by: User, password: str, study: Study, obj: Model) -> None:
    """Check the person's password before a signature; call it outside the transaction that signs.

    A wrong password is an event of its own. After five in a row signing is closed to the person for 15 minutes.

    Raises
    ------
    SigningError
        The password is wrong, or signing is closed.
    """
    lock, _ = SigningLock.objects.get_or_create(user=by)
    now = timezone.now()
    if lock.locked_until is not None and lock.locked_until > now:
        minutes = -(-(lock.locked_until - now).total_seconds() // 60)
        raise SigningError(
            f"Signing is closed after {MOST_FAILURES} wrong passwords: try again in {minutes:.0f} min."
        )
    if by.is_active and by.check_password(password):
        if lock.failures or lock.locked_until:
            SigningLock.objects.filter(pk=lock.pk).update(failures=0, locked_until=None)
        return
    with transaction.atomic():
        SigningLock.objects.filter(pk=lock.pk).update(failures=F("failures") + 1)
        lock.refresh_from_db()
        closed = lock.failures >= MOST_FAILURES
        if closed:
            SigningLock.objects.filter(pk=lock.pk).update(failures=0, locked_until=now + LOCKED_FOR)
        audit.record(
            verb="signature.locked" if closed else "signature.refused",
            obj=obj,
            by=by,
            study=study,
            after={"failures": lock.failures},
            reason="wrong password",
        )
    if closed:
        raise SigningError(
            f"The password is wrong for the {MOST_FAILURES}th time: signing is closed for "
            f"{LOCKED_FOR.seconds // 60} minutes."
        )
    left = MOST_FAILURES - lock.failures
    raise SigningError(
        f"The password is wrong. {left} more {'try' if left == 1 else 'tries'} before signing is closed."
    )


def write_signature(*, revision: ReadRevision, by: User, meaning: str, role: str) -> Signature:
    """Write a signature over a revision and its event; the chain's head goes outside the database on commit."""
    study = revision.read.study
    signature = Signature.objects.create(
        study=study,
        revision=revision,
        by=by,
        printed_name=str(by),
        meaning=meaning,
        at=timezone.now(),
        content_sha256=revision.content_sha256,
    )
    audit.record(
        verb="signature.sign",
        obj=signature,
        by=by,
        study=study,
        role=role,
        after={
            "read": revision.read_id,
            "revision": revision.number,
            "meaning": meaning,
            "printed_name": signature.printed_name,
            "content_sha256": signature.content_sha256,
        },
    )
    transaction.on_commit(lambda: audit.append_head(study, f"signature {signature.pk}"))
    return signature


def submit_and_sign(
    *,
    read: Read,
    by: User,
    password: str,
    form: Mapping[str, Any] | None = None,
    meaning: str = Signature.Meaning.AUTHORSHIP,
) -> Signature:
    """Save what is not saved yet, lock the read, and sign it; with the last read of a case, judge the case.

    Parameters
    ----------
    form : image quality and remarks; the read's own when None.

    Raises
    ------
    SigningError
        The password is wrong or signing is closed; nothing has changed.
    FormError
        Image quality is not given.
    EditError, TransitionError
        Somebody else's read, or one that is signed.
    """
    if read.assignment.reader_id != by.pk:
        raise EditError("Only the reader of this case signs it.")
    read.refresh_from_db()
    if read.state not in (R.ASSIGNED, R.IN_PROGRESS):
        raise TransitionError(f"This read is “{read.state.replace('_', ' ')}”: it cannot be signed again.")
    checked = checked_form(read.form if form is None else form)
    if checked["image_quality"] is None:
        raise FormError("Give the image quality (1 to 5) before you sign.")
    reauthenticate(by=by, password=password, study=read.study, obj=read)
    return _sign(read=read, by=by, form=checked, meaning=meaning)


@transaction.atomic
def _sign(*, read: Read, by: User, form: dict[str, Any], meaning: str) -> Signature:
    # The case's row is locked first: of two readers who sign at once, the second sees the first's signature.
    ReadCase.objects.filter(pk=read.case_id).update(first_reader_draw=F("first_reader_draw"))
    start_read(read=read, by=by)
    read.refresh_from_db()
    revision = latest_revision(read)
    kept = revision is not None and revision.form == form and revision.draft_version == read.draft_version
    if revision is None or not kept or made_earlier(revision.code_version):
        revision = save_revision(read=read, by=by, form=form)
    READ.apply(read, "submit", by=by, detail={"revision": revision.number})
    Read.objects.filter(pk=read.pk).update(submitted_at=timezone.now())
    READ.apply(read, "sign", by=by, detail={"content_sha256": revision.content_sha256})
    signature = write_signature(revision=revision, by=by, meaning=meaning, role="reader")
    judge(case=ReadCase.objects.get(pk=read.case_id))
    return signature
