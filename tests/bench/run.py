"""Measure what the first bars name, in one run on this machine, and write docs/figures.md.

usage: python tests/bench/run.py [--patients 3] [--only pipeline|viewer]
Nothing here is a timed test: figures are shown with the machine, and parts as shares of one whole.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(ROOT),
    str(ROOT / "tests"),
    str(ROOT / "tests" / "browser"),
    str(ROOT / "tests" / "bench"),
]
SEED = 900_301


def machine() -> str:
    """Name the processor and how many cores may be used."""
    named = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{named[0] if named else platform.machine()}, {cores} cores, {memory:.0f} GiB, no GPU, Python {platform.python_version()}"


def pipeline(patients: int) -> list[str]:
    """Seconds per stage and patient, from a DICOM folder to measurements."""
    from inference.analysis import Settings
    from inference.centreline.lines import read_centrelines, write_centrelines
    from inference.networks import load_network
    from inference.phantom import generate, write_dicom
    from inference.pipeline import analyse
    from inference.scan import read_series

    stages: dict[str, list[float]] = defaultdict(list)
    sections = 0
    begin = time.perf_counter()
    load_network()
    loading = time.perf_counter() - begin
    for n in range(patients + 1):
        with tempfile.TemporaryDirectory() as folder:
            phantom = generate(SEED + n, "demo")
            write_dicom(phantom, Path(folder) / "dicom")
            points = Path(folder) / "centrelines.csv"
            write_centrelines(points, phantom.stored_points(1.0))
            begin = time.perf_counter()
            volume = read_series(sorted((Path(folder) / "dicom").iterdir()))
            lines = read_centrelines(points)
            read = time.perf_counter() - begin
            analysis = analyse(volume, lines, settings=Settings())
            whole = time.perf_counter() - begin
        if n == 0:
            continue  # the first one compiles; a worker does that once
        stages["read DICOM"].append(read)
        for name, seconds in analysis.timings.items():
            stages[name].append(seconds)
        stages["whole"].append(whole)
        sections += sum(len(vessel.hu) for vessel in analysis.vessels)
    middle = {name: statistics.median(values) for name, values in stages.items()}
    rows = [
        f"| {name} | {seconds:.2f} | {100 * seconds / middle['whole']:.0f} % |"
        for name, seconds in middle.items()
    ]
    return [
        "## A phantom patient, DICOM to measurements",
        "",
        f"Median of {patients} patients of {sections // patients} sections on average (six vessels, scenario `demo`,"
        f" centrelines 1 mm off), in one process after a first patient; loading the network takes {loading:.1f} s once."
        " Bar: 30 s.",
        "",
        "| stage | s | share |",
        "|---|---|---|",
        *rows,
        "",
    ]


def viewer() -> list[str]:  # noqa: PLR0915 - one visit from start to end
    """Seconds of a demonstration's start, and from the click on a vessel to its readable picture."""
    import signal
    import subprocess
    import urllib.error
    import urllib.request

    import servers
    import walk
    from playwright.sync_api import sync_playwright

    port = servers.free_port()
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            "DATA_DIR": folder,
            "PLAQUELAB_DEMONSTRATION": "1",
            "DJANGO_SETTINGS_MODULE": "plaquelab.config.settings.embedded",
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        begin = time.perf_counter()
        subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=env, check=True)
        log = (Path(folder) / "serve.log").open("w")
        process = subprocess.Popen(
            [*manage, "serve", "--port", str(port), "--demonstration"],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

        def page(path: str) -> str:
            try:
                with urllib.request.urlopen(base + path, timeout=30) as answer:
                    return str(answer.read().decode())
            except (urllib.error.URLError, OSError):
                return ""

        def until(done: Callable[[], bool], limit: float = 900) -> float:
            while not done():
                if process.poll() is not None or time.perf_counter() - begin > limit:
                    raise RuntimeError((Path(folder) / "serve.log").read_text()[-3000:])
                time.sleep(0.2)
            return time.perf_counter() - begin

        try:
            first = until(lambda: "Phantom patients" in page("/demo/progress/"))
            last = until(lambda: "8 of 8 ready" in page("/demo/progress/"))
            frozen = until(lambda: "data: released" in page("/demo/progress/"))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=servers.ensure(["chromium"])["chromium"], args=walk.CHROMIUM_FLAGS
                )
                tab = browser.new_page(viewport={"width": 1440, "height": 900})
                walk.enter(tab, base, "reader-1")
                begin_click = time.perf_counter()
                tab.locator("[data-testid=next-case]").click()
                tab.wait_for_function("window.plaquelab?.timings.length > 0", timeout=30_000)
                opened = time.perf_counter() - begin_click
                vessels = tab.locator("[data-testid=vessels] button")
                for n in range(1, vessels.count()):
                    seen = tab.evaluate("window.plaquelab.timings.length")
                    vessels.nth(n).click()
                    tab.wait_for_function(f"window.plaquelab.timings.length > {seen}", timeout=30_000)
                timings: list[dict[str, Any]] = tab.evaluate("window.plaquelab.timings")
                browser.close()
        finally:
            process.send_signal(signal.SIGINT)
            ending = time.perf_counter()
            process.wait(60)
            ended = time.perf_counter() - ending
            log.close()
    others = [t["ms"] / 1000 for t in timings if not t["first"]]
    first_page_ms = next(t["page_ms"] for t in timings if t["first"]) / 1000
    return [
        "## The demonstration and the viewer",
        "",
        "Headless Chromium on the same machine as web server and worker. Bar: a readable vessel 1 s after the click.",
        "",
        "| what | s |",
        "|---|---|",
        f"| start of a set-up checkout to the first page (bar 20) | {first:.1f} |",
        f"| … to the last of 8 patients, analysed and read (bar 600) | {last:.0f} |",
        f"| … to the release of the study's freeze, its references imported and compared | {frozen:.0f} |",
        f"| Ctrl-C to everything ended (bar 10) | {ended:.1f} |",
        f"| click on a case to its first readable vessel, new page included | {opened:.2f} |",
        f"| … as the page itself measures it, from navigation | {first_page_ms:.2f} |",
        f"| click on another vessel to its readable picture, median of {len(others)} | {statistics.median(others):.3f} |",
        f"| … slowest | {max(others):.3f} |",
        "",
    ]


def main() -> int:
    """Run the chosen parts; a whole run replaces docs/figures.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=3)
    parser.add_argument("--only", choices=["pipeline", "viewer"])
    options = parser.parse_args()
    parts: dict[str, Callable[[], list[str]]] = {
        "pipeline": lambda: pipeline(options.patients),
        "viewer": viewer,
    }
    text = [
        "# Figures",
        "",
        f"Measured by `make bench` on {dt.date.today().isoformat()}: {machine()}.",
        "Inference is measured in [validation-inference.md](validation-inference.md), the statistics in "
        "[validation-statistics.md](validation-statistics.md). All data is simulated.",
        "",
    ]
    for name, part in parts.items():
        if options.only in (None, name):
            print(f"{name} …", file=sys.stderr, flush=True)
            text += part()
    print("\n".join(text))
    if options.only is None:
        (ROOT / "docs" / "figures.md").write_text("\n".join(text).rstrip() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
