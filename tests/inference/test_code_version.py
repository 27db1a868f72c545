"""The version of the measuring code: what changes it and what does not. What counts is checked in tests/house."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inference import code_version as versions


def version(package: Path, modules: tuple[str, ...] = versions.NUMBERS) -> str:
    return versions.version_of(package, modules=modules, without=versions.WITHOUT_NUMBERS, data=versions.DATA)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    made = tmp_path / "inference"
    for path in versions.PACKAGE.rglob("*"):
        if path.suffix == ".py" or str(path.relative_to(versions.PACKAGE)) in versions.DATA:
            target = made / path.relative_to(versions.PACKAGE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return made


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


def test_a_copy_has_the_same_version_and_a_changed_number_another(copy: Path) -> None:
    assert version(copy) == versions.code_version()
    changed(copy / "pipeline.py", "LEAST_CONTRAST_HU = 180.0", "LEAST_CONTRAST_HU = 181.0")
    assert version(copy) != versions.code_version()


def test_changed_weights_of_the_search_for_arteries_change_it(copy: Path) -> None:
    with (copy / versions.DATA[0]).open("ab") as file:
        file.write(b"\0")
    assert version(copy) != versions.code_version()


@pytest.mark.parametrize("name", ["report/page.py", "commands/analyse.py", "errors.py", "dicom/report.py"])
def test_a_file_that_changes_no_number_changes_nothing(copy: Path, name: str) -> None:
    with (copy / name).open("a") as file:
        file.write("\nMORE = 1\n")
    assert version(copy) == versions.code_version()


def test_a_moved_module_changes_nothing(copy: Path) -> None:
    room = copy / "room"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room."""\n')
    (copy / "straightening.py").rename(room / "straight.py")
    touched = 0
    for path in copy.rglob("*.py"):
        text = path.read_text()
        path.write_text(
            text.replace("from inference.straightening import", "from inference.room.straight import")
        )
        touched += path.read_text() != text
    assert touched > 5
    moved = tuple("room.straight" if name == "straightening" else name for name in versions.NUMBERS)
    assert version(copy, moved) == versions.code_version()
    with pytest.raises(FileNotFoundError, match="no module “straightening”"):
        version(copy)


def test_text_that_cannot_change_a_number_is_left_out() -> None:
    source = '''"""About."""

from __future__ import annotations
import numpy as np; LIMIT = 3  # per cent, ≥ 1
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.scan import Volume

__all__ = ["LIMIT"]
LABEL = "# no comment"
"""What is it."""


def f(x):
    """Add ä."""
    from inference.quantification.stents import (
        REASON,
    )

    # why
    if TYPE_CHECKING:
        return f"#{x}"  # ä
    return x + 1
'''
    assert versions.normalised(source).decode().split("\n") == [
        "                  ; LIMIT = 3",
        'LABEL = "# no comment"',
        "def f(x):",
        "    if TYPE_CHECKING:",
        '        return f"#{x}"',
        "    return x + 1",
    ]
