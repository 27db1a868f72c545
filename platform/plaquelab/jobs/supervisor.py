"""Processes that belong together: started, watched, and ended within ten seconds, with all their children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plaquelab.jobs.death import die_with_parent

GENTLE_SECONDS = 5.0
RESTARTS = 5
RESTART_WINDOW_SECONDS = 60.0


@dataclass
class Child:
    """One supervised process, in a process group of its own.

    Parameters
    ----------
    name : what messages call it.
    command : its command line.
    environment : its whole environment.
    restart : start it again when it ends by itself (at most 5 times a minute).
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    restart: bool = False
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it; it dies with this process."""
        parent = os.getpid()
        self.starts.append(time.monotonic())
        self.process = subprocess.Popen(  # noqa: S603  our own command lines, without a shell
            list(self.command),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),
        )

    def ended(self) -> int | None:
        """Return its exit status when it has ended."""
        return self.process.poll() if self.process else None

    def may_restart(self) -> bool:
        """Tell whether it should be started again now."""
        recent = [at for at in self.starts if at > time.monotonic() - RESTART_WINDOW_SECONDS]
        return self.restart and len(recent) <= RESTARTS

    def ask_to_end(self) -> None:
        """Ask it to end; it ends its own children."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill_group(self) -> None:
        """End it and everything it started, at once."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.process.wait()


def end_all(children: Sequence[Child]) -> None:
    """End every child: ask, wait at most five seconds, then kill whole groups."""
    for child in children:
        child.ask_to_end()
    limit = time.monotonic() + GENTLE_SECONDS
    while time.monotonic() < limit and any(child.process and child.ended() is None for child in children):
        time.sleep(0.05)
    for child in children:
        child.kill_group()


def describe(status: int) -> str:
    """Say how a process ended."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def python_command(*arguments: str) -> list[str]:
    """Return a command line for this very Python."""
    return [sys.executable, *arguments]
