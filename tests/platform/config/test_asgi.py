"""The web process, as the server loads it: what must not be made by two pages at once is there before the first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# Whoever starts a thread before the versions are known has a second thread that may parse beside it.
LOOK = """
import threading
started = []
start = threading.Thread.start
threading.Thread.start = lambda thread: (started.append([f.cache_info().currsize for f in known()]), start(thread))
def known():
    import analytics.code_version, inference.code_version, plaquelab.freezes.measuring_code as freezes
    return (inference.code_version.code_version, analytics.code_version.code_version, freezes.code_of_tables)
import plaquelab.config.asgi
assert started, "no thread was started: this test has lost its sense"
print(started)
assert all(counts == [1, 1, 1] for counts in started), started
"""


def test_code_versions_are_known_before_any_thread_starts(tmp_path: Path) -> None:
    environment = {
        **{k: v for k, v in os.environ.items() if k != "PLAQUELAB_DEMONSTRATION"},
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "plaquelab.config.settings.embedded",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
