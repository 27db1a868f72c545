"""Every endpoint × every person of two studies: who gets what, and who does not learn that it exists."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from plaquelab.api.urls import urlpatterns
from tests.platform.conftest import ROLES
from tests.platform.ready_cases import FORM, PASSWORD

pytestmark = pytest.mark.django_db
NOBODY = "nobody"
PEOPLE = [*(f"a.{role}" for role in ROLES), *(f"b.{role}" for role in ROLES), NOBODY]


def addresses(
    world: SimpleNamespace, prefix: str, names: dict[str, Any]
) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return name → (method, url, body) of every endpoint of a case or view of study A."""
    run = world.case.run
    vessel = run.vessels.get(name="LAD")
    slab = run.exam.volume.slabs.get(index=0)
    digest = {"vessel": "LAD", "digest": vessel.sha256[:16]}
    urls = {
        prefix: {},
        f"{prefix}-state": {"vessel": "LAD"},
        f"{prefix}-hu": digest,
        f"{prefix}-frames": digest,
        f"{prefix}-slab": {"index": 0, "digest": slab.sha256[:16]},
    }
    opening = f"{prefix}-opening"
    made: dict[str, tuple[str, str, dict[str, Any]]] = {
        opening: ("post", reverse(f"api:{opening}", kwargs=names), {})
    }
    made |= {
        name: ("get", reverse(f"api:{name}", kwargs={**names, **more}), {}) for name, more in urls.items()
    }
    if prefix == "case":
        command = {"vessel": "LAD", "version": 0, "command": {"type": "mark_reviewed", "reviewed": True}}
        form = {"form": FORM}
        decision = {"choose": "A", "reason": "the wall follows the vessel", "password": PASSWORD}
        made["case-commands"] = ("post", reverse("api:case-commands", kwargs=names), command)
        made["case-revisions"] = ("post", reverse("api:case-revisions", kwargs=names), form)
        made["case-signature"] = (
            "post",
            reverse("api:case-signature", kwargs=names),
            {**form, "password": PASSWORD},
        )
        made["case-adjudication"] = ("get", reverse("api:case-adjudication", kwargs=names), {})
        made["decide"] = ("post", reverse("api:case-adjudication", kwargs=names), decision)
    return made


def person(world: SimpleNamespace, who: str) -> Any:
    if who == NOBODY:
        return None
    study, role = who.split(".")
    return (world if study == "a" else world.other).users[role]


def status(client_for: Callable[[Any], Client], user: Any, call: tuple[str, str, dict[str, Any]]) -> int:
    client = client_for(user) if user is not None else Client()
    method, url, body = call
    if method == "get":
        return client.get(url).status_code
    return client.post(url, json.dumps(body), content_type="application/json").status_code


def test_the_table_covers_every_endpoint(assigned: SimpleNamespace) -> None:
    known = {"schema", "cases", *addresses(assigned, "case", {"study": "alpha", "n": 1})}
    known |= set(addresses(assigned, "view", {"study": "alpha", "number": 7}))
    assert {pattern.name for pattern in urlpatterns} == known - {"decide"}  # type: ignore[union-attr]


def test_only_the_assigned_readers_reach_a_case(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    calls = addresses(assigned, "case", {"study": "alpha", "n": 1})
    # A reader signs first: the other reader's answers below must not care.
    order = sorted(PEOPLE, key=lambda who: who not in ("a.reader", "a.reader2"))
    for who in order:
        for name, call in calls.items():
            got = status(client_for, person(assigned, who), call)
            if who == NOBODY:
                expected = 403
            elif who not in ("a.reader", "a.reader2") or name in ("case-adjudication", "decide"):
                expected = 404
            else:
                expected = 200
            assert got == expected, (who, name, got)


def test_only_the_adjudicator_of_a_discordant_case_reaches_it(
    discordant: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    calls = addresses(discordant, "case", {"study": "alpha", "n": 1})
    method, url, body = calls["case-state"]
    calls["case-state"] = (method, f"{url}?side=A", body)
    read_only = ("case-commands", "case-revisions", "case-signature")
    for name, call in calls.items():
        got = status(client_for, discordant.adjudicator, call)
        assert got == (404 if name in read_only else 200), (name, got)
    assert status(client_for, discordant.other.adjudicator, calls["case"]) == 404
    assert status(client_for, discordant.adjudicator, (method, url, body)) == 404


@pytest.mark.parametrize("stage", ["assigned", "final"])
def test_who_views_an_exam(
    stage: str, assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    from tests.platform.ready_cases import sign_as

    allowed = {"a.manager", "a.technician", "a.auditor"}
    if stage == "final":
        for read, reader in zip(assigned.reads, (assigned.reader, assigned.reader2), strict=True):
            sign_as(read, reader)
        rules = {**assigned.charter.rules, "investigators_see_images": True}
        type(assigned.charter).objects.filter(pk=assigned.charter.pk).update(rules=rules)
        allowed.add("a.investigator")
    for who in PEOPLE:
        for name, call in addresses(assigned, "view", {"study": "alpha", "number": 7}).items():
            got = status(client_for, person(assigned, who), call)
            assert got == (403 if who == NOBODY else 200 if who in allowed else 404), (who, name, got)


def test_sources_of_a_view_by_role(discordant: SimpleNamespace, client_for: Callable[[Any], Client]) -> None:
    root = reverse("api:view", kwargs={"study": "alpha", "number": 7})
    state = reverse("api:view-state", kwargs={"study": "alpha", "number": 7, "vessel": "LAD"})
    manager, technician = client_for(discordant.manager), client_for(discordant.technician)
    for client in (manager, technician):
        assert client.get(root).status_code == client.get(state).status_code == 409
        assert client.post(f"{root}opening/").status_code == 200
    assert manager.get(root).json()["sources"] == ["network", "reader 1", "reader 2"]
    assert manager.get(root).json()["permissions"] == {"edit": False, "sign": False, "adjudicate": False}
    assert technician.get(root).json()["sources"] == ["network"]
    one = manager.get(state, {"side": "reader 2"}).json()
    assert one["wall"] != manager.get(state).json()["wall"]
    assert technician.get(state, {"side": "reader 2"}).status_code == 404
    assert manager.get(state, {"side": "final"}).status_code == 404


def test_who_has_a_part_in_a_case_does_not_oversee_it(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    """A reader who is also a manager stays blinded until the case is final."""
    from plaquelab.reading.selectors import visible_cases
    from plaquelab.studies.models import Membership

    Membership.objects.create(user=assigned.reader, study=assigned.study, role="manager")
    root = reverse("api:view", kwargs={"study": "alpha", "number": 7})
    assert client_for(assigned.reader).get(root).status_code == 404
    assert not visible_cases(assigned.reader, assigned.study).exists()
    assert visible_cases(assigned.manager, assigned.study).exists()


def test_a_role_that_has_ended_opens_nothing(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    from django.utils import timezone

    assigned.reader.memberships.update(ends_at=timezone.now())
    assert client_for(assigned.reader).get("/api/v1/studies/alpha/cases/1/").status_code == 404
    assert client_for(assigned.reader).get("/api/v1/studies/alpha/cases/").status_code == 404
