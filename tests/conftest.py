"""What every test shares: where the sources are, and which tests share a worker."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
for _path in (str(ROOT / "platform"), str(ROOT)):
    if _path not in sys.path:
        sys.path.insert(0, _path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker, and all browser tests on one: they share one running server."""
    for item in items:
        path = Path(str(item.path)).relative_to(ROOT)
        group = "browser" if path.parts[:2] == ("tests", "browser") else str(path)
        item.add_marker(pytest.mark.xdist_group(group))
