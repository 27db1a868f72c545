"""One attempt at a freeze: claim it, build the tables and pictures, store the files, or say why not."""

from __future__ import annotations

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone

from analytics.errors import AnalyticsError
from analytics.freeze import About, read_freeze, write_freeze
from analytics.simulation.freeze import simulate_freeze
from inference.vocabulary import TERRITORIES, territory_of
from plaquelab.audit import services as audit
from plaquelab.freezes import panels
from plaquelab.freezes.dataset import Dataset, build
from plaquelab.freezes.measuring_code import software
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.transitions import FREEZE, S
from plaquelab.jobs import services as jobs
from plaquelab.reading.charter import read_design
from plaquelab.references.vocabulary import DEATHS
from plaquelab.storage import store
from plaquelab.studies.models import Study
from plaquelab.studies.selectors import current_charter

log = logging.getLogger(__name__)
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


def execute(freeze_id: int) -> DatasetFreeze | None:
    """Run one attempt. Returns None when there was nothing to do (somebody else has it, or it has ended)."""
    claimable = [state for state, event in FREEZE.table if event == "claim"]
    freeze = jobs.claim(DatasetFreeze, freeze_id, from_states=claimable, to_state=S.BUILDING)
    if freeze is None:
        return None
    try:
        with jobs.heartbeat(freeze):
            _build_and_store(freeze)
    except jobs.JobLostError as lost:
        log.warning("freeze %s: %s", freeze.pk, lost)
        return None
    except SoftTimeLimitExceeded:
        _fail(freeze, "The freeze took too long and was stopped.")
    except AnalyticsError as refused:
        # The format refused the study's tables: the text names table, column and row.
        log.error("freeze %s: %s", freeze.pk, refused)
        _fail(freeze, f"The tables cannot be frozen: {refused}")
    except Exception:  # whatever else breaks is ours: the log gets it, the person a number
        number = jobs.error_id()
        log.exception("freeze %s failed (error %s)", freeze.pk, number)
        _fail(freeze, jobs.ours("freeze", number), number)
    return freeze


def _fail(freeze: DatasetFreeze, message: str, error_id: str = "") -> None:
    freeze.refresh_from_db(fields=["state"])
    if FREEZE.allows(freeze, "fail"):
        jobs.fail(freeze, to_state=S.FAILED, message=message, error_id=error_id)


def _build_and_store(freeze: DatasetFreeze) -> None:
    progress = _reporter(freeze)
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
            to_state=FREEZE.table[(S.BUILDING, "freeze")],
            event="freeze",
            stage="done",
            hash=written.hash,
            files=written.files,
            rows=written.rows,
            left_out=written.left_out,
            measured_by=written.measured_by,
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


def write_study(*, freeze: DatasetFreeze, out: Path, progress: Callable[[str, float], None]) -> Written:
    """Build a study's tables and panels and write them as a freeze."""
    study = freeze.study
    dataset = build(study, progress=progress)
    pictures: dict[str, bytes] = {}
    if read_design(current_charter(study)).investigators_see_images:
        rows, pictures = panels.draw(dataset.cases, progress=progress)
        dataset.tables["panels"] = rows
    progress("write", 0.0)
    about = _about(freeze, study, dataset)
    digest = write_freeze(dataset.columns(), about, out, files=pictures)
    return Written(
        hash=digest,
        files=_files(out),
        rows={name: len(rows) for name, rows in dataset.tables.items() if rows},
        left_out=[[what, count] for what, count in dataset.left_out],
        measured_by=dict(dataset.measured_by),
    )


def write_simulation(*, out: Path, progress: Callable[[str, float], None]) -> Written:
    """Write the simulated cohort and reader studies as a freeze, labelled simulated."""
    progress("write", 0.0)
    digest = simulate_freeze(out)
    tables: Mapping[str, Mapping[str, Any]] = read_freeze(out).manifest["tables"]
    rows = {name: int(entry["rows"]) for name, entry in tables.items() if entry["rows"]}
    return Written(hash=digest, files=_files(out), rows=rows, left_out=[], measured_by={})


def _files(out: Path) -> dict[str, int]:
    return {
        str(path.relative_to(out)): path.stat().st_size for path in sorted(out.rglob("*")) if path.is_file()
    }


def _about(freeze: DatasetFreeze, study: Study, dataset: Dataset) -> About:
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
        | software(dataset.measured_by),
        **({"seed": design.seed} if design.seed else {}),
    )


def _reporter(freeze: DatasetFreeze) -> Callable[[str, float], None]:
    """Return a progress function that writes at most four rows a second, and each stage's start."""
    last: dict[str, Any] = {"stage": None, "at": 0.0}

    def progress(stage: str, fraction: float) -> None:
        now = time.monotonic()
        if stage == last["stage"] and now - last["at"] < 0.25:
            return
        last.update(stage=stage, at=now)
        jobs.report(freeze, stage, fraction)

    return progress
