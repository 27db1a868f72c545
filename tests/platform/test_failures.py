"""What nobody caught is answered in words: ours under a number that the log has, a busy database as “ask again”."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from plaquelab.accounts.models import User
from plaquelab.config.urls import handler500 as product_handler
from plaquelab.config.urls import urlpatterns as product


def break_down(request: HttpRequest) -> HttpResponse:
    raise KeyError("a patient's name")


class Urls:
    """The product's pages, and one that breaks."""

    handler500 = product_handler
    urlpatterns = [
        path("test/broken/", break_down),
        path("api/v1/test/broken/", break_down),
        *product,
    ]


@pytest.fixture
def visitor(settings: Any) -> Client:
    settings.ROOT_URLCONF = Urls
    return Client(raise_request_exception=False)


@pytest.fixture
def busy(transactional_db: None) -> Iterator[None]:
    """Somebody else writes, and we do not wait for it."""
    if connection.vendor != "sqlite":
        pytest.fail("Only SQLite has one writer: this test is of the embedded world.")
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=0")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, uri=True)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()
    connection.close()


def test_ours_has_a_number_that_the_log_knows(visitor: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = visitor.get("/test/broken/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "Research use only" in text
    assert "patient" not in text
    number = re.search(r"operator error ([0-9a-f]{12})", text)
    assert number
    assert f"error {number[1]} answers GET /test/broken/" in caplog.text
    assert "KeyError" in caplog.text  # the traceback beside it


def test_a_script_gets_code_and_reason(visitor: Client) -> None:
    answer = visitor.get("/api/v1/test/broken/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Tell the operator error" in answer.json()["detail"]


@pytest.fixture
def reader(settings: Any, transactional_db: None) -> User:
    settings.DEMONSTRATION = True
    return User.objects.create_user("reader-1", is_demonstration=True)


def test_entering_while_another_writes_is_answered_as_busy(reader: User, visitor: Client, busy: None) -> None:
    answer = visitor.post("/demo/enter/reader-1/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "The database was busy" in answer.content.decode()
