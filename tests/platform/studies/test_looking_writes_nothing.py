"""A GET changes nothing: every address is asked, and the database sees no INSERT, UPDATE or DELETE."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.platform.studies import address_walk as walk
from tests.platform.studies.test_permission_walk import OPEN, SINGLE, built, world

__all__ = ["built", "world"]
WRITES = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"?(\w+)', re.I)
# What a person looked at or took away is an event by design, and such an event alone may be written by looking:
# a site's images (exam.open_images, case.open_images) and exports (audit.export, …).
OF_AN_EVENT = {"audit_auditevent", "audit_chainhead"}
SESSIONS = {"django_session"}
NOTED = {
    "imaging:exam", "studies:audit_csv", "api:view-hu", "api:view-frames", "api:view-slab",
    "api:case-hu", "api:case-frames", "api:case-slab",
    "dashboards:freeze_download", "dashboards:report_download", "dashboards:cases_csv",
    "dashboards:numbers_json", "dashboards:figure_csv", "dashboards:figure_json", "dashboards:grid_csv",
}  # fmt: skip


def written(client: Client, url: str) -> set[str]:
    """Return the tables that a GET writes to."""
    with CaptureQueriesContext(connection) as seen:
        client.get(url)
    found = {WRITES.match(query["sql"]) for query in seen.captured_queries}
    return {match[2].lower() for match in found if match} - SESSIONS


@pytest.mark.parametrize("who", [*SINGLE, "nobody"])
def test_every_address(world: SimpleNamespace, client_for: Callable[[Any], Client], who: str) -> None:
    number = {"reader": OPEN, "adjudicator": 8}.get(who, 9)
    exam = walk.parts_of(world.cases[number].exam)
    client = client_for(world.users[who]) if who != "nobody" else Client()
    wrong = []
    for pattern in walk.patterns():
        url = walk.url_of(pattern, slug="alpha", exam=exam)
        tables = written(client, url)
        if tables - (OF_AN_EVENT if pattern.name in NOTED else set()):
            wrong.append((url, tables))
    for url in ("/", "/health", "/demo/progress/", "/api/v1/schema/"):
        if tables := written(client, url):
            wrong.append((url, tables))
    assert wrong == []


def test_the_measure_sees_a_write(world: SimpleNamespace, client_for: Callable[[Any], Client]) -> None:
    client = client_for(world.manager)
    assert written(client, f"/studies/alpha/exams/{OPEN}/") == OF_AN_EVENT
