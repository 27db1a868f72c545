"""All writes of dashboards: asking for calculations upon a freeze; noting exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.dashboards.models import Calculation
from plaquelab.dashboards.tasks import calculate
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.jobs import services as jobs

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


def ring_calculation(calculation_id: int) -> None:
    """Ring the doorbell for a calculation."""
    calculate.delay(calculation_id)


@transaction.atomic
def request_calculation(
    *,
    freeze: DatasetFreeze,
    kind: str,
    key: str,
    by: User | None,
    question: str = "",
    parameters: Mapping[str, str] | None = None,
    replicates: int = 0,
) -> Calculation:
    """Ask for a calculation on a freeze, or return the one that was asked for already; a failed one is queued again.

    Parameters
    ----------
    key : hash of what it depends on beside the freeze (``answers.answer_key``).
    """
    calculation, made = Calculation.objects.get_or_create(
        freeze=freeze,
        kind=kind,
        key=key,
        defaults={
            "study": freeze.study,
            "question": question,
            "parameters": dict(parameters or {}),
            "replicates": replicates,
            "requested_by": by,
            "rung_at": timezone.now(),
        },
    )
    if made:
        audit.record(
            verb="calculation.request",
            obj=calculation,
            by=by,
            study=freeze.study,
            after={
                "freeze": freeze.number,
                "kind": str(kind),
                "question": question,
                "replicates": replicates,
            },
        )
    elif not jobs.retry(calculation, by=by):
        return calculation
    calculate.delay_on_commit(calculation.pk)  # type: ignore[attr-defined]
    return calculation


@transaction.atomic
def note_export(*, freeze: DatasetFreeze, by: User, what: str) -> None:
    """Write the event of somebody who takes a table, numbers or the report of a freeze away."""
    audit.record(
        verb="dashboard.export",
        obj=freeze,
        by=by,
        study=freeze.study,
        after={"number": freeze.number, "hash": freeze.hash, "state": str(freeze.state), "what": what},
    )
