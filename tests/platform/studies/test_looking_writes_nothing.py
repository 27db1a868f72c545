"""A GET changes nothing: every address is asked, and the database sees no INSERT, UPDATE or DELETE."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from tests.platform.studies import address_walk as walk
from tests.platform.studies.address_walk import NOTED, OF_AN_EVENT, written
from tests.platform.studies.test_permission_walk import OPEN, SINGLE, built, world

__all__ = ["built", "world"]
pytestmark = pytest.mark.django_db


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
