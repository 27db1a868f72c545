"""The versions of both libraries' code: no module that can change a number is forgotten, and both count alike."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from analytics import code_version as analytics_code
from inference import code_version as inference_code

MADE_FROM = {
    inference_code: (
        "pipeline",
        "centreline",
        "centreline.automatic",
        "centreline.editing",
        "centreline.formats",
        "contours",
        "contours.from_threshold",
        "composition_profiles",
        "grading",
        "vocabulary",
        "quantification",
        "quantification.stents",
        "scan",
        "straightening",
    ),
    analytics_code: (
        "__main__",
        "freeze",
        "multiplicity",
        "questions",
        "report",
        "resampling",
        "result",
    ),
}
"""What makes a number, as command lines and platform call it."""

COMMANDS = {
    inference_code: (),
    analytics_code: ("__main__", "commands", "paper.*", "simulation.*"),
}
"""What only the command line imports: arguments, the comparison with a publication, simulated patients."""

LIBRARIES = pytest.mark.parametrize(
    "versions", [inference_code, analytics_code], ids=["inference", "analytics"]
)


@LIBRARIES
def test_every_module_behind_a_number_counts_or_says_why_not(versions: ModuleType) -> None:
    package = versions.PACKAGE
    counted = versions.paths_of(package, *versions.NUMBERS)
    excused = versions.paths_of(package, *versions.WITHOUT_NUMBERS)
    found = reachable(package, MADE_FROM[versions]) - versions.paths_of(package, *COMMANDS[versions])
    forgotten = sorted(str(path.relative_to(package)) for path in found - counted - excused)
    assert forgotten == [], f"name them in {package.name}/code_version.py"
    assert len(found) > 40
    for name, reason in versions.WITHOUT_NUMBERS.items():
        assert reason
        assert versions.paths_of(package, name) & (found | counted), (
            f"{name!r} is excused, but nothing imports it"
        )


@LIBRARIES
def test_every_data_file_counts_or_says_why_not(versions: ModuleType) -> None:
    package = versions.PACKAGE
    files = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".nbi", ".nbc") and path.name != "py.typed"
    }
    named = (*versions.DATA, *versions.DATA_WITHOUT_NUMBERS)
    assert sorted(name for name in files if not name.startswith(named)) == []
    assert all(any(name.startswith(each) for name in files) for each in named)


@pytest.mark.parametrize(
    "name", ["version_of", "paths_of", "path_of", "normalised", "_statements", "_has_no_effect", "_comments"]
)
def test_both_libraries_count_alike(name: str) -> None:
    assert inspect.getsource(getattr(inference_code, name)) == inspect.getsource(
        getattr(analytics_code, name)
    )


def reachable(package: Path, names: tuple[str, ...]) -> set[Path]:
    """Every file of the library that importing and calling ``names`` may import."""
    found: set[Path] = set()
    queue = [f"{package.name}.{name}" for name in names]
    while queue:
        name = queue.pop()
        inside = name.removeprefix(f"{package.name}").removeprefix(".")
        try:
            path = inference_code.path_of(package, inside)
        except FileNotFoundError:
            continue  # a name in a module
        if path in found:
            continue
        found.add(path)
        is_package = path.name == "__init__.py"
        parents = name.split(".")
        queue += [".".join(parents[:n]) for n in range(1, len(parents))]
        queue += [
            each
            for each in imported(ast.parse(path.read_text()), name if is_package else ".".join(parents[:-1]))
            if each.split(".")[0] == package.name
        ]
    return found


def imported(tree: ast.AST, room: str) -> Iterator[str]:
    """Every name that is imported anywhere in a module that lies in ``room``, but for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = room.split(".")[: len(room.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        else:
            yield from imported(node, room)
