"""Freezes of a filled study, as pages show them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from tests.platform.filled_study import filled, frozen, released

__all__ = ["filled", "frozen", "released"]

# Freezes. Writing them is the slow part: each is written once a session and put into every test's study.

SIMULATED_PATIENTS = 320


@pytest.fixture(scope="session")
def simulated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated freeze on disk."""
    from analytics.simulation.freeze import simulate_freeze

    folder = tmp_path_factory.mktemp("simulated") / "freeze"
    simulate_freeze(folder, seed=3, patients=SIMULATED_PATIENTS)
    return folder


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages' freezes, their local copies and the cache of answers lie for the whole session."""
    return tmp_path_factory.mktemp("pages")


def written(world: SimpleNamespace, folder: Path, note: str) -> Path:
    """Write the study's own freeze to disk, unless an earlier test has: the rows are the same in each."""
    from plaquelab.freezes import freezing
    from plaquelab.freezes.models import DatasetFreeze

    if not folder.exists():
        freeze = DatasetFreeze(study=world.study, number=1, note=note, is_simulated=True)
        freezing.write_study(freeze=freeze, out=folder, progress=lambda *_: None)
    return folder


def stored(
    world: SimpleNamespace, folder: Path, *, state: str, source: str = "simulation", note: str = ""
) -> Any:
    """Put a freeze on disk into a study, as the worker does."""
    import json

    from plaquelab.freezes.models import DatasetFreeze
    from plaquelab.storage import store

    manifest = json.loads((folder / "manifest.json").read_text())
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    freeze = DatasetFreeze.objects.create(
        study=world.study,
        number=DatasetFreeze.objects.filter(study=world.study).count() + 1,
        source=source,
        state=state,
        note=note,
        is_simulated=True,
        hash=manifest["hash"],
        files={name: path.stat().st_size for name, path in files.items()},
        rows={name: entry["rows"] for name, entry in manifest["tables"].items() if entry["rows"]},
        frozen_at=timezone.now(),
    )
    for name, path in files.items():
        if not store().exists(f"{freeze.folder}/{name}"):
            store().put(f"{freeze.folder}/{name}", path.read_bytes())
    return freeze


@pytest.fixture
def pages(
    filled: SimpleNamespace, simulated_folder: Path, shared_folder: Path, settings: Any
) -> SimpleNamespace:
    """Study alpha with three freezes: 1 its own, released; 2 simulated, released; 3 its own, newer and not released."""
    settings.DATA_DIR = shared_folder
    settings.FILES_DIR = shared_folder / "files"
    world = filled.a
    own, newer = (written(world, shared_folder / note, note) for note in ("interim", "newer"))
    filled.own = stored(world, own, state="released", source="study", note="interim")
    filled.simulated = stored(world, simulated_folder, state="released")
    filled.newer = stored(world, newer, state="frozen", source="study", note="newer")
    return filled
