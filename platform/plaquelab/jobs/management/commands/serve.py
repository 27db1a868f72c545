"""``manage.py serve``: the web server, a worker and, if asked, the demonstration, as one thing to start and stop."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from plaquelab.jobs.reaper import release_dead
from plaquelab.jobs.supervisor import Child, describe, end_all, python_command

ANSWER_SECONDS = 120
EVERY_INTERFACE = "0.0.0.0"  # noqa: S104  compared with, not listened on: the operator says where
QUEUES = "default,ingest,gpu,analytics"


class Command(BaseCommand):
    """Serve until Ctrl-C or SIGTERM; everything that was started ends within ten seconds."""

    help = "Start the web server and a worker (and the demonstration), and end all of it on Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--demonstration", action="store_true", help="build the demonstration study meanwhile"
        )
        parser.add_argument(
            "--concurrency", type=int, default=min(2, os.cpu_count() or 1), help="worker processes"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Start, watch, end."""
        host, port = options["host"], options["port"]
        if options["demonstration"] and not settings.DEMONSTRATION:
            raise CommandError(
                "--demonstration needs PLAQUELAB_DEMONSTRATION=1 in the environment (make demo sets it)."
            )
        lock = _lock()
        _check_port(host, port)
        _check_migrations()
        _hold_database()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        web, worker, demonstration = _children(host, port, options["concurrency"])
        children = [web, worker]
        try:
            web.start()
            worker.start()
            self._wait_for_answer(web, host, port)
            self.say(
                f"Plaquelab answers at http://{'localhost' if host == EVERY_INTERFACE else host}:{port}/ (Ctrl-C ends it)"
            )
            if options["demonstration"]:
                demonstration.start()
                children.append(demonstration)
            self._watch(children, demonstration)
        except _Stopped:
            self.say("Ending …")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            end_all(children)
            release_dead()
            connection.close()
            lock.close()
        self.say("Ended.")

    def say(self, text: str) -> None:
        """Print a line at once: the output may be a pipe."""
        self.stdout.write(text)
        self.stdout.flush()

    def _wait_for_answer(self, web: Child, host: str, port: int) -> None:
        address = f"http://{'127.0.0.1' if host == EVERY_INTERFACE else host}:{port}/health"
        limit = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < limit:
            if (status := web.ended()) is not None:
                raise CommandError(f"The web server {describe(status)}; its reason stands above.")
            try:
                with urllib.request.urlopen(address, timeout=10) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        raise CommandError(f"The web server did not answer at {address} within {ANSWER_SECONDS} s.")

    def _watch(self, children: list[Child], demonstration: Child) -> None:
        while True:
            time.sleep(0.5)
            for child in list(children):
                status = child.ended()
                if status is None:
                    continue
                if child is demonstration:
                    children.remove(child)
                    if status != 0:
                        self.say(f"The demonstration's script {describe(status)}: start again to resume it.")
                elif child.may_restart():
                    self.say(f"The {child.name} {describe(status)}: starting it again.")
                    child.start()
                else:
                    raise CommandError(f"The {child.name} {describe(status)}.")


class _Stopped(BaseException):
    """A person or the system asked the supervisor to end."""


def _stop(*_: Any) -> None:
    raise _Stopped


def _lock() -> TextIO:
    """Hold the data folder: two workers' supervisors on one SQLite folder would fight over its queue."""
    path = Path(settings.DATA_DIR) / "serve.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            f"Plaquelab is already being served from {settings.DATA_DIR}: end it first, or set another DATA_DIR."
        ) from None
    return file


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error.strerror}): choose another, for example PORT={port + 1}."
            ) from None


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    connection.close()
    if waiting:
        raise CommandError(f"{len(waiting)} database migrations wait: run “manage.py migrate” first.")


def _hold_database() -> None:
    """Stay connected as long as we serve, so that no page's connection is ever the last one to close.

    SQLite's last connection writes the whole log back and waits for the disk under a lock that shuts out every other,
    readers too: on a busy disk each page would wait for the page before it, or find the database “locked”.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")


def _children(host: str, port: int, concurrency: int) -> tuple[Child, Child, Child]:
    root = str(settings.ROOT)
    base = {
        **os.environ,
        "DATA_DIR": str(settings.DATA_DIR),
        "PYTHONPATH": os.pathsep.join([f"{root}/platform", root]),
        "PYTHONUNBUFFERED": "1",
        # In a container root is the only user; the pages are served from where they were built.
        "PYTHONWARNINGS": "ignore:You're running the worker,ignore:No directory at",
    }
    # One single-threaded process per core: threads on top of processes made runs many times slower.
    threads = str(max(1, (os.cpu_count() or 1) // max(1, concurrency)))
    calm = {name: threads for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}
    web = Child(
        "web server",
        python_command(
            "-m", "uvicorn", "plaquelab.config.asgi:application", "--host", host, "--port", str(port),
            "--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "3",
        ),
        base,
    )  # fmt: skip
    worker = Child(
        "worker",
        python_command(
            "-m", "celery", "--app", "plaquelab.config.celery", "--quiet", "worker", "--queues", QUEUES,
            "--concurrency", str(concurrency), "--loglevel", "warning",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ),
        {**base, **calm},
        restart=True,
    )  # fmt: skip
    demonstration = Child(
        "demonstration", python_command(f"{root}/manage.py", "demo"), {**base, **calm, "OMP_NUM_THREADS": "1"}
    )
    return web, worker, demonstration
