"""Which process holds a lease, and whether that process still lives on this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def _started(pid: int) -> str | None:
    """Return the process's start time in clock ticks, or None when there is no such process (Linux)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]  # a zombie holds nothing


def _place() -> str:
    """Name the machine and its process numbers' namespace: two containers may share a host name."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()[:60]}/{namespace}"


def identity() -> str:
    """Return this process as ``host/namespace/pid/start`` (at most 120 characters)."""
    return f"{_place()}/{os.getpid()}/{_started(os.getpid()) or '-'}"[:120]


def is_dead_here(worker: str) -> bool:
    """Tell whether ``worker`` was a process of this machine that is no more.

    False when it lives, when it ran elsewhere, or when that cannot be known: then its lease decides.
    """
    place, _, rest = worker.rpartition("/")
    place, _, pid = place.rpartition("/")
    if place != _place() or not pid.isdigit() or not Path("/proc/self/stat").exists():
        return False
    return _started(int(pid)) != rest
