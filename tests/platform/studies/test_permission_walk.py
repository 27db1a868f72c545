"""Every address × every role and every pair with a reading role: who gets what, and that nobody gets around blinding."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

from plaquelab.studies.models import Membership, Role
from plaquelab.studies.permissions import TABLE, Capability
from tests.platform.conftest import make_study
from tests.platform.ready_cases import sign_as, store_run
from tests.platform.studies import address_walk as walk

# The state is built once a module; the mark tells that there must be a database.
pytestmark = pytest.mark.django_db

ALL = "manager coordinator technician reader adjudicator investigator auditor"
# The core lab's own table, written a second time on purpose: this is what the house is measured by.
CORE_LAB = {
    "take_part": ALL,
    "upload": "manager technician coordinator",
    "see_own_site": "coordinator",
    "see_exams": "manager technician auditor coordinator",
    "answer_queries": "manager technician coordinator",
    "control_quality": "manager technician",
    "see_quarantine": "manager technician auditor",
    "see_runs": "manager technician auditor",
    "start_analysis": "manager technician",
    "see_network": "manager technician auditor",
    "read": "reader",
    "adjudicate": "adjudicator",
    "open_own_cases": "reader adjudicator",
    "see_every_case": "manager auditor",
    "assign": "manager",
    "export_reads": "manager",
    "see_progress": "manager",
    "see_final_images": "investigator",
    "see_dashboards": "manager investigator auditor",
    "see_unreleased": "manager auditor",
    "calculate": "manager investigator",
    "freeze": "manager",
    "see_references": "manager auditor",
    "import_references": "manager",
    "see_audit": "manager auditor",
}
TELLS_OF_ALL = "see_dashboards see_unreleased calculate freeze see_references import_references see_audit"
# Pages that ask for any part in the study and then decide by what is the person's own.
DECIDED_LATER = {
    "reading:cases": "reader adjudicator manager auditor",
    "reading:case": "",
    "reading:exam_view": "manager technician auditor",
}
# The API knows no page: its doors are the selectors of reading.
API = {"api:cases": ALL, "api:case": "", "api:view": "manager technician auditor"}
SINGLE = ALL.split()
PAIRS = [
    *(("reader", other) for other in SINGLE if other != "reader"),
    *(("adjudicator", other) for other in SINGLE if other not in ("reader", "adjudicator")),
]
OPEN, OTHER = 7, 9


def _built() -> SimpleNamespace:
    """Study alpha: exam 7 is being read, 8 waits for the adjudicator, 9 is nobody's yet; beta has an exam 7 too."""
    from plaquelab.reading.services import assign, assign_adjudicator

    a, b = make_study("alpha"), make_study("beta")
    cases = {number: store_run(a, number) for number in (OPEN, 8, OTHER)}
    cases["beta"] = store_run(b, OPEN)
    for case in cases.values():
        _complete(case.exam, a if case.study == a.study else b)
    assign(case=cases[OPEN], readers=[a.reader, a.reader2], by=a.manager)
    others = assign(case=cases[8], readers=[a.reader, a.reader2], by=a.manager)
    sign_as(others[0], a.reader, thick=1.2)
    sign_as(others[1], a.reader2, thick=6.0)
    cases[8].refresh_from_db()
    assign_adjudicator(case=cases[8], adjudicator=a.adjudicator, by=a.manager)
    return SimpleNamespace(**{**vars(a), "cases": cases, "other": b})


@pytest.fixture(scope="module")
def built(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """One state of the database for every test of a module; it is rolled back at the end."""
    folder = tmp_path_factory.mktemp("walk")
    folders = {"DATA_DIR": folder, "FILES_DIR": folder / "files", "AUDIT_HEADS_FILE": folder / "heads.jsonl"}
    with django_db_blocker.unblock(), override_settings(**folders), transaction.atomic():
        yield SimpleNamespace(**vars(_built()), folders=folders)
        transaction.set_rollback(True)


@pytest.fixture
def world(built: SimpleNamespace, settings: Any) -> Iterator[SimpleNamespace]:
    """That state for one test, which leaves it as it was; refusals are expected by the hundred and not logged."""
    for name, folder in built.folders.items():
        setattr(settings, name, folder)
    logging.disable(logging.CRITICAL)
    with transaction.atomic():
        yield built
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


def read_of(world: SimpleNamespace, person: Any) -> Any:
    """Return a person's read of exam 7 as it is stored now."""
    from plaquelab.reading.models import Read

    return Read.objects.get(case=world.cases[OPEN], assignment__reader=person, assignment__round=1)


def _complete(exam: Any, world: SimpleNamespace) -> None:
    """Give an exam what its pages need: pixels, a query and a held object."""
    import hashlib

    import numpy as np

    from inference.scan import Volume
    from plaquelab.imaging.models import Quarantine, Query, QueryMessage
    from plaquelab.storage import store

    hu = np.zeros((30, 8, 8), np.int16)
    data = Volume(hu=hu, affine=np.diag([0.5, 0.5, 0.5, 1.0])).to_bytes()
    store().put(f"exams/{exam.pk}/volume.npz", data)
    row = exam.volume
    row.path, row.sha256 = f"exams/{exam.pk}/volume.npz", hashlib.sha256(data).hexdigest()
    row.save()
    query = Query.objects.create(study=exam.study, exam=exam)
    # Pages say how long ago: three days and some minutes are “3 days” for as long as a test may take.
    Query.objects.filter(pk=query.pk).update(opened_at=timezone.now() - timedelta(days=3, minutes=5))
    QueryMessage.objects.create(query=query, by=world.manager, text="Which kernel was used?")
    Quarantine.objects.create(
        study=exam.study, job=exam.import_job, file_index=0, code="not-ct", message="a dose report", size=1
    )


def through(response: Any) -> bool:
    """Whether somebody got through the door: neither refused, nor told that there is nothing, nor sent to log in."""
    to_log_in = response.status_code == 302 and "/accounts/" in response["Location"]
    return response.status_code not in (401, 403, 404) and not to_log_in


def wanted(pattern: walk.Pattern, response: Any) -> str:
    """Return the roles that an address is for, by the capability that it asked for."""
    if pattern.app == "api":
        return API[pattern.name.partition("-")[0]]
    asked = getattr(response.wsgi_request, "capability", None)
    assert asked is not None, f"{pattern.name} opens a study without a capability"
    return DECIDED_LATER[pattern.name] if asked == Capability.TAKE_PART else CORE_LAB[asked]


def test_the_table_is_the_core_labs() -> None:
    assert {str(c): sorted(map(str, grant.all_roles)) for c, grant in TABLE.items()} == {
        name: sorted(roles.split()) for name, roles in CORE_LAB.items()
    }
    assert [str(c) for c, grant in TABLE.items() if grant.tells_of_all] == TELLS_OF_ALL.split()
    assert {str(c) for c, grant in TABLE.items() if grant.own_site} == {
        "upload", "see_own_site", "see_exams", "answer_queries"
    }  # fmt: skip
    assert set(Capability) == set(TABLE)
    assert set(SINGLE) == set(Role.values)


def test_single_roles(world: SimpleNamespace, client_for: Callable[[Any], Client]) -> None:
    """Each role gets what the core lab's table grants it; another study's people do not learn that there is one."""
    exam = walk.parts_of(world.cases[OTHER].exam)
    wrong = []
    for who in [*SINGLE, "stranger", "nobody"]:
        user = world.other.manager if who == "stranger" else world.users.get(who)
        client = client_for(user) if user is not None else Client()
        for pattern in walk.patterns():
            if pattern.of_the_own_case:
                continue  # The person's own cases: below, and in tests/platform/api.
            url = walk.url_of(pattern, slug="alpha", exam=exam)
            for method in walk.methods_of(pattern, url):
                response = walk.ask(client, method, url)
                if who in ("stranger", "nobody"):
                    if through(response) or (who == "stranger" and response.status_code != 404):
                        wrong.append((who, method, url, response.status_code))
                    continue
                allowed = who in wanted(pattern, response).split()
                if pattern.app in walk.OF_THE_WHOLE_STUDY or "session" in pattern.parameters:
                    right = (
                        response.status_code != 403
                    ) == allowed  # There is no freeze, and no upload of theirs.
                else:
                    right = through(response) == allowed
                if not right:
                    wrong.append((who, method, url, response.status_code))
    assert wrong == []


@pytest.mark.parametrize(("role", "also"), PAIRS)
def test_pairs_of_roles(
    world: SimpleNamespace, client_for: Callable[[Any], Client], role: str, also: str
) -> None:
    """What waits for the own read is closed whatever else one is; what does not wait opens as for the other role."""
    user = world.users[role]
    hidden = world.cases[8 if role == "adjudicator" else OPEN].exam
    free = world.cases[OTHER].exam
    site = world.site if also == "coordinator" else None
    Membership.objects.create(user=user, study=world.study, role=also, site=site)
    # The person has sent both exams herself.
    type(free.import_job.session).objects.update(by=user)
    single = world.users[also]
    client, alone = client_for(user), client_for(single)
    secrets, wrong = walk.secrets_of(hidden), []
    for pattern in walk.patterns():
        if pattern.of_the_own_case:
            continue
        url = walk.url_of(pattern, slug="alpha", exam=walk.parts_of(hidden))
        elsewhere = walk.url_of(pattern, slug="alpha", exam=walk.parts_of(free))
        for method in walk.methods_of(pattern, url):
            response = walk.ask(client, method, url)
            told = [secret for secret in secrets if secret in response.text_of_it.replace(url, "")]
            if told or (pattern.of_the_exam and response.status_code not in (403, 404)):
                wrong.append((method, url, response.status_code, told))
            other = walk.ask(client, method, elsewhere)
            if pattern.app == "api" or getattr(other.wsgi_request, "capability", "") == Capability.TAKE_PART:
                continue
            asked = other.wsgi_request.capability
            if asked in TELLS_OF_ALL.split() or {role, also}.isdisjoint(CORE_LAB[asked].split()):
                right = other.status_code == 403
            else:
                right = through(other)
            if not right:
                wrong.append((method, elsewhere, other.status_code, "of an exam that does not wait"))
    assert wrong == []
    view = f"/api/v1/studies/alpha/exams/{free.number}/view/"
    assert client.get(view).status_code == alone.get(view).status_code
    assert client.get("/studies/alpha/cases/1/").status_code == 200
    assert client.get(f"/studies/beta/exams/{OPEN}/").status_code == 404


def _tell_about(world: SimpleNamespace) -> None:
    """Everything happens to exam 7 that could be seen on a list or in a count."""
    from plaquelab.imaging.models import ImportIssue, ImportJob, Query
    from plaquelab.reading.models import Read

    hidden = world.cases[OPEN].exam
    other = read_of(world, world.reader2)
    sign_as(other, world.reader2, thick=6.0)
    Read.objects.filter(pk=other.pk).update(active_seconds=900)
    run = hidden.runs.get()
    run.pk, run.state, run.purpose, run.message = None, "failed", "given_extents", "The scan has no contrast."
    run._state.adding = True
    run.parameters_sha256 = "f" * 64
    run.save()
    ImportJob.objects.filter(exam=hidden).update(state="partial")
    ImportIssue.objects.create(job=hidden.import_job, code="gap", message="a slice is missing")
    Query.objects.filter(exam=hidden).update(state="answered")


@pytest.mark.parametrize("also", [role for role in SINGLE if role != "reader"])
def test_lists_and_counts_do_not_move(
    world: SimpleNamespace, client_for: Callable[[Any], Client], also: str
) -> None:
    """Every list, count and export is the same, byte by byte, whatever happens to the exam that waits."""
    site = world.site if also == "coordinator" else None
    Membership.objects.create(user=world.reader, study=world.study, role=also, site=site)
    client = client_for(world.reader)
    exam = walk.parts_of(world.cases[OTHER].exam)

    def seen() -> dict[str, str]:
        found = {}
        for pattern in walk.patterns():
            url = walk.url_of(pattern, slug="alpha", exam=exam)
            if not pattern.of_the_own_case and "GET" in walk.methods_of(pattern, url):
                found[url] = walk.ask(client, "GET", url).text_of_it
        return found

    before = seen()
    with transaction.atomic():
        _tell_about(world)
        after = seen()
        transaction.set_rollback(True)
    assert [url for url in before if before[url] != after[url]] == []
    # The measure itself works: who has no part in the case sees it move.
    if also == "manager":
        alone = client_for(world.manager)
        pages = ("/studies/alpha/progress/", "/studies/alpha/case-list/", "/studies/alpha/runs/")
        before = {url: walk.ask(alone, "GET", url).text_of_it for url in pages}
        _tell_about(world)
        assert all(walk.ask(alone, "GET", url).text_of_it != text for url, text in before.items())


def test_a_case_opens_again_when_it_is_over(
    world: SimpleNamespace, client_for: Callable[[Any], Client]
) -> None:
    """Her own signature is not enough: the case can still come back. Final is."""
    from plaquelab.reading.models import Read

    for role in ("technician", "manager"):
        Membership.objects.create(user=world.reader, study=world.study, role=role)
    client = client_for(world.reader)
    addresses = [f"/studies/alpha/exams/{OPEN}/", f"/studies/alpha/exams/{OPEN}/view/"]
    view = f"/api/v1/studies/alpha/exams/{OPEN}/view/"
    assert {client.get(url).status_code for url in addresses} == {404}
    own, other = read_of(world, world.reader), read_of(world, world.reader2)
    sign_as(own, world.reader)
    assert {client.get(url).status_code for url in addresses} == {404}
    assert client.get(view).status_code == client.post(f"{view}opening/").status_code == 404
    sign_as(other, world.reader2)
    assert {client.get(url).status_code for url in addresses} == {200}
    assert client.post(f"{view}opening/").status_code == client.get(view).status_code == 200
    # A hidden second reading closes it once more, and a role that has ended opens nothing.
    Read.objects.filter(pk=own.pk).update(state="in_progress")
    assert {client.get(url).status_code for url in [*addresses, view]} == {404}
    world.reader.memberships.filter(role="reader").update(
        ends_at="2026-01-01T00:00Z", starts_at="2025-01-01T00:00Z"
    )
    assert {client.get(url).status_code for url in addresses} == {404}
    assert client.get("/studies/alpha/audit/").status_code == 403


def test_a_reader_here_is_free_elsewhere(world: SimpleNamespace, client_for: Callable[[Any], Client]) -> None:
    Membership.objects.create(user=world.reader, study=world.other.study, role="manager")
    client = client_for(world.reader)
    for url in (f"exams/{OPEN}/", "runs/", "case-list/", "audit/", "references/", "freezes/"):
        assert client.get(f"/studies/beta/{url}").status_code == 200, url


@pytest.mark.parametrize("roles", [*((role,) for role in SINGLE), *PAIRS], ids="-".join)
def test_menus_offer_what_one_may_open(
    world: SimpleNamespace, client_for: Callable[[Any], Client], roles: tuple[str, ...]
) -> None:
    user = world.users[roles[0]]
    for role in roles[1:]:
        site = world.site if role == "coordinator" else None
        Membership.objects.create(user=user, study=world.study, role=role, site=site)
    client = client_for(user)
    page = client.get("/", follow=True)
    assert page.status_code == 200
    offered = re.findall(r'class="nav-link" href="([^"]+)"', page.content.decode())
    assert offered
    assert {
        url: client.get(url).status_code for url in offered if client.get(url).status_code not in (200, 302)
    } == {}


def test_pairs_are_all_that_include_a_reading_role() -> None:
    every = {frozenset(pair) for pair in itertools.combinations(Role.values, 2)}
    assert {frozenset(pair) for pair in PAIRS} == {p for p in every if p & {"reader", "adjudicator"}}
