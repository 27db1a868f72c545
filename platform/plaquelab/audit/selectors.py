"""Who may read the audit trail: managers and auditors their study's chain."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from plaquelab.audit.models import AuditEvent


def events_of(chain: str, *, actor: str = "", verb: str = "", text: str = "") -> QuerySet[AuditEvent]:
    """Return a chain's events, newest first, narrowed by actor, verb and a word in object or reason."""
    events = AuditEvent.objects.filter(chain=chain).order_by("-sequence")
    if actor:
        events = events.filter(actor=actor)
    if verb:
        events = events.filter(verb=verb)
    if text:
        events = events.filter(
            Q(object_id__icontains=text) | Q(object_type__icontains=text) | Q(reason__icontains=text)
        )
    return events
