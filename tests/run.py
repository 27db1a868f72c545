"""Run everything CI runs, in one process tree: lint, types, Vitest, and pytest in both worlds.

usage: python tests/run.py [--only lint|docs|frontend|second-world|python] [pytest arguments …]
The last run is the main pytest run, so that its own summary closes the output.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import servers  # noqa: E402

BIN = ROOT / ".venv" / "bin"
ENV = {
    **{
        k: v
        for k, v in os.environ.items()
        if k not in ("DJANGO_SETTINGS_MODULE", "PLAQUELAB_DEMONSTRATION", "DATA_DIR")
    },
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
}
LINT = {
    "ruff": [str(BIN / "ruff"), "check", "."],
    "mypy": [str(BIN / "mypy")],
    "import-linter": [str(BIN / "lint-imports")],
    "TypeScript": ["npm", "run", "--silent", "check"],
}


def step(name: str, command: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> bool:
    """Run one command, print its output when it fails, tell how long it took."""
    start = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=env or ENV, capture_output=True, text=True, check=False)
    good = done.returncode == 0
    print(f"{'ok    ' if good else 'FAILED'} {name} ({time.monotonic() - start:.0f} s)", flush=True)
    if not good:
        print((done.stdout + done.stderr)[-12000:], flush=True)
    return good


def lint() -> bool:
    """Run the linters and type checkers, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        cwd = {"TypeScript": ROOT / "frontend"}
        jobs = [pool.submit(step, name, command, cwd.get(name, ROOT)) for name, command in LINT.items()]
        return all([job.result() for job in jobs])


DOCS = [str(BIN / "python"), "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]


def docs() -> bool:
    """Build the documentation's site into var/docs; a warning is an error."""
    return step("docs", [*DOCS, "-d", "var/docs/doctrees", "docs", "var/docs/html"])


def frontend() -> bool:
    """Run Vitest."""
    return step("Vitest", ["npm", "run", "--silent", "test"], ROOT / "frontend")


def pytest(arguments: list[str], env: dict[str, str]) -> bool:
    """Run pytest with its output on ours."""
    print(f"\npytest {' '.join(arguments)}", flush=True)
    return (
        subprocess.run(
            [str(BIN / "python"), "-m", "pytest", *arguments], cwd=ROOT, env=env, check=False
        ).returncode
        == 0
    )


def main() -> int:
    """Parse the command line and run the chosen parts; every part runs even when an earlier one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["lint", "docs", "frontend", "second-world", "python"])
    options, extra = parser.parse_known_args()
    chosen = {options.only} if options.only else {"lint", "docs", "frontend", "second-world", "python"}
    results: dict[str, bool] = {}
    if "lint" in chosen:
        results["lint"] = lint()
    if "docs" in chosen:
        results["docs"] = docs()
    if "frontend" in chosen:
        results["Vitest"] = frontend()
    if chosen & {"second-world", "python"}:
        tools = servers.ensure(["redis-server", "initdb", "chromium", "dciodvfy"])
        env = {**ENV, "PLAQUELAB_CHROMIUM": tools["chromium"]}
        if "second-world" in chosen:
            with (
                servers.redis(tools["redis-server"]) as redis,
                servers.postgresql(tools["initdb"]) as postgres,
            ):
                second = {**env, "PLAQUELAB_TEST_DATABASE_URL": postgres, "PLAQUELAB_TEST_REDIS_URL": redis}
                results["tests on PostgreSQL and Redis"] = pytest(
                    ["-q", "-m", "both_worlds", "tests/platform", *extra], second
                )
        if "python" in chosen:
            failed = [name for name, good in results.items() if not good]
            if failed:
                print(f"\nFAILED so far: {', '.join(failed)}", flush=True)
            # A part of the tests covers a part of the code: the floor is for all of them.
            coverage = [] if extra else ["--cov", "--cov-report="]
            results["tests"] = pytest(["-q", "-n", "2", "--dist", "loadgroup", *coverage, *extra], env)
    failed = [name for name, good in results.items() if not good]
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
