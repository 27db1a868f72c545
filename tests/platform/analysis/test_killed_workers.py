"""A real Celery worker is killed at several stages; what remains in the end is exactly one complete result."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from plaquelab.analysis import services
from plaquelab.analysis.models import AnalysisRun, Artefact, ContourSet, Measurement, Vessel
from plaquelab.audit.models import AuditEvent
from plaquelab.imaging.models import Exam
from plaquelab.storage import store

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tiny_model(settings: Any, tmp_path: Path) -> Path:
    """Serve an untrained network: its numbers mean nothing, its way through the worker is the real one."""
    import torch
    from safetensors.torch import save_file

    from inference.networks import build

    torch.manual_seed(3)
    path = tmp_path / "model" / "unet_2_5d.safetensors"
    path.parent.mkdir()
    save_file(build("unet_2_5d").state_dict(), path, metadata={"network": "unet_2_5d", "trained": "never"})
    settings.INFERENCE_MODEL = str(path)
    return path


@pytest.fixture
def start_worker(
    settings: Any, tmp_path: Path, tiny_model: Path
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start real workers on this test's database, folders and broker."""
    kept = ("FILES_DIR", "KEYS_DIR", "STAGING_DIR", "QUARANTINE_DIR", "AUDIT_HEADS_FILE", "CELERY_BROKER_URL",
            "CELERY_BROKER_TRANSPORT_OPTIONS", "INFERENCE_MODEL")  # fmt: skip
    lines = [
        "from pathlib import Path",
        "from plaquelab.config.settings.testing import *",
        f"DATABASES['default']['NAME'] = {str(connection.settings_dict['NAME'])!r}",
    ]
    for name in kept:
        value = getattr(settings, name)
        lines.append(f"{name} = Path({str(value)!r})" if isinstance(value, Path) else f"{name} = {value!r}")
    lines.append("JOB_MAX_ATTEMPTS = 20")
    (tmp_path / "worker_settings.py").write_text("\n".join(lines) + "\n")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "worker_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "platform"), str(ROOT)]),
        "OMP_NUM_THREADS": "1",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "--app", "plaquelab.config.celery", "--quiet", "worker"]
        command += ["--queues", "default,ingest,gpu,analytics", "--concurrency", "1", "--loglevel", "warning"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        started.append(subprocess.Popen(command, env=environment, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def kill_at(run: AnalysisRun, process: subprocess.Popen[bytes], stage: str, seconds: float = 90) -> None:
    """Kill the worker, children and all, while the run stands at ``stage``.

    A write lock on the run's row stops the worker at its next report, so that it dies inside the stage.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if AnalysisRun.objects.values_list("stage", flat=True).get(pk=run.pk) == stage:
            with transaction.atomic():
                row = AnalysisRun.objects.select_for_update().get(pk=run.pk)
                if row.stage == stage and row.finished_at is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    return
        assert process.poll() is None, "the worker ended by itself"
        time.sleep(0.003)
    run.refresh_from_db()
    pytest.fail(f"the run never stood at {stage}: it is {run.state} at {run.stage}: {run.message}")


@pytest.mark.both_worlds
@pytest.mark.django_db(transaction=True)
def test_killing_the_worker_at_any_stage_leaves_one_complete_result(
    make_exam: Callable[..., Exam], stored_points: Any, start_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    exam = make_exam()
    services.add_centrelines(exam=exam, lines=stored_points, source="stored points", by=None)
    run = AnalysisRun.objects.get(exam=exam)
    assert run.state == "pending"

    stages = ("load", "segment", "store")
    for attempt, stage in enumerate(stages, 1):
        kill_at(run, start_worker(), stage)
        run.refresh_from_db()
        assert (run.attempt, run.stage) == (attempt, stage)
        assert Vessel.objects.count() == Measurement.objects.count() == Artefact.objects.count() == 0

    start_worker()
    end = time.monotonic() + 90
    while time.monotonic() < end and run.state not in ("succeeded", "failed", "timed_out", "cancelled"):
        time.sleep(0.05)
        run.refresh_from_db()
    assert run.state == "succeeded", run.message
    assert run.attempt == len(stages) + 1
    assert [v.name for v in run.vessels.all()] == [line.vessel for line in stored_points]
    assert ContourSet.objects.filter(source="network").count() == run.vessels.count()
    rows = list(Measurement.objects.values_list("level", "vessel", "segment", "lesion", "metric"))
    assert len(rows) == len(set(rows)) > 0
    assert AuditEvent.objects.filter(verb="analysis_run.succeed", object_id=str(run.pk)).count() == 1
    assert AuditEvent.objects.filter(verb="analysis_run.claim", object_id=str(run.pk)).count() == run.attempt
    for row in (*Artefact.objects.all(), *Vessel.objects.all(), *ContourSet.objects.all()):
        assert hashlib.sha256(store().get(row.path)).hexdigest() == row.sha256
    assert {"load", "segment", "total"} <= run.timings.keys()
    assert services.request_analysis(exam=exam, by=None).pk == run.pk  # asked again: the same run
