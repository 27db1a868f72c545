"""One attempt at one run: claim it, analyse, store everything in one transaction, or say why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from plaquelab.analysis import centreline_sets, given_extents, results
from plaquelab.analysis.centreline_sets import CentrelineInputError
from plaquelab.analysis.model_versions import NoModelError, path_of
from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.signals import run_succeeded
from plaquelab.analysis.taking_over import SupersededRunError, take_over
from plaquelab.analysis.transitions import RUN, S
from plaquelab.imaging import selectors as imaging
from plaquelab.imaging.volumes import complete_slabs
from plaquelab.jobs import services as jobs
from plaquelab.storage import MissingFileError
from plaquelab.storage.content import put_file

log = logging.getLogger(__name__)

STAGES = ("load", "straighten", "segment", "contours", "quantify", "store")


def execute(run_id: int) -> AnalysisRun | None:
    """Run one attempt. Returns None when there was nothing to do (somebody else has it, or it has ended)."""
    claimable = [state for state, event in RUN.table if event == "claim"]
    run = jobs.claim(AnalysisRun, run_id, from_states=claimable, to_state=S.CLAIMED)
    if run is None:
        return None
    from inference.errors import InferenceError

    try:
        with jobs.heartbeat(run):
            _analyse_and_store(run)
    except jobs.JobLostError as lost:
        log.warning("analysis run %s: %s", run.pk, lost)
        return None
    except jobs.JobCancelledError:
        _end(run, "cancel", message="Cancelled.", refusal="cancelled")
    except SoftTimeLimitExceeded:
        _end(run, "time_out", message="The analysis took too long and was stopped.", refusal="time-out")
    except InferenceError as refused:
        _end(run, "fail", message=str(refused), refusal=refused.code)
    except SupersededRunError as refused:
        _end(run, "fail", message=str(refused), refusal="superseded")
    except (CentrelineInputError, NoModelError) as refused:
        _end(run, "fail", message=str(refused), refusal="bad-input")
    except MissingFileError as missing:
        number = jobs.error_id()
        log.error("analysis run %s: %s (error %s)", run.pk, missing, number)
        message = f"A stored file of this exam is missing. Tell the operator error {number}."
        _end(run, "fail", message=message, refusal="missing-file", error_id=number)
    except Exception:  # whatever else breaks is ours: the log gets it, the person a number
        number = jobs.error_id()
        log.exception("analysis run %s failed (error %s)", run.pk, number)
        _end(run, "fail", message=jobs.ours("analysis", number), refusal="internal", error_id=number)
    return run


def _end(run: AnalysisRun, event: str, *, message: str, refusal: str, error_id: str = "") -> None:
    # What was rolled back with the results moved the object, not the row.
    run.refresh_from_db(fields=["state"])
    if not RUN.allows(run, event):
        return
    jobs.fail(
        run,
        to_state=RUN.table[(run.state, event)],
        event=event,
        message=message,
        refusal=refusal,
        error_id=error_id,
    )


def _step(run: AnalysisRun, event: str) -> None:
    jobs.move(run, to_state=RUN.table[(run.state, event)], event=event)


def _reporter(run: AnalysisRun) -> Callable[[str, float], None]:
    """Return a progress function that writes at most four rows a second, and each stage's start."""
    last: dict[str, object] = {"stage": None, "at": 0.0}

    def progress(stage: str, fraction: float) -> None:
        now = time.monotonic()
        if stage == last["stage"] and now - float(str(last["at"])) < 0.25:
            return
        last.update(stage=stage, at=now)
        jobs.report(run, stage, fraction)

    return progress


def _analyse_and_store(run: AnalysisRun) -> None:
    from inference.analysis import Settings
    from inference.pipeline import analyse

    progress = _reporter(run)
    _step(run, "start")
    take_over(run)
    started = time.monotonic()
    progress("load", 0.0)
    weights = path_of(run.model)
    volume = imaging.volume_of(run.exam)
    complete_slabs(exam=run.exam, volume=volume)
    lines = centreline_sets.load(run.centrelines, volume=volume)
    loaded = time.monotonic()
    settings = Settings(model=str(weights), profile=run.profile, lesions=given_extents.lesions_of(run))
    analysis = analyse(volume, lines, settings=settings, progress=progress)
    analysis = given_extents.measured(analysis, run)
    _step(run, "store")
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
            to_state=RUN.table[(run.state, "succeed")],
            stage="done",
            timings=timings,
            versions=dict(analysis.versions),
            warnings=list(analysis.warnings),
        )
        run_succeeded.send(sender=AnalysisRun, run=run)
