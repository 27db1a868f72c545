"""One attempt at one run: analyse, and store everything in one transaction."""

from __future__ import annotations

import time

from django.db import transaction

from inference.doubts import told
from plaquelab.analysis import centreline_sets, given_extents, results
from plaquelab.analysis.model_versions import path_of
from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.signals import run_succeeded
from plaquelab.analysis.taking_over import take_over
from plaquelab.imaging import selectors as imaging
from plaquelab.imaging.volumes import complete_slabs
from plaquelab.jobs import services as jobs
from plaquelab.jobs.attempt import End, Progress, attempt
from plaquelab.storage import MissingFileError
from plaquelab.storage.content import put_file

STAGES = ("load", "straighten", "segment", "contours", "quantify", "store")


def execute(run_id: int) -> AnalysisRun | None:
    """Run one attempt. Returns None when there was nothing to do (somebody else has it, or it has ended)."""
    return attempt(AnalysisRun, run_id, what="analysis", work=_analyse_and_store, meaning=_meaning)


def _meaning(_: AnalysisRun, error: Exception) -> End | None:
    if isinstance(error, MissingFileError):
        return End("fail", _file_missing, code="missing-file")
    return None


def _file_missing(number: str) -> str:
    return f"A stored file of this exam is missing. Tell the operator error {number}."


def _analyse_and_store(run: AnalysisRun, progress: Progress) -> None:
    from inference.analysis import Settings  # noqa: PLC0415  as the next
    from inference.pipeline import analyse  # noqa: PLC0415  loads torch: workers only

    jobs.step(run, "start")
    take_over(run)
    started = time.monotonic()
    progress("load", 0.0)
    weights = path_of(run.model)
    volume = imaging.volume_of(run.exam)
    complete_slabs(exam=run.exam, volume=volume)
    given = centreline_sets.load(run.centrelines, volume=volume)
    lines = given.lines
    loaded = time.monotonic()
    settings = Settings(model=str(weights), profile=run.profile, lesions=given_extents.lesions_of(run))
    analysis = analyse(volume, lines, settings=settings, progress=progress, doubts=given.doubts)
    analysis = given_extents.measured(analysis, run)
    jobs.step(run, "store")
    jobs.report(run, "store", 0.0)
    storing = time.monotonic()
    traced = put_file(
        folder=f"runs/{run.pk}", kind="centrelines", suffix=".csv", data=centreline_sets.write_csv(lines)
    )
    stored = results.put_files(run=run, analysis=analysis, extra=[traced])
    jobs.report(run, "store", 0.7)
    timings = {
        "load": round(loaded - started, 3),
        **{stage: round(seconds, 3) for stage, seconds in analysis.timings.items()},
        "files": round(time.monotonic() - storing, 3),
        "total": round(time.monotonic() - started, 3),
    }
    with transaction.atomic():
        results.write_rows(run=run, stored=stored)
        jobs.finish(
            run,
            stage="done",
            timings=timings,
            versions=dict(analysis.versions),
            warnings=[*analysis.warnings, *told(given.doubts)],
            doubts=[doubt.to_dict() for doubt in analysis.doubts],
        )
        run_succeeded.send(sender=AnalysisRun, run=run)
