"""One small simulated freeze for all questions."""

from __future__ import annotations

import pytest

from analytics.freeze import read_freeze
from analytics.simulation.freeze import simulate_freeze


@pytest.fixture(scope="session")
def freeze(tmp_path_factory):
    out = tmp_path_factory.mktemp("questions") / "freeze"
    simulate_freeze(out)
    return read_freeze(out)
