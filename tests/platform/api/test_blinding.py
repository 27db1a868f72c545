"""What a reader is told is the same, byte by byte, whatever the other reader has done."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from inference.doubts import Doubt
from plaquelab.reading.services import assign_cases
from tests.platform.ready_cases import FORM, PASSWORD, read_as, sign_as, store_run

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/studies/alpha/cases/1/"
VERB = {"vessel": "LAD", "version": 0, "command": {"type": "add_lesion", "start_mm": 6.0, "end_mm": 12.0}}


def everything(client: Client) -> dict[str, Any]:
    """Return all that a reader can fetch about the own case: bodies, and names of headers and cookies."""
    client.post(f"{ROOT}opening/")
    case = client.get(ROOT)
    seen = {
        "case": case.json(),
        "headers": sorted(case.headers),
        "list": client.get("/api/v1/studies/alpha/cases/").json(),
    }
    for vessel in case.json()["vessels"]:
        seen[vessel["state"]] = client.get(vessel["state"]).json()
        seen[vessel["hu"]] = client.get(vessel["hu"]).content
    page = client.get("/studies/alpha/cases/").content.decode()
    seen["page"] = re.sub(r'(csrf-token" content|csrfmiddlewaretoken" value)="[^"]+"', "", page)
    return seen


def other_opens(world: SimpleNamespace) -> None:
    from plaquelab.reading.services import start_read

    start_read(read=world.reads[0], by=world.reader)


def other_edits(world: SimpleNamespace) -> None:
    read_as(world.reads[0], world.reader, thick=4.0)


def other_signs(world: SimpleNamespace) -> None:
    sign_as(world.reads[0], world.reader, thick=6.0)


@pytest.mark.parametrize("other", [other_opens, other_edits, other_signs])
def test_the_second_reader_cannot_tell(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client], other: Callable[[SimpleNamespace], None]
) -> None:
    client = client_for(assigned.reader2)
    before = everything(client)
    other(assigned)
    assert everything(client) == before


def test_the_answer_to_a_signature_is_the_same_for_the_first_and_the_last(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    answers, seen = [], []
    for person in (assigned.reader, assigned.reader2):
        client = client_for(person)
        body = client.post(f"{ROOT}opening/").json()
        client.post(body["commands_url"], json.dumps(VERB), content_type="application/json")
        sent = json.dumps({"password": PASSWORD, "form": FORM})
        answer = client.post(body["sign_url"], sent, content_type="application/json").json()
        answers.append(sorted(answer))
        after = client.get(ROOT).json()
        seen.append((after["state"], after["next_url"], answer["next_url"], after["patient"], after["label"]))
    assert answers[0] == answers[1]
    assert seen[0] == seen[1]
    assert seen[0][0] == "signed"


def test_no_answer_names_site_subject_scanner_or_another_person(
    discordant: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    hidden = ("alpha North", "alpha-north", "alpha-subject-7", "exam", "drawn", "reader2", "alpha reader 2")
    texts = []
    for person, other in ((discordant.reader, "alpha reader2"), (discordant.reader2, '"alpha reader"')):
        client = client_for(person)
        seen = everything(client)
        texts.append(
            json.dumps({key: value for key, value in seen.items() if isinstance(value, (dict, list))})
        )
        assert other not in seen["page"]
        assert not any(word in seen["page"] for word in hidden[:3])
    client = client_for(discordant.adjudicator)
    case = client.post(f"{ROOT}opening/").json()
    texts += [json.dumps(case), client.get(case["adjudication_url"]).content.decode()]
    texts.append(client.get(f"{case['vessels'][0]['state']}?side=B").content.decode())
    page = client.get("/studies/alpha/cases/").content.decode()
    assert "alpha reader" not in page
    for text in texts:
        for word in hidden:
            assert word not in text, word
        assert not re.search(r"alpha[- ]reader", text)


def test_numbers_do_not_tell_the_other_order(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    """Each reader gets 1…n in an own permutation that its stored seed reproduces; numbers beyond do not exist."""
    import random

    a = two_studies.a
    cases = [store_run(a, number) for number in range(1, 7)]
    assign_cases(cases=cases, readers=[a.reader, a.reader2], by=a.manager)
    orders = []
    for person in (a.reader, a.reader2):
        mine = list(person.assignments.order_by("case__exam__number"))
        orders.append([part.order_index for part in mine])
        assert sorted(orders[-1]) == [1, 2, 3, 4, 5, 6]
        shuffled = random.Random(mine[0].seed).sample(range(6), 6)
        assert [1 + place for place in shuffled] == orders[-1]
    assert orders[0] != orders[1]
    assert orders[0] != [1, 2, 3, 4, 5, 6]
    client = client_for(a.reader)
    found = [n for n in range(0, 40) if client.get(f"/api/v1/studies/alpha/cases/{n}/").status_code == 200]
    assert found == [1, 2, 3, 4, 5, 6]
    assert [item["n"] for item in client.get("/api/v1/studies/alpha/cases/").json()] == found


def test_readers_who_share_a_browser_get_their_own_images(
    two_studies: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    """Kept images are addressed by what they are, so that case 1 of one person is never shown as another's."""
    a = two_studies.a
    cases = [store_run(a, number) for number in (1, 2, 3)]
    assign_cases(cases=cases, readers=[a.reader, a.reader2], by=a.manager)
    first = client_for(a.reader).get(ROOT).json()
    vessel = first["vessels"][0]
    case = a.reader.assignments.get(order_index=1).case
    assert case.run.vessels.get(name="LAD").sha256[:16] in vessel["hu"]
    assert vessel["hu"] != first["vessels"][1]["hu"]


def test_network_contours_stay_hidden_from_a_threshold_read(
    assigned: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    from plaquelab.analysis.selectors import load_contours, network_contours

    client = client_for(assigned.reader)
    state = client.get(client.post(f"{ROOT}opening/").json()["vessels"][0]["state"]).json()
    network = load_contours(network_contours(assigned.case.run.vessels.get(name="LAD")))
    import base64

    assert base64.b64decode(state["wall"]) != network.wall_radius.tobytes()
    assert state["lesions"] == []
    assert (
        client.get(client.get(ROOT).json()["vessels"][0]["state"], {"side": "network"}).json()["wall"]
        == state["wall"]
    )
    assert assigned.reads[0].saw_network is False


def test_network_contours_are_the_start_where_the_charter_says_so(
    ready_case: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    import base64

    from plaquelab.analysis.selectors import load_contours, network_contours
    from plaquelab.reading.services import assign

    rules = {**ready_case.charter.rules, "start_from": "network"}
    type(ready_case.charter).objects.filter(pk=ready_case.charter.pk).update(rules=rules)
    ready_case.case.refresh_from_db()
    ready_case.case.charter.refresh_from_db()
    run = ready_case.case.run
    run.doubts = [Doubt("no_border_contrast", "LAD", 1, 0.0, 900.0, measure=40.0).to_dict()]
    run.save()
    reads = assign(
        case=ready_case.case, readers=[ready_case.reader, ready_case.reader2], by=ready_case.manager
    )
    client = client_for(ready_case.reader)
    state = client.get(client.post(f"{ROOT}opening/").json()["vessels"][0]["state"]).json()
    network = load_contours(network_contours(ready_case.case.run.vessels.get(name="LAD")))
    assert base64.b64decode(state["wall"]) == network.wall_radius.tobytes()
    (lesion,) = state["lesions"]
    assert [doubt["code"] for doubt in lesion["doubts"]] == ["no_border_contrast"]
    # What the reader measures now is nobody's to calibrate.
    assert all(metric["interval_low"] is None for metric in lesion["metrics"].values())
    assert reads[0].saw_network is True
