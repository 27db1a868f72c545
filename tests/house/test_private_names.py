"""A name that begins with an underscore stays in its module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOTS = {
    "inference": ROOT / "inference",
    "analytics": ROOT / "analytics",
    "plaquelab": ROOT / "platform" / "plaquelab",
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def borrowed(source: str) -> list[str]:
    """Every private name that a module imports from one of ours, or reaches for through one that it imported."""
    tree = ast.parse(source)
    found, modules = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if not node.level and module.split(".")[0] not in ROOTS:
                continue
            names = [*module.split("."), *(alias.name for alias in node.names)]
            found += [f"line {node.lineno}: {name}" for name in names if is_private(name)]
            modules |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            modules |= {
                alias.asname or alias.name.split(".")[0]
                for alias in node.names
                if alias.name.split(".")[0] in ROOTS
            }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and is_private(node.attr)):
            continue
        base = node.value
        while isinstance(base, ast.Attribute):
            base = base.value
        # Django's own ``_meta`` and ``_default_manager`` are its documented way to a model's fields and rows.
        if (
            isinstance(base, ast.Name)
            and base.id in modules
            and node.attr not in ("_meta", "_default_manager")
        ):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("root", sorted(ROOTS))
def test_no_private_name_crosses_modules(root: str) -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in sorted(ROOTS[root].rglob("*.py"))
        if (names := borrowed(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_each_way_to_a_private_name_is_seen() -> None:
    source = (
        "import inference.scan\n"
        "from inference.contours import _U, THETA\n"
        "from . import parts, _hidden\n"
        "from numpy import _core\n"
        "a = parts._cells\n"
        "b = inference.scan.series._load\n"
        "c = THETA.__doc__, self._own, parts.Model._meta\n"
    )
    assert borrowed(source) == [
        "line 2: _U",
        "line 3: _hidden",
        "line 5: parts._cells",
        "line 6: inference.scan.series._load",
    ]
