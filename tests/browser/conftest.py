"""One running demonstration of tiny phantoms, as a person would start it, and a real Chromium."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 1200
# Whichever test comes first waits for the demonstration as well.
TEST_SECONDS = READY_SECONDS + 300
# A busy machine is slow, not broken: nothing is measured here.
PATIENCE_MS = 30_000
# Of the server's log a failed test shows this much: a traceback through the middleware has some 8000 characters.
LOG_CHARACTERS = 20_000


def _module(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


servers = _module("plaquelab_test_servers", ROOT / "tests" / "servers.py")
walk = _module("plaquelab_test_walk", ROOT / "tests" / "browser" / "walk.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that starting the demonstration may take."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the server wrote while a test ran that failed, so that a failure explains itself."""
    report = yield
    running = getattr(item, "funcargs", {}).get("demonstration")
    if report.failed and isinstance(running, Demonstration):
        report.sections.append(("the served demonstration's log", running.written()[-LOG_CHARACTERS:]))
    return report


class Demonstration:
    """A running demonstration: its address, folder and environment."""

    def __init__(self, folder: Path) -> None:
        self.port = servers.free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.log = folder / "serve.log"
        self.read_to = 0
        self.env = {
            **{
                k: v
                for k, v in os.environ.items()
                if not k.startswith(("DJANGO_", "PLAQUELAB_TEST", "SECRET_KEY"))
            },
            "DATA_DIR": str(folder),
            "PLAQUELAB_DEMONSTRATION": "1",
            "DEMONSTRATION_SCENARIO": "tiny",
            "DJANGO_SETTINGS_MODULE": "plaquelab.config.settings.embedded",
            "OMP_NUM_THREADS": "1",
        }

    def written(self) -> str:
        """Return what server, worker and script have written since the present test began."""
        return self.log.read_bytes()[self.read_to :].decode(errors="replace")

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command beside the running server."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)

    def progress(self) -> dict[str, Any]:
        """Return how far the phantom patients are, from the page that people watch."""
        with urllib.request.urlopen(f"{self.base}/demo/progress/", timeout=30) as answer:
            html = answer.read().decode()
        done, total = html.split("Phantom patients: ")[1].split(" ready")[0].split(" of ")
        return {"done": int(done), "total": int(total), "html": html}


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Start ``manage.py serve --demonstration`` and wait until every phantom patient is where it shall be
    and the study is frozen and released."""
    running = Demonstration(tmp_path_factory.mktemp("demonstration"))
    migrated = running.manage("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    log = running.log
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(running.port), "--demonstration"],
            cwd=ROOT,
            env=running.env,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + READY_SECONDS
        while True:
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < end, log.read_text()[-4000:]
            try:
                state = running.progress()
            except OSError:
                state = {"done": 0, "total": 8, "html": ""}
            if state["done"] == state["total"] and "Freeze of the study's data: released" in unescape(
                state["html"]
            ):
                break
            time.sleep(0.5)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        process.wait(30)
        ended = time.monotonic() - started
    assert ended < 10, f"Ctrl-C took {ended:.1f} s"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; ended with its file, so that no event loop is left to the tests that follow."""
    path = os.environ.get("PLAQUELAB_CHROMIUM") or servers.ensure(["chromium"])["chromium"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=walk.CHROMIUM_FLAGS)
        yield launched
        launched.close()


class Entrance:
    """Enter as a demonstration person; what goes wrong on that person's pages fails the test."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser = browser
        self.base = base
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []
        self.on_purpose: list[str] = []

    def __call__(self, name: str) -> Page:
        context = self.browser.new_context(base_url=self.base, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))
        context.on("console", self._hear)
        context.on("response", self._look_at)
        page = context.new_page()
        walk.enter(page, self.base, name)
        return page

    def expects(self, *texts: str) -> None:
        """Console errors with one of these texts are what the test makes happen."""
        self.on_purpose += texts

    def unexpected(self) -> list[str]:
        """Return what nobody meant to happen."""
        return [p for p in self.problems if not any(text in p for text in self.on_purpose)]

    def _look_at(self, response: Response) -> None:
        if response.status >= 500:
            self.problems.append(
                f"the server answered {response.status} to {response.request.method} {response.url}"
            )

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")


@pytest.fixture
def person(demonstration: Demonstration, browser: Browser) -> Iterator[Entrance]:
    """Enter as a demonstration person; every console error fails the test unless it was expected."""
    expect.set_options(timeout=PATIENCE_MS)
    demonstration.read_to = demonstration.log.stat().st_size
    entrance = Entrance(browser, demonstration.base)
    yield entrance
    for context in entrance.contexts:
        context.close()
    assert entrance.unexpected() == []
