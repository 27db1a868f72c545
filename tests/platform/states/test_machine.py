"""The executor: one conditional UPDATE, its event in the same transaction, and a clear no to everything else."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.models import Q

from plaquelab.audit import services as audit
from plaquelab.audit.models import AuditEvent
from plaquelab.states import ConflictError, TransitionError
from plaquelab.uploads.models import UploadSession
from plaquelab.uploads.transitions import UPLOAD

pytestmark = pytest.mark.both_worlds


def make_session(world: SimpleNamespace) -> UploadSession:
    return UploadSession.objects.create(
        study=world.study, site=world.site, pseudonym="S-1", by=world.coordinator
    )


@pytest.fixture
def session(two_studies: SimpleNamespace) -> UploadSession:
    return make_session(two_studies.a)


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb__startswith="upload."))


def test_an_event_moves_row_and_object_and_says_so_once(session: UploadSession) -> None:
    UPLOAD.apply(session, "abort", by=session.by, reason="wrong patient", detail={"files": 3})
    assert session.state == "aborted"
    session.refresh_from_db()
    assert session.state == "aborted"
    (event,) = events()
    assert (event.verb, event.actor, event.reason) == ("upload.abort", session.by.username, "wrong patient")
    assert (event.before, event.after) == ({"state": "open"}, {"state": "aborted", "files": 3})
    assert event.chain == "study:alpha"


def test_an_event_that_the_state_does_not_allow_is_refused_in_words(session: UploadSession) -> None:
    with pytest.raises(TransitionError, match="This upload is “open”: “consume” is not possible") as refused:
        UPLOAD.apply(session, "consume", by=None)
    assert (refused.value.code, refused.value.status) == ("not-possible", 409)
    assert events() == []


def test_who_comes_second_loses_and_writes_nothing(session: UploadSession) -> None:
    other = UploadSession.objects.get(pk=session.pk)
    UPLOAD.apply(other, "abort", by=None)
    with pytest.raises(ConflictError, match="changed by somebody else"):
        UPLOAD.apply(session, "complete", by=None, fields={"expected_files": 9})
    assert (session.state, session.expected_files) == ("open", 0)  # the object still says what it read
    session.refresh_from_db()
    assert (session.state, session.expected_files) == ("aborted", 0)
    assert [event.verb for event in events()] == ["upload.abort"]


def test_a_further_condition_holds_or_nothing_moves(session: UploadSession) -> None:
    with pytest.raises(ConflictError):
        UPLOAD.apply(session, "abort", by=None, where=Q(pseudonym="S-2"))
    assert UploadSession.objects.get().state == "open"
    UPLOAD.apply(session, "abort", by=None, where=Q(pseudonym="S-1"), fields={"expected_files": 9})
    assert session.expected_files == 9
    session.refresh_from_db()
    assert (session.state, session.expected_files) == ("aborted", 9)


def test_state_and_event_are_one_transaction(session: UploadSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("the trail cannot be written")

    def abort_and_break() -> None:
        with transaction.atomic():
            UPLOAD.apply(session, "abort", by=None)
            raise RuntimeError("what belongs to it failed")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", broken)
        with pytest.raises(RuntimeError):
            UPLOAD.apply(session, "abort", by=None)
    assert UploadSession.objects.get().state == "open"
    session.refresh_from_db()
    with pytest.raises(RuntimeError):
        abort_and_break()
    assert UploadSession.objects.get().state == "open"
    assert events() == []


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_wins(two_studies: SimpleNamespace) -> None:
    session = make_session(two_studies.a)
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def contend(event: str) -> None:
        mine = UploadSession.objects.get(pk=session.pk)
        try:
            barrier.wait()
            UPLOAD.apply(mine, event, by=None)
            outcomes.append("moved")
        except ConflictError:
            outcomes.append("lost")
        finally:
            connection.close()

    threads = [threading.Thread(target=contend, args=(event,)) for event in ("complete", "abort") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost", "lost", "lost", "moved"]
    assert len(events()) == 1
