"""Questions to sites about exams: open, answer, close, reopen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.errors import Refusal
from plaquelab.imaging.models import Exam, Query, QueryMessage
from plaquelab.imaging.transitions import EXAM, QUERY

if TYPE_CHECKING:
    from plaquelab.accounts.models import User


class QueryError(Refusal):
    """A query that is not complete."""

    code = "query-incomplete"


def _say(query: Query, *, by: User, text: str) -> None:
    QueryMessage.objects.create(query=query, by=by, text=text)


def _required(text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise QueryError(f"{what} needs a text.")
    if len(text) > 4000:
        raise QueryError(f"{what} is longer than 4000 characters.")
    return text


@transaction.atomic
def open_query(*, exam: Exam, by: User, text: str) -> Query:
    """Ask the exam's site a question; the exam waits for the answer.

    Raises
    ------
    QueryError
        There is no text.
    TransitionError
        The exam was already decided.
    """
    text = _required(text, "A query")
    if exam.state != Exam.State.QUERIED:
        EXAM.apply(exam, "query", by=by, reason=text)
    query = Query.objects.create(study=exam.study, exam=exam)
    _say(query, by=by, text=text)
    audit.record(
        verb="query.open", obj=query, by=by, study=exam.study, after={"exam": exam.number, "text": text}
    )
    return query


@transaction.atomic
def answer_query(*, query: Query, by: User, text: str) -> Query:
    """Answer an open query; when none is open any more, the exam is back in quality control."""
    text = _required(text, "An answer")
    QUERY.apply(query, "answer", by=by, reason=text)
    _say(query, by=by, text=text)
    _back_to_control(query.exam, by=by)
    return query


@transaction.atomic
def close_query(*, query: Query, by: User, text: str = "") -> Query:
    """Close a query: it is settled."""
    QUERY.apply(query, "close", by=by, reason=text, fields={"closed_at": timezone.now()})
    if text.strip():
        _say(query, by=by, text=_required(text, "A remark"))
    _back_to_control(query.exam, by=by)
    return query


@transaction.atomic
def reopen_query(*, query: Query, by: User, text: str) -> Query:
    """Ask again, with a text, while the exam is undecided.

    Raises
    ------
    QueryError
        There is no text, or the exam was decided.
    """
    text = _required(text, "Reopening a query")
    exam = query.exam
    if exam.state not in (Exam.State.QC_PENDING, Exam.State.QUERIED):
        raise QueryError("The exam was decided: its queries stay closed.")
    QUERY.apply(query, "reopen", by=by, reason=text, fields={"closed_at": None})
    _say(query, by=by, text=text)
    if exam.state == Exam.State.QC_PENDING:
        EXAM.apply(exam, "query", by=by, reason=text)
    return query


def _back_to_control(exam: Exam, *, by: User) -> None:
    exam.refresh_from_db(fields=["state"])
    if exam.state == Exam.State.QUERIED and not exam.queries.filter(state=Query.State.OPEN).exists():
        EXAM.apply(exam, "answer", by=by, detail={"open_queries": 0})
