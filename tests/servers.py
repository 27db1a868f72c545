"""Real Redis, PostgreSQL, Chromium and a DICOM validator for the tests: found on the machine, else installed when root."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {
    "redis-server": "redis-server",
    "initdb": "postgresql",
    "chromium": "chromium",
    "dciodvfy": "dicom3tools",
}


def find(tool: str) -> str | None:
    """Return the path of a tool, looking where Debian keeps PostgreSQL's and where Playwright keeps browsers."""
    if tool == "initdb":
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)
        return found[0] if found else shutil.which("initdb")
    if tool == "chromium":
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
            if path := shutil.which(name):
                return path
        cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
        found = sorted(
            str(p) for p in cache.glob("chromium*/chrome-linux*/*") if p.name in ("chrome", "headless_shell")
        )
        return found[-1] if found else None
    return shutil.which(tool)


def ensure(tools: list[str]) -> dict[str, str]:
    """Find the tools; install the missing system packages as root, otherwise name them and exit."""
    missing = [tool for tool in tools if not find(tool)]
    if missing:
        packages = [PACKAGES[tool] for tool in missing]
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            sys.exit(
                f"System packages are missing: install {' '.join(packages)} (as root: apt-get install {' '.join(packages)})."
            )
        print(f"Installing system packages: {' '.join(packages)} …", flush=True)
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=env, stdout=subprocess.DEVNULL)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
            check=True,
            env=env,
            stdout=subprocess.DEVNULL,
        )
    result = {tool: find(tool) for tool in tools}
    lost = [tool for tool, path in result.items() if not path]
    if lost:
        sys.exit(f"Not found even after installing: {', '.join(lost)}.")
    return {tool: path for tool, path in result.items() if path}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait(port: int, what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{what} did not answer on port {port} within {seconds:.0f} s")


@contextmanager
def redis(path: str) -> Iterator[str]:
    """Run a private Redis; yield its URL."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="plaquelab-redis-") as folder:
        process = subprocess.Popen(
            [path, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(port, "Redis")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def postgresql(initdb: str) -> Iterator[str]:
    """Run a private PostgreSQL (as user postgres when we are root); yield a database URL."""
    port = free_port()
    pg_ctl = str(Path(initdb).with_name("pg_ctl"))
    as_root = os.geteuid() == 0
    prefix = ["runuser", "-u", "postgres", "--"] if as_root else []
    folder = tempfile.mkdtemp(prefix="plaquelab-pg-")
    try:
        if as_root:
            shutil.chown(folder, "postgres", "postgres")
        data = f"{folder}/data"
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
        subprocess.run(
            [*prefix, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], **quiet
        )  # type: ignore[call-overload]
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run(
            [*prefix, pg_ctl, "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start"], **quiet
        )  # type: ignore[call-overload]
        try:
            _wait(port, "PostgreSQL")
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*prefix, pg_ctl, "-D", data, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
