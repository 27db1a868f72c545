"""The whole way of a case through the services: assigned, read twice, judged, final."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plaquelab.audit import services as audit
from plaquelab.audit.models import AuditEvent
from plaquelab.reading.models import Read, ReadCase, Signature
from tests.platform.ready_cases import sign_as

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db]


def test_two_like_reads_make_reader_one_final(assigned: SimpleNamespace) -> None:
    sign_as(assigned.reads[0], assigned.reader)
    case = ReadCase.objects.get(pk=assigned.case.pk)
    assert case.state == "reading"
    sign_as(assigned.reads[1], assigned.reader2, thick=1.25)
    case.refresh_from_db()
    assert case.state == "final"
    assert case.final_read.assignment.slot == case.first_reader_draw
    assert case.discordance.is_discordant is False
    assert Signature.objects.count() == 2
    assert set(Read.objects.values_list("state", flat=True)) == {"signed"}
    assert audit.verify() == []
    verbs = list(AuditEvent.objects.filter(chain="study:alpha").values_list("verb", flat=True))
    for verb in (
        "case.open",
        "case.assign",
        "read.start",
        "read.save_revision",
        "signature.sign",
        "case.finalise",
    ):
        assert verb in verbs
