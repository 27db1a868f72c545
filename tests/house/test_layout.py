"""The shape of the house: what must and must not lie where."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("folder", ["platform", "tests/platform", "tests"])
def test_source_roots_are_not_packages(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_standard_library_platform_imports_with_our_paths() -> None:
    code = "import platform; print(platform.python_implementation(), platform.__file__)"
    for extra in (str(ROOT), str(ROOT / "platform"), str(ROOT / "tests")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONPATH": extra},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("CPython")
        assert str(ROOT) not in done.stdout.split()[1] or ".venv" in done.stdout


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_exactly(name: str) -> None:
    lines = [
        line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))
    ]
    loose = [
        line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][0-9a-zA-Z.]*", line)
    ]
    assert loose == []


def test_no_strong_copyleft_at_run_time() -> None:
    """Walk what requirements.txt brings, and refuse GPL and AGPL (LGPL libraries are fine)."""
    queue = [
        re.split(r"[\[=]", line)[0]
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    seen: set[str] = set()
    bad = []
    while queue:
        name = queue.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        try:
            dist = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        texts = [dist.metadata.get("License-Expression") or "", *(dist.metadata.get_all("Classifier") or [])]
        if any(
            re.search(r"\bA?GPL|GNU (Affero )?General Public", t) and "Lesser" not in t and "LGPL" not in t
            for t in texts
        ):
            bad.append(name)
        queue += [re.split(r"[\s;\[<>=!~(]", r)[0] for r in dist.requires or [] if "extra ==" not in r]
    assert len(seen) > 30
    assert bad == []


def test_text_names_no_machine() -> None:
    pattern = re.compile(r"(?<![\w.~/$}{*-])/(work|root|home)/[a-z]")
    found = []
    for path in tracked():
        if (
            path.suffix in {".py", ".ts", ".md", ".html", ".toml", ".json", ".yaml", ".css", ""}
            and path.stat().st_size < 400_000
        ):
            text = path.read_text(errors="ignore")
            if path != Path(__file__) and pattern.search(text):
                found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_lock_file_names_no_registry() -> None:
    assert "resolved" not in (ROOT / "frontend" / "package-lock.json").read_text()


def test_make_help_explains_every_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony
    for target in phony.group(1).split():
        assert f"make {target}" in shown
