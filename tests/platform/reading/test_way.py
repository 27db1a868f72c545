"""The whole way of a case through the services: assigned, read twice, judged, final."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plaquelab.audit import services as audit
from plaquelab.audit.models import AuditEvent
from plaquelab.reading.assignment import assign, open_case
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


def test_a_waiting_case_takes_the_newest_run_one_that_was_assigned_keeps_its_own(
    ready_case: SimpleNamespace,
) -> None:
    case, first = ready_case.case, ready_case.case.run
    newer = type(first).objects.get(pk=first.pk)
    newer.pk, newer.code_version = None, "f" * 16
    newer.save(force_insert=True)
    assert open_case(exam=case.exam, by=None, run=newer).run == newer
    assert AuditEvent.objects.get(verb="case.take_run").after == {"run": newer.pk}
    assert open_case(exam=case.exam, by=None, run=first).run == newer
    assign(case=case, readers=[ready_case.reader, ready_case.reader2], by=None)
    newest = type(first).objects.get(pk=newer.pk)
    newest.pk, newest.code_version = None, "e" * 16
    newest.save(force_insert=True)
    assert open_case(exam=case.exam, by=None, run=newest).run == newer
