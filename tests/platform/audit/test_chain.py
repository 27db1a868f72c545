"""The chain holds, and every way of touching it is found."""

from __future__ import annotations

import json
from io import StringIO
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from plaquelab.audit import append_only, services
from plaquelab.audit.models import AuditEvent, ChainHead

pytestmark = pytest.mark.both_worlds


def write(study: object, count: int) -> None:
    for number in range(count):
        services.record(
            verb="test.write", obj=("thing", str(number)), by=None, study=study, after={"n": number, "x": 0.1}
        )


@pytest.fixture
def chain(two_studies: SimpleNamespace) -> SimpleNamespace:
    write(two_studies.a.study, 5)
    write(None, 2)
    return two_studies


def test_untouched_chain_passes(chain: SimpleNamespace) -> None:
    out = StringIO()
    call_command("audit_verify", stdout=out)
    assert "7 events in 2 chains" in out.getvalue()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_auditevent SET verb = 'x'", "DELETE FROM audit_auditevent"]
)
def test_database_refuses_change(chain: SimpleNamespace, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEvent.objects.filter(verb="test.write").count() == 7


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE audit_auditevent SET actor = 'nobody' WHERE chain = 'study:alpha' AND sequence = 3",
            "event 3 ",
        ),
        ("DELETE FROM audit_auditevent WHERE chain = 'study:alpha' AND sequence = 2", "event 3 "),
        ("DELETE FROM audit_auditevent WHERE chain = 'study:alpha' AND sequence = 5", "event 4"),
        (
            "UPDATE audit_auditevent SET before = '{\"n\": 1}' WHERE chain = 'study:alpha' AND sequence = 1",
            "event 1 ",
        ),
    ],
)
def test_touched_chain_fails_naming_the_row(chain: SimpleNamespace, statement: str, named: str) -> None:
    append_only.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    append_only.install(connection)
    problems = services.verify()
    assert len(problems) == 1
    assert "study:alpha" in problems[0]
    assert named in problems[0]
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", stderr=StringIO())
    assert ended.value.code == 1


def test_inserted_row_is_found(chain: SimpleNamespace) -> None:
    last = AuditEvent.objects.get(chain="study:alpha", sequence=5)
    forged = AuditEvent.objects.get(chain="study:alpha", sequence=5)
    forged.pk, forged.sequence, forged.previous_hash = None, 6, last.hash
    forged.hash = services.hash_of(forged)
    forged.save(force_insert=True)
    (problem,) = services.verify()
    assert "its head stands at 5" in problem


def test_tail_cut_together_with_its_head_is_found_by_the_file(chain: SimpleNamespace) -> None:
    services.append_head(chain.a.study, "signature")
    append_only.remove(connection)
    AuditEvent.objects.filter(chain="study:alpha", sequence__gt=3).delete()
    append_only.install(connection)
    kept = AuditEvent.objects.get(chain="study:alpha", sequence=3)
    ChainHead.objects.filter(chain="study:alpha").update(sequence=3, hash=kept.hash)
    (problem,) = services.verify()
    assert "event 5" in problem
    assert "outside the database" in problem
    assert json.loads(settings.AUDIT_HEADS_FILE.read_text().splitlines()[0])["sequence"] == 5


def test_event_rolls_back_with_its_transaction(chain: SimpleNamespace) -> None:
    class StopError(Exception):
        pass

    def interrupted() -> None:
        with transaction.atomic():
            write(chain.a.study, 1)
            raise StopError

    with pytest.raises(StopError):
        interrupted()
    assert services.verify() == []
    assert ChainHead.objects.get(chain="study:alpha").sequence == 5
