"""Writing the report: one HTML file, every number as JSON, and a PDF where a Chromium is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from analytics.errors import AnalyticsError
from analytics.report.contents import Report
from analytics.report.html import to_html

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_VARIABLE = "PLAQUELAB_CHROMIUM"
PDF_SECONDS = 120  # a browser that hangs is ended


@dataclass(frozen=True)
class Written:
    """The files that were written; ``pdf`` is None where there is none, and ``pdf_reason`` says why."""

    html: Path
    numbers: Path
    pdf: Path | None
    pdf_reason: str = ""


def write_report(report: Report, out: Path, *, pdf: bool = True) -> Written:
    """Write ``report.html``, ``numbers.json`` and ``report.pdf`` into a folder, each in one step.

    Raises AnalyticsError when the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        page = _write(out / "report.html", to_html(report).encode())
        numbers = _write(out / "numbers.json", numbers_bytes(report))
    except OSError as error:
        raise AnalyticsError(f"{out}: {error.strerror or error}.") from None
    if not pdf:
        return Written(page, numbers, None, "not asked for")
    browser = find_browser()
    if browser is None:
        return Written(
            page, numbers, None, f"no Chromium was found (set {BROWSER_VARIABLE}, or print the HTML file)"
        )
    made, reason = print_pdf(browser, page, out / "report.pdf")
    return Written(page, numbers, made, reason)


def numbers_bytes(report: Report) -> bytes:
    """Every number as JSON: sorted keys, no NaN; the same freeze and seed give the same bytes."""
    text = json.dumps(report.numbers, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return (text + "\n").encode()


def _write(path: Path, content: bytes) -> Path:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
    return path


def find_browser() -> str | None:
    """A Chromium: the one named in the environment, or one on the path."""
    named = os.environ.get(BROWSER_VARIABLE)
    if named:
        return named if Path(named).is_file() else None
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def print_pdf(browser: str, page: Path, target: Path) -> tuple[Path | None, str]:
    """Print a page; the path, or None with the reason."""
    with tempfile.TemporaryDirectory() as profile:
        partial = Path(profile) / "report.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--no-first-run",
            f"--user-data-dir={profile}/profile",
            "--no-pdf-header-footer",
            "--virtual-time-budget=30000",
            f"--print-to-pdf={partial}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PDF_SECONDS, check=False)  # noqa: S603 - no shell, and nothing that a user typed
        except subprocess.TimeoutExpired:
            return None, f"Chromium did not finish within {PDF_SECONDS} seconds"
        except OSError as error:
            return None, f"Chromium could not be started ({error.strerror})"
        if done.returncode or not partial.is_file():
            return None, f"Chromium ended with status {done.returncode}"
        return _write(target, partial.read_bytes()), ""
