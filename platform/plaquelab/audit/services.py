"""Writing the audit trail, and proving that nobody touched it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from plaquelab.audit.models import AuditEvent, ChainHead

if TYPE_CHECKING:
    from plaquelab.accounts.models import User
    from plaquelab.studies.models import Study

INSTALLATION = "installation"
FIRST_HASH = "0" * 64
_FIELDS = (
    "chain",
    "sequence",
    "at",
    "actor",
    "role",
    "site",
    "verb",
    "object_type",
    "object_id",
    "before",
    "after",
    "reason",
    "previous_hash",
)


def chain_of(study: Study | None) -> str:
    """Name the chain of a study, or the installation's."""
    return f"study:{study.slug}" if study is not None else INSTALLATION


def canonical(event: AuditEvent) -> bytes:
    """Return the bytes that an event's hash covers: all fields as JSON with sorted keys, times in UTC."""
    content = {name: getattr(event, name) for name in _FIELDS}
    at: datetime = content["at"]
    content["at"] = at.astimezone(timezone.get_fixed_timezone(0)).isoformat(timespec="microseconds")
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hash_of(event: AuditEvent) -> str:
    """Return the SHA-256 of an event's canonical bytes."""
    return hashlib.sha256(canonical(event)).hexdigest()


def _plain(value: Any) -> Any:
    """Make a value what JSON would read back, so that its hash is the same after storing."""
    return None if value is None else json.loads(json.dumps(value, cls=DjangoJSONEncoder))


@transaction.atomic
def record(
    *,
    verb: str,
    obj: models.Model | tuple[str, str],
    by: User | None,
    study: Study | None,
    before: Any = None,
    after: Any = None,
    reason: str = "",
    role: str = "",
    site: str = "",
) -> AuditEvent:
    """Append one event to its chain, in the caller's transaction.

    Parameters
    ----------
    verb : what was done, ``"exam.accept"``.
    obj : the model instance it was done to, or (type, identifier). A model that moved names its first type as
        ``audit_type``, so that one object keeps one name.
    by : who; None is the system.
    study : whose chain; None is the installation's.
    before, after : JSON-able facts, never identifiers of a patient.
    """
    chain = chain_of(study)
    if isinstance(obj, tuple):
        object_type, object_id = obj
    else:
        object_type = getattr(obj, "audit_type", obj._meta.label_lower)
        object_id = str(obj.pk)
    ChainHead.objects.get_or_create(chain=chain)
    # The UPDATE takes the row's write lock in every database; who comes second waits and reads the new head.
    ChainHead.objects.filter(chain=chain).update(sequence=F("sequence") + 1)
    head = ChainHead.objects.get(chain=chain)
    event = AuditEvent(
        chain=chain,
        sequence=head.sequence,
        at=timezone.now(),
        actor=by.username if by is not None else "system",
        role=role,
        site=site,
        verb=verb,
        object_type=object_type,
        object_id=object_id,
        before=_plain(before),
        after=_plain(after),
        reason=reason,
        previous_hash=head.hash,
    )
    event.hash = hash_of(event)
    event.save(force_insert=True)
    ChainHead.objects.filter(chain=chain).update(hash=event.hash)
    return event


def append_head(study: Study | None, why: str) -> None:
    """Append the chain's present head to the file outside the database (call on commit)."""
    head = ChainHead.objects.filter(chain=chain_of(study)).first()
    if head is None:
        return
    line = json.dumps(
        {
            "chain": head.chain,
            "sequence": head.sequence,
            "hash": head.hash,
            "at": timezone.now().isoformat(timespec="seconds"),
            "why": why,
        }
    )
    path = settings.AUDIT_HEADS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, (line + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_checks: list[Callable[[], Iterable[str]]] = []


def register_check(check: Callable[[], Iterable[str]]) -> Callable[[], Iterable[str]]:
    """Register a further check of ``verify``: it yields one sentence per problem."""
    if check not in _checks:
        _checks.append(check)
    return check


def verify() -> list[str]:
    """Check every chain, the heads outside the database, and what applications registered.

    Returns
    -------
    list of str
        One sentence a problem; for each chain only the first bad row is named.
    """
    problems = []
    heads = {head.chain: head for head in ChainHead.objects.all()}
    chains = sorted(
        set(heads) | set(AuditEvent.objects.values_list("chain", flat=True).distinct().order_by())
    )
    hashes: dict[tuple[str, int], str] = {}
    for chain in chains:
        problem = _verify_chain(chain, heads.get(chain), hashes)
        if problem:
            problems.append(problem)
    problems += _verify_heads_file(hashes)
    for check in _checks:
        problems += list(check())
    return problems


def _verify_chain(chain: str, head: ChainHead | None, hashes: dict[tuple[str, int], str]) -> str:
    expected, previous = 1, FIRST_HASH
    for event in AuditEvent.objects.filter(chain=chain).order_by("sequence").iterator(2000):
        where = f"chain {chain}, event {event.sequence} (row {event.pk})"
        if event.sequence != expected:
            return f"{where}: event {expected} is missing before it."
        if event.previous_hash != previous:
            return f"{where}: it does not follow from event {expected - 1}: a row was altered or inserted."
        if event.hash != hash_of(event):
            return f"{where}: its content no longer matches its hash: it was altered."
        hashes[(chain, event.sequence)] = event.hash
        expected, previous = expected + 1, event.hash
    if head is None or head.sequence != expected - 1 or head.hash != previous:
        last = head.sequence if head else 0
        return f"chain {chain}: it ends at event {expected - 1}, but its head stands at {last}: the tail was cut or added to."
    return ""


def _verify_heads_file(hashes: dict[tuple[str, int], str]) -> list[str]:
    path = settings.AUDIT_HEADS_FILE
    if not path.exists():
        return []
    reported: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            head = json.loads(line)
            chain, sequence, digest = head["chain"], head["sequence"], head["hash"]
        except (ValueError, KeyError):
            return [*reported.values(), f"heads file, line {number}: it cannot be read."]
        if hashes.get((chain, sequence)) != digest and chain not in reported:
            reported[chain] = (
                f"chain {chain}, event {sequence}: the head kept outside the database (line {number}) is not in the "
                "chain: its tail was cut or rewritten."
            )
    return list(reported.values())
