"""No circle of imports between the modules of one library, and none put off into a function.

Imports for type checkers count: who needs another's type knows the other. An import inside a function counts too,
because that is how a circle hides.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def imports_of(library: Path) -> dict[str, set[str]]:
    """Modules of a library and the modules of the same library that each imports, anywhere in its text."""
    modules = {
        ".".join(p.relative_to(library.parent).with_suffix("").parts): p for p in library.rglob("*.py")
    }
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    found = {}
    for name, path in modules.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                targets = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                targets = [
                    inner if (inner := f"{node.module}.{each.name}") in modules else node.module
                    for each in node.names
                ]
            else:
                continue
            found[name] |= {target for target in targets if target in modules} - {name}
    return found


@pytest.mark.parametrize("library", ["analytics", "inference"])
def test_no_circle_between_modules(library: str) -> None:
    imports = imports_of(ROOT / library)
    assert len(imports) > 100
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as circle:
        pytest.fail(f"imports go round: {' → '.join(reversed(circle.args[1]))}")


def test_a_circle_is_seen_where_it_hides(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "__init__.py").write_text("")
    (library / "a.py").write_text("from library import b\n")
    (library / "b.py").write_text("def late():\n    from library.a import name\n")
    assert imports_of(library) == {"library": set(), "library.a": {"library.b"}, "library.b": {"library.a"}}
    with pytest.raises(CycleError):
        TopologicalSorter(imports_of(library)).prepare()
