"""The libraries as a package: one version, a wheel that carries what it needs, two console scripts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import analytics
import inference

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_there_is_one_version() -> None:
    version = inference.__version__
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    assert newest
    assert cited
    assert {version, analytics.__version__, newest[1], cited[1]} == {version}


def test_every_dependency_admits_the_version_that_the_product_runs_on() -> None:
    pins = {
        match[1].lower(): match[2]
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / name).read_text().splitlines()
        if (match := re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", line))
    }
    wanted = [Requirement(text) for text in PROJECT["dependencies"]]
    wanted += [Requirement(text) for extra in PROJECT["optional-dependencies"].values() for text in extra]
    assert {r.name for r in wanted} <= set(pins)
    assert [r.name for r in wanted if not r.specifier.contains(pins[r.name])] == []


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it, without what it depends on, into a folder away from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    assert wheel.name == f"plaquelab-{inference.__version__}-py3-none-any.whl"
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    subprocess.run([*pip, "--no-deps", "--target", str(site), str(wheel)], check=True, capture_output=True)
    return site


def run(site: Path, code_or_script: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        code_or_script,
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_both_command_lines_run_from_the_wheel(installed: Path) -> None:
    phantom = run(
        installed,
        [str(installed / "bin" / "plaquelab-inference"), "phantom", "--seed", "7", "--out", "phantom"],
    )
    assert phantom.returncode == 0, phantom.stderr
    assert (installed.parent / "phantom" / "centrelines.csv").exists()
    paper = run(installed, [str(installed / "bin" / "plaquelab-analytics"), "paper"])
    assert paper.returncode == 0, paper.stderr
    assert "31 of 31" in paper.stdout


@pytest.mark.parametrize("script", ["plaquelab-inference", "plaquelab-analytics"])
def test_each_command_line_says_its_own_name_and_version(installed: Path, script: str) -> None:
    command = str(installed / "bin" / script)
    assert run(installed, [command, "--version"]).stdout == f"{script} {inference.__version__}\n"
    assert run(installed, [command, "--help"]).stdout.startswith(f"usage: {script} ")


def test_weights_and_data_files_come_with_the_wheel(installed: Path) -> None:
    code = (
        "import inference; print(inference.__file__)\n"
        "from inference.networks import load_network\n"
        "module, card = load_network('served', device='cpu'); print(card.name)\n"
        "from inference.centreline import artery_points; print(artery_points.WEIGHTS.exists())\n"
        "from importlib.resources import files\n"
        "print(all((files(name) / 'py.typed').is_file() for name in ('inference', 'analytics')))\n"
    )
    done = run(installed, [sys.executable, "-c", code])
    assert done.returncode == 0, done.stderr
    where, *rest = done.stdout.split()
    assert Path(where).is_relative_to(installed)
    assert rest == ["unet_2_5d_given", "True", "True"]


def test_analytics_and_measuring_do_without_torch(installed: Path) -> None:
    blocked = "import sys; sys.modules['torch'] = None\n"
    code = "import analytics.__main__, analytics.report, inference.quantification, inference.phantom"
    done = run(installed, [sys.executable, "-c", blocked + code])
    assert done.returncode == 0, done.stderr


def test_without_torch_the_command_line_says_what_to_install(installed: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from inference.__main__ import main; sys.exit(main(['evaluate', '--scenario', 'tiny', '--patients', '1']))"
    )
    done = run(installed, [sys.executable, "-c", code])
    assert done.returncode == 2
    assert "plaquelab[torch]" in done.stderr
    assert "Traceback" not in done.stderr
