"""``manage.py serve`` with real processes: it answers, refuses plainly, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def environment(folder: Path) -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if k not in ("DJANGO_SETTINGS_MODULE", "PLAQUELAB_DEMONSTRATION")
    }
    return {**kept, "DATA_DIR": str(folder), "SECRET_KEY": "x" * 50, "OMP_NUM_THREADS": "1"}


def manage(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started_by(folder: Path) -> set[int]:
    """Find every living process whose environment names this test's folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            mine = f"DATA_DIR={folder}\0".encode() in (entry / "environ").read_bytes()
            living = (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if mine and living:
            found.add(int(entry.name))
    return found


def wait_until(condition, seconds: float) -> float:
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            pytest.fail(f"not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - start


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("serve")
    subprocess.run(
        manage(path, "migrate", "--verbosity", "0", "--skip-checks"),
        env=environment(path),
        check=True,
        timeout=120,
    )
    return path


@pytest.fixture
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    process = subprocess.Popen(
        manage(folder, "serve", "--port", str(port), "--concurrency", "1"),
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        yield process, port
    finally:
        process.kill()
        process.wait()


def test_it_answers_refuses_and_ends_everything(folder: Path, serving, tmp_path: Path) -> None:
    process, port = serving
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
        assert answer.status == 200
    assert len(started_by(folder)) >= 3  # supervisor, web, worker
    # Nobody's connection is the last to close, which would write the log back under a lock against every page.
    log = (folder / "plaquelab.sqlite3-wal").stat().st_ino
    for _ in range(3):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20).close()
        assert (folder / "plaquelab.sqlite3-wal").stat().st_ino == log

    again = subprocess.run(
        manage(folder, "serve", "--port", str(port)),
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert again.returncode == 1
    assert "already being served" in again.stderr
    taken = subprocess.run(
        manage(tmp_path, "serve", "--port", str(port)),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert taken.returncode == 1
    assert f"Port {port}" in taken.stderr
    assert "Traceback" not in taken.stderr

    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    assert started_by(folder) == set()


def test_nothing_outlives_a_killed_supervisor(folder: Path, serving) -> None:
    process, _ = serving
    process.kill()
    process.wait()
    wait_until(lambda: not started_by(folder), 5)


def test_waiting_migrations_are_said(tmp_path: Path) -> None:
    done = subprocess.run(
        manage(tmp_path, "serve", "--port", str(free_port())),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "manage.py migrate" in done.stderr
