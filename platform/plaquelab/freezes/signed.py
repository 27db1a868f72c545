"""Which revision of a read stands: the one that was signed last."""

from __future__ import annotations

from collections.abc import Iterable

from plaquelab.reading.models import Signature


def signed_revisions(reads: Iterable[int]) -> dict[int, int]:
    """Read id → id of the revision that was signed last."""
    signed = Signature.objects.filter(revision__read__in=list(reads)).order_by("at", "pk")
    return dict(signed.values_list("revision__read_id", "revision_id"))
