"""A database from when freezes were part of the dashboards goes on: its rows, content types and audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from plaquelab.audit import services as audit
from plaquelab.audit.models import AuditEvent
from plaquelab.audit.selectors import events_of
from plaquelab.dashboards.models import Calculation
from plaquelab.freezes import services
from plaquelab.freezes.models import DatasetFreeze

pytestmark = [pytest.mark.both_worlds, pytest.mark.django_db(transaction=True)]
BEFORE = [("freezes", None), ("dashboards", "0002_calculation")]
MODELS_BEFORE = [("dashboards", "0002_calculation")]


@pytest.fixture
def forward() -> Iterator[Callable[[], None]]:
    """Begin with the migrations of before; the fixture brings the database of the present, and leaves it behind."""
    MigrationExecutor(connection).migrate(BEFORE)

    def go() -> None:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())

    yield go
    go()


@pytest.fixture
def rows_of_before(two_studies: SimpleNamespace, forward: Callable[[], None]) -> SimpleNamespace:
    """A released freeze with a calculation, stored by the models of before, and an event about the freeze."""
    old: Any = MigrationExecutor(connection).loader.project_state(MODELS_BEFORE).apps
    study = two_studies.a.study
    freeze = old.get_model("dashboards", "DatasetFreeze").objects.create(
        study_id=study.pk,
        number=3,
        state="released",
        hash="f" * 64,
        files={"patients.parquet": 7},
        rows={"patients": 12},
        left_out=[["network_expert: cases that are not final yet", 2]],
        requested_by_id=two_studies.a.manager.pk,
    )
    calculation = old.get_model("dashboards", "Calculation").objects.create(
        study_id=study.pk, freeze_id=freeze.pk, kind="report", key="k" * 64, state="queued"
    )
    audit.record(
        verb="dataset_freeze.release",
        obj=("dashboards.datasetfreeze", str(freeze.pk)),
        by=two_studies.a.manager,
        study=study,
    )
    kind, _ = ContentType.objects.get_or_create(app_label="dashboards", model="datasetfreeze")
    return SimpleNamespace(freeze=freeze.pk, calculation=calculation.pk, kind=kind.pk, **vars(two_studies.a))


def _run(statement: str, number: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [number])
        connection.check_constraints()


def test_rows_stay_where_they_are(
    rows_of_before: SimpleNamespace, forward: Callable[[], None], client_for: Callable[..., Any]
) -> None:
    forward()
    freeze = DatasetFreeze.objects.get()
    assert (freeze.pk, freeze.number, freeze.state) == (rows_of_before.freeze, 3, "released")
    assert (freeze.hash, freeze.files, freeze.rows) == ("f" * 64, {"patients.parquet": 7}, {"patients": 12})
    assert freeze.left_out == [["network_expert: cases that are not final yet", 2]]
    assert freeze.requested_by == rows_of_before.manager
    calculation = Calculation.objects.get()
    assert (calculation.pk, calculation.freeze) == (rows_of_before.calculation, freeze)
    assert list(freeze.calculations.all()) == [calculation]
    page = reverse("dashboards:freeze", kwargs={"study": "alpha", "number": 3})
    assert "f" * 64 in client_for(rows_of_before.investigator).get(page).content.decode()


def test_the_database_still_holds_what_it_held(
    rows_of_before: SimpleNamespace, forward: Callable[[], None]
) -> None:
    forward()
    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetFreeze.objects.create(study=rows_of_before.study, number=3)
    made = DatasetFreeze.objects.create(study=rows_of_before.study, number=4)
    assert made.pk > rows_of_before.freeze
    orphan = "UPDATE dashboards_calculation SET freeze_id = %s"
    for statement, number in (
        (orphan, made.pk + 1),
        ("DELETE FROM dashboards_datasetfreeze WHERE id = %s", rows_of_before.freeze),
    ):
        with pytest.raises(IntegrityError):
            _run(statement, number)
    assert Calculation.objects.get().freeze_id == rows_of_before.freeze


def test_the_content_type_follows(rows_of_before: SimpleNamespace, forward: Callable[[], None]) -> None:
    forward()
    ContentType.objects.clear_cache()
    assert ContentType.objects.get_for_model(DatasetFreeze).pk == rows_of_before.kind
    assert not ContentType.objects.filter(app_label="dashboards", model="datasetfreeze").exists()


def test_a_freeze_keeps_its_name_in_the_audit_trail(
    rows_of_before: SimpleNamespace, forward: Callable[[], None]
) -> None:
    forward()
    services.note_download(freeze=DatasetFreeze.objects.get(), by=rows_of_before.manager)
    found = events_of("study:alpha", text="datasetfreeze").filter(object_id=str(rows_of_before.freeze))
    assert [event.verb for event in found] == ["dataset_freeze.download", "dataset_freeze.release"]
    assert {event.object_type for event in found} == {"dashboards.datasetfreeze"}
    assert not [problem for problem in audit.verify() if problem.startswith("chain")]
    assert not AuditEvent.objects.filter(object_type__startswith="freezes").exists()
