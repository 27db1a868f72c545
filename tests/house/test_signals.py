"""The table of signals in docs/architecture.md says all that is connected, and nothing that is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = ROOT / "platform" / "plaquelab"


def connected() -> Iterator[tuple[str, str, str]]:
    """Yield (signal, application, receiver) of every connection in the sources."""
    for path in PLATFORM.rglob("*.py"):
        application = path.relative_to(PLATFORM).parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "connect"
            ):
                yield ast.unparse(node.func.value), application, ast.unparse(node.args[0]).rpartition(".")[2]
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "receiver":
                    yield ast.unparse(decorator.args[0]), application, node.name  # type: ignore[attr-defined]


def described() -> Iterator[tuple[set[str], set[str]]]:
    """Yield (signals, receivers) of every row of the table."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("| Signal | Sender | Receivers |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        yield set(re.findall(r"`(\w+)`", cells[0])), set(re.findall(r"`(\w+\.\w+)`", cells[2]))


def test_the_table_is_what_the_sources_connect() -> None:
    found = {
        (signal, f"{application}.{receiver.strip('_')}") for signal, application, receiver in connected()
    }
    rows = list(described())
    assert {signal for signal, _ in found} == set().union(*(signals for signals, _ in rows))
    assert {receiver for _, receiver in found} == set().union(*(receivers for _, receivers in rows))
    for signal, receiver in found:
        assert any(signal in signals and receiver in receivers for signals, receivers in rows), (
            signal,
            receiver,
        )
