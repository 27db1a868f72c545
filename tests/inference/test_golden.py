"""Python still computes the numbers that it shares with TypeScript."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize("name", ["make_golden", "make_rounding"])
def test_golden_file_is_what_python_computes(name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _same(json.loads(json.dumps(module.golden())), json.loads(module.PATH.read_text()))


def _same(computed: Any, kept: Any, where: str = "") -> None:
    """Equal in structure, and in numbers to one unit of the last digit kept."""
    assert type(computed) is type(kept), where
    if isinstance(kept, dict):
        assert computed.keys() == kept.keys(), where
        for key in kept:
            _same(computed[key], kept[key], f"{where}/{key}")
    elif isinstance(kept, list):
        assert len(computed) == len(kept), where
        for n, (a, b) in enumerate(zip(computed, kept, strict=True)):
            _same(a, b, f"{where}/{n}")
    elif isinstance(kept, float):
        assert abs(computed - kept) <= 2e-6 * max(1.0, abs(kept)), where
    else:
        assert computed == kept, where
