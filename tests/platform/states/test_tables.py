"""Every table: it speaks of its model's states alone, and each of them can be reached."""

from __future__ import annotations

import pkgutil
from importlib import import_module, util

import pytest
from django.apps import apps
from django.db import models

import plaquelab
from plaquelab.jobs.registry import kinds
from plaquelab.states import Machine

# What each table is a table of.
MODELS = {
    "imaging.IMPORT": "imaging.ImportJob",
    "imaging.EXAM": "imaging.Exam",
    "imaging.QUERY": "imaging.Query",
    "imaging.QUARANTINE": "imaging.Quarantine",
    "uploads.UPLOAD": "uploads.UploadSession",
    "analysis.RUN": "analysis.AnalysisRun",
    "reading.READ": "reading.Read",
    "reading.CASE": "reading.ReadCase",
    "references.IMPORT": "references.ReferenceImport",
    "dashboards.CALCULATION": "dashboards.Calculation",
    "freezes.FREEZE": "freezes.DatasetFreeze",
}


def _machines() -> dict[str, Machine]:
    found = {}
    for application in pkgutil.iter_modules(plaquelab.__path__):
        name = f"plaquelab.{application.name}.transitions"
        if application.ispkg and util.find_spec(name):
            tables = vars(import_module(name)).items()
            found |= {
                f"{application.name}.{key}": table for key, table in tables if isinstance(table, Machine)
            }
    return found


MACHINES = _machines()


def _field(name: str) -> models.Field:
    field = apps.get_model(MODELS[name])._meta.get_field(MACHINES[name].field)
    assert isinstance(field, models.Field)
    return field


def test_every_table_and_every_model_with_a_state_is_known_here() -> None:
    assert set(MACHINES) == set(MODELS)
    with_state = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith("plaquelab.") and any(f.name == "state" for f in model._meta.fields)
    }
    assert with_state == set(MODELS.values())


@pytest.mark.parametrize("name", MODELS)
def test_a_table_knows_its_models_states_alone(name: str) -> None:
    declared = {str(value) for value, _ in _field(name).choices or ()}
    table = MACHINES[name].table
    assert {str(state) for state, _ in table} <= declared
    assert {str(state) for state in table.values()} <= declared


@pytest.mark.parametrize("name", MODELS)
def test_every_state_can_be_reached_from_where_a_row_begins(name: str) -> None:
    field = _field(name)
    reached, before = {str(field.default)}, set()
    while reached != before:
        before = set(reached)
        reached |= {str(after) for (state, _), after in MACHINES[name].table.items() if str(state) in reached}
    assert reached == {str(value) for value, _ in field.choices or ()}


@pytest.mark.parametrize("name", MODELS)
def test_a_states_name_fits_its_column(name: str) -> None:
    field = _field(name)
    assert max(len(str(value)) for value, _ in field.choices or ()) <= (field.max_length or 0)


def test_no_two_tables_share_a_name_in_the_audit_trail() -> None:
    names = [machine.name for machine in MACHINES.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_a_job_that_a_worker_holds_can_always_be_taken_again_and_fail(kind) -> None:
    ends = {str(state) for (_, event), state in kind.machine.table.items() if event == "fail"}
    assert len(ends) == 1
    waiting, held = set(kind.queued_states), set(kind.running_states)
    assert not waiting & held
    # Wherever a claim or a step leads, a worker holds the job: the reaper must find it there.
    moved = {after for (state, event), after in kind.machine.table.items() if event == "claim"}
    assert moved <= held
    assert kind.machine.sources("retry")
    for state in kind.machine.sources("retry"):
        assert kind.machine.table[(state, "retry")] in waiting
