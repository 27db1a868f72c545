"""The version of the statistical code: what changes it and what does not. What counts is checked in tests/house."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analytics import code_version as versions


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(
        shutil.copytree(
            versions.PACKAGE, tmp_path / "analytics", ignore=shutil.ignore_patterns("__pycache__", "paper")
        )
    )


def version(package: Path) -> str:
    return versions.version_of(
        package, modules=versions.NUMBERS, without=versions.WITHOUT_NUMBERS, data=versions.DATA
    )


def test_an_estimator_changes_it_a_drawing_does_not(copy: Path) -> None:
    with (copy / "figures" / "style.py").open("a") as file:
        file.write('ANOTHER = "#123456"\n')
    (copy / "report" / "html.py").write_text("STYLE = 1\n")
    assert version(copy) == versions.code_version()
    path = copy / "agreement" / "icc.py"
    path.write_text(path.read_text() + "\nLIMIT = 0.5\n")
    assert version(copy) != versions.code_version()


def test_an_estimator_that_moves_changes_nothing(copy: Path) -> None:
    (copy / "agreement" / "lin.py").rename(copy / "accuracy" / "concordance.py")
    for path in copy.rglob("*.py"):
        path.write_text(
            path.read_text().replace("analytics.agreement.lin ", "analytics.accuracy.concordance ")
        )
    assert version(copy) == versions.code_version()


def test_what_is_kept_to_be_quick_goes_by_every_file(monkeypatch: pytest.MonkeyPatch, copy: Path) -> None:
    monkeypatch.setattr(versions, "PACKAGE", copy)
    before = versions.source_version.__wrapped__()
    (copy / "figures" / "style.py").write_text("ACCENT = 1\n")
    assert versions.source_version.__wrapped__() != before
