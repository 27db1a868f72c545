"""One attempt at a freeze: build the tables and pictures, and store the files."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from analytics.errors import AnalyticsError
from analytics.freeze import About, read_freeze, write_freeze
from analytics.simulation.freeze import simulate_freeze
from inference.vocabulary import TERRITORIES, territory_of
from plaquelab.audit import services as audit
from plaquelab.freezes import panels
from plaquelab.freezes.dataset import Dataset, build
from plaquelab.freezes.measuring_code import made_by, software
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.jobs import services as jobs
from plaquelab.jobs.attempt import End, Progress, attempt
from plaquelab.reading.charter import read_design
from plaquelab.references.vocabulary import DEATHS
from plaquelab.storage import store
from plaquelab.studies.models import Study
from plaquelab.studies.selectors import current_charter

ENDPOINT = "myocardial_infarction"
BY_CONVENTION = ("LM", "RI", "AM")
"""Vessels that other labs count elsewhere: a freeze says where they count here."""


@dataclass(frozen=True)
class Written:
    """A freeze on disk: its hash, files with sizes, and what its row will say."""

    hash: str
    files: dict[str, int]
    rows: dict[str, int]
    left_out: list[list[Any]]
    measured_by: dict[str, int]
    made_by: dict[str, str]


def execute(freeze_id: int) -> DatasetFreeze | None:
    """Run one attempt. Returns None when there was nothing to do (somebody else has it, or it has ended)."""
    return attempt(DatasetFreeze, freeze_id, what="freeze", work=_build_and_store, meaning=_meaning)


def _meaning(_: DatasetFreeze, error: Exception) -> End | None:
    # The format refused the study's tables: the text names table, column and row.
    return End("fail", f"The tables cannot be frozen: {error}") if isinstance(error, AnalyticsError) else None


def _build_and_store(freeze: DatasetFreeze, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix="freeze-") as folder:
        out = Path(folder) / "freeze"
        if freeze.source == DatasetFreeze.Source.STUDY:
            written = write_study(freeze=freeze, out=out, progress=progress)
        else:
            written = write_simulation(out=out, progress=progress)
        progress("store", 0.0)
        for name in written.files:
            store().put(f"freezes/{freeze.study_id}/{written.hash}/{name}", (out / name).read_bytes())
    with transaction.atomic():
        jobs.finish(
            freeze,
            "freeze",
            stage="done",
            hash=written.hash,
            files=written.files,
            rows=written.rows,
            left_out=written.left_out,
            measured_by=written.measured_by,
            made_by=written.made_by,
            frozen_at=timezone.now(),
        )
        audit.record(
            verb="dataset_freeze.hash",
            obj=freeze,
            by=freeze.requested_by,
            study=freeze.study,
            after={"number": freeze.number, "hash": written.hash, "rows": written.rows},
        )
        study, number = freeze.study, freeze.number
        transaction.on_commit(lambda: audit.append_head(study, f"freeze {number}"))


def write_study(*, freeze: DatasetFreeze, out: Path, progress: Progress) -> Written:
    """Build a study's tables and panels and write them as a freeze."""
    study = freeze.study
    dataset = build(study, progress=progress)
    pictures: dict[str, bytes] = {}
    if read_design(current_charter(study)).investigators_see_images:
        rows, pictures = panels.draw(dataset.cases, progress=progress)
        dataset.tables["panels"] = rows
    progress("write", 0.0)
    own = made_by()
    about = _about(freeze, study, dataset, own)
    digest = write_freeze(dataset.columns(), about, out, files=pictures)
    return Written(
        hash=digest,
        files=_files(out),
        rows={name: len(rows) for name, rows in dataset.tables.items() if rows},
        left_out=[[what, count] for what, count in dataset.left_out],
        measured_by=dict(dataset.measured_by),
        made_by=own,
    )


def write_simulation(*, out: Path, progress: Progress) -> Written:
    """Write the simulated cohort and reader studies as a freeze, labelled simulated."""
    progress("write", 0.0)
    digest = simulate_freeze(out)
    tables: Mapping[str, Mapping[str, Any]] = read_freeze(out).manifest["tables"]
    rows = {name: int(entry["rows"]) for name, entry in tables.items() if entry["rows"]}
    return Written(hash=digest, files=_files(out), rows=rows, left_out=[], measured_by={}, made_by={})


def _files(out: Path) -> dict[str, int]:
    return {
        str(path.relative_to(out)): path.stat().st_size for path in sorted(out.rglob("*")) if path.is_file()
    }


def _about(freeze: DatasetFreeze, study: Study, dataset: Dataset, own: Mapping[str, str]) -> About:
    charter = current_charter(study)
    design = read_design(charter)
    events = {str(row["event"]) for row in dataset.tables["outcomes"]}
    networks = Counter(
        (case.run.model.name, case.run.model.weights_sha256) for case in dataset.cases if case.run
    )
    return About(
        study=study.title,
        made=f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}",
        simulated=freeze.is_simulated,
        note=freeze.note,
        endpoint=str(charter.rules.get("endpoint", ENDPOINT)),
        competing=tuple(event for event in DEATHS if event in events),
        profile=design.profile,
        charter={"number": charter.number, **charter.rules},
        roll_up={**{v: territory_of(v) for v in BY_CONVENTION}, "territories": list(TERRITORIES)},
        software={f"network {name}": sha256 for (name, sha256), _ in sorted(networks.items())}
        | software(dataset.measured_by, own),
        **({"seed": design.seed} if design.seed else {}),
    )
