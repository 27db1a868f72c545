"""States move by the tables alone: nothing but the one executor writes a state, and every job has a table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from plaquelab.jobs.registry import kinds
from plaquelab.states import Machine

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = ROOT / "platform" / "plaquelab"
EXECUTOR = PLATFORM / "states" / "machine.py"


def _texts(node: ast.AST) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []


def state_writes(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what) of everything that writes a field ``state`` of an existing row."""
    for node in ast.walk(ast.parse(source)):
        for target in _targets(node):
            if any(isinstance(part, ast.Attribute) and part.attr == "state" for part in ast.walk(target)):
                yield node.lineno, "assignment"
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if called in ("update", "aupdate") and "state" in keywords:
            yield node.lineno, "update"
        elif called in ("bulk_update", "setattr") and "state" in _texts(node):
            yield node.lineno, called
        elif called in ("save", "asave") and "state" in _texts(keywords.get("update_fields", ast.Tuple([]))):
            yield node.lineno, "save"
        elif called == "update_or_create" and "state" in _texts(keywords.get("defaults", ast.Tuple([]))):
            yield node.lineno, called


@pytest.mark.parametrize(
    "source",
    [
        "job.state = 'failed'",
        "a, job.state = 1, 'failed'",
        "Job.objects.filter(pk=1).update(state='failed', message='')",
        "Job.objects.bulk_update(jobs, ['state'])",
        "setattr(job, 'state', 'failed')",
        "job.save(update_fields=['state'])",
        "Job.objects.update_or_create(pk=1, defaults={'state': 'failed'})",
    ],
)
def test_every_way_of_writing_a_state_is_seen(source: str) -> None:
    assert list(state_writes(source))


@pytest.mark.parametrize(
    "source",
    [
        "Job.objects.create(state='queued')",
        "Job.objects.filter(state='queued')",
        "Job.objects.filter(state='running').update(lease_until=None)",
        "state = job.state",
        "job.refresh_from_db(fields=['state'])",
    ],
)
def test_reading_and_making_are_no_writes(source: str) -> None:
    assert not list(state_writes(source))


def test_only_the_executor_writes_a_state() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in sorted(PLATFORM.rglob("*.py"))
        if path != EXECUTOR and "migrations" not in path.parts
        for line, what in state_writes(path.read_text())
    ]
    assert found == []


def test_the_executor_writes_by_one_conditional_update() -> None:
    updates = [
        node
        for node in ast.walk(ast.parse(EXECUTOR.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
    ]
    assert len(updates) == 1


def test_every_kind_of_job_has_its_table_in_its_applications_transitions() -> None:
    names = {kind.name for kind in kinds()}
    assert names >= {"import job", "analysis run", "dataset freeze", "calculation"}
    for kind in kinds():
        application = kind.machine and kind.model.__module__.rpartition(".")[0]
        tables = vars(import_module(f"{application}.transitions")).values()
        assert any(isinstance(table, Machine) and table is kind.machine for table in tables), kind.name
