"""All writes of freezes: request, retry, discard, release; noting downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.errors import Refusal
from plaquelab.freezes import comparison_runs
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.tasks import build_freeze
from plaquelab.freezes.transitions import FREEZE, S
from plaquelab.jobs import services as jobs
from plaquelab.states import TransitionError
from plaquelab.studies.models import Study

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

SHORTEST_REASON = 10
Source = DatasetFreeze.Source


class FreezeError(Refusal):
    """A freeze that cannot be made or released as asked."""

    code = "freeze"


def ring(freeze_id: int) -> None:
    """Ring the doorbell for a freeze."""
    build_freeze.delay(freeze_id)


@transaction.atomic
def request_freeze(
    *,
    study: Study,
    by: User | None,
    note: str = "",
    source: str = Source.STUDY,
    leave_out_waiting: bool = False,
    queue: bool = True,
) -> DatasetFreeze:
    """Ask for a freeze of a study as it stands; a worker builds it.

    Parameters
    ----------
    source : ``study``; or ``simulation``, the simulated cohort that stands beside a demonstration's own data.
    leave_out_waiting : freeze although runs that comparisons need still wait; their cases are counted as left out.
    queue : whether a worker builds it; otherwise the caller does.

    Raises
    ------
    FreezeError
        Another freeze of the study is being made, runs for comparisons still wait, or a simulated cohort was asked for
        beside real data.
    """
    if source == Source.SIMULATION and not study.is_simulated:
        raise FreezeError("A simulated cohort stands beside simulated studies only.")
    # The event takes the chain's lock, so that of two requests the second sees the first.
    event = audit.record(
        verb="dataset_freeze.request",
        obj=study,
        by=by,
        study=study,
        after={"source": str(source), "note": note},
    )
    others = DatasetFreeze.objects.filter(study=study, source=source, state__in=(S.DRAFT, S.BUILDING))
    if others.exists():
        raise FreezeError("A freeze of this study is being made: wait for it.")
    if source == Source.STUDY:
        comparison_runs.request_missing(study=study, by=by)
        waiting = comparison_runs.waiting(study)
        if waiting and not leave_out_waiting:
            raise FreezeError(
                f"{waiting} run{'s' if waiting > 1 else ''} that comparisons need (inside the references' lesions, along "
                "a second operator's centrelines) still wait: come back when they are done, or leave them out."
            )
    last = DatasetFreeze.objects.filter(study=study).aggregate(n=Max("number"))["n"] or 0
    freeze = DatasetFreeze.objects.create(
        study=study,
        number=last + 1,
        source=source,
        note=note.strip(),
        is_simulated=study.is_simulated or source == Source.SIMULATION,
        requested_by=by,
        rung_at=event.at,
    )
    if queue:
        _ring_on_commit(freeze)
    return freeze


def _ring_on_commit(freeze: DatasetFreeze) -> None:
    build_freeze.delay_on_commit(freeze.pk)  # type: ignore[attr-defined]


@transaction.atomic
def retry_freeze(*, freeze: DatasetFreeze, by: User | None) -> DatasetFreeze:
    """Queue a failed freeze again.

    Raises
    ------
    TransitionError
        It has not failed.
    """
    if not jobs.retry(freeze, by=by):
        raise TransitionError(f"This freeze is “{freeze.state}”: it cannot be made again.")
    _ring_on_commit(freeze)
    return freeze


@transaction.atomic
def discard_freeze(*, freeze: DatasetFreeze, by: User, reason: str = "") -> DatasetFreeze:
    """Put aside a freeze that was never made.

    Raises
    ------
    TransitionError
        It is being made, or stands.
    """
    FREEZE.apply(freeze, "discard", by=by, reason=reason)
    return freeze


@transaction.atomic
def release_freeze(*, freeze: DatasetFreeze, by: User | None, reason: str) -> DatasetFreeze:
    """Release a frozen set to the study's investigators; this cannot be taken back.

    Raises
    ------
    FreezeError
        No reason was given.
    TransitionError
        It is not frozen, or released already.
    """
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise FreezeError(f"Say why it is released (at least {SHORTEST_REASON} characters).")
    FREEZE.apply(
        freeze,
        "release",
        by=by,
        reason=reason,
        detail={"hash": freeze.hash, "number": freeze.number},
        fields={"released_at": timezone.now(), "released_by": by, "release_reason": reason},
    )
    transaction.on_commit(lambda: audit.append_head(freeze.study, f"release of freeze {freeze.number}"))
    return freeze


@transaction.atomic
def note_download(*, freeze: DatasetFreeze, by: User) -> None:
    """Write the event of somebody who takes a freeze away."""
    audit.record(
        verb="dataset_freeze.download",
        obj=freeze,
        by=by,
        study=freeze.study,
        after={"number": freeze.number, "hash": freeze.hash, "state": str(freeze.state)},
    )
