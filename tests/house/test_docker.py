"""What compose.yaml and the Dockerfile would run, run in a plain environment against real servers.

No Docker engine is needed: services' commands are taken from the files and started as written, with only
the variables that compose would set.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("plaquelab_test_servers", ROOT / "tests" / "servers.py")
assert _spec
assert _spec.loader
servers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(servers)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a container: the image's ENV, env.example filled in, compose's own."""
    tools = servers.ensure(["redis-server", "initdb"])
    example = dict(
        line.split("=", 1)
        for line in (ROOT / "docker" / "env.example").read_text().splitlines()
        if re.match(r"[A-Z_0-9]+=", line)
    )
    with servers.redis(tools["redis-server"]) as redis, servers.postgresql(tools["initdb"]) as postgres:
        yield {
            **example,
            "SECRET_KEY": "docker-test-" + "x" * 40,
            "ALLOWED_HOSTS": "127.0.0.1",
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
            "DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "DJANGO_SETTINGS_MODULE": "plaquelab.config.settings.production",
            "DATABASE_URL": postgres,
            "REDIS_URL": redis,
            "OMP_NUM_THREADS": "1",
        }


def test_every_service_has_an_image_or_builds_ours(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert ("image" in service) != ("build" in service), name
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]
        for needed in service.get("depends_on", {}):
            assert needed in compose["services"]


def test_dockerfile_copies_what_exists() -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.M):
        assert (ROOT / source).exists(), source
    assert json.loads(re.search(r"^CMD (\[.*\])$", text, re.M).group(1))[0] == "uvicorn"  # type: ignore[union-attr]


def test_commands_run_as_written(compose: dict[str, Any], plain: dict[str, str]) -> None:
    """migrate ends well; web answers /health with every part well; the worker says that it is ready."""
    services = compose["services"]
    done = subprocess.run(
        services["migrate"]["command"], cwd=ROOT, env=plain, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]

    port = servers.free_port()
    web = [
        str(port) if word == "8000" else "127.0.0.1" if word == "0.0.0.0" else word
        for word in services["web"]["command"]
    ]
    worker = services["worker"]["command"]
    assert shutil.which(web[0], path=plain["PATH"])
    log = Path(plain["DATA_DIR"]) / "worker.log"
    with log.open("w") as out:
        processes = [
            subprocess.Popen(
                command, cwd=ROOT, env=plain, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
            for command in (web, worker)
        ]
        try:
            health = _json(f"http://127.0.0.1:{port}/health")
            assert health["status"] == "ok", health
            _until(lambda: " ready." in log.read_text(), "the worker to be ready", log)
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGTERM)
            for process in processes:
                assert process.wait(20) is not None


def _json(url: str, seconds: float = 60) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _until(true: Any, what: str, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited for {what}\n{log.read_text()[-3000:]}"
        time.sleep(0.2)
