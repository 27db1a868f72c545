"""Write one picture per page and role into var/pictures/, from a running demonstration, and renew those that the docs show.

usage: python tests/browser/pictures.py [--port 8000] [--out var/pictures]
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]
import servers  # noqa: E402
import walk  # noqa: E402

DOCS_PICTURES = ROOT / "docs" / "pictures"
SHOWN = {
    "anyone--home": "start",
    "coordinator-1--studies-demonstration-upload": "upload",
    "coordinator-1--studies-demonstration-site": "site",
    "technician--studies-demonstration-exams-n": "quality-control",
    "technician--studies-demonstration-runs-n": "run",
    "reader-1--studies-demonstration-cases": "my-cases",
    "reader-1--studies-demonstration-cases-n": "reading",
    "adjudicator--studies-demonstration-cases-n": "adjudication",
    "manager--studies-demonstration-progress": "progress",
    "manager--studies-demonstration-case-list": "case-list",
    "manager--studies-demonstration-freezes-n": "freeze",
    "investigator--studies-demonstration-dashboards-cohort": "cohort",
    "investigator--studies-demonstration-dashboards-agreement": "agreement",
    "investigator--studies-demonstration-dashboards-cadrads": "cadrads",
    "investigator--studies-demonstration-dashboards-ivus": "ivus",
    "investigator--studies-demonstration-dashboards-outcome": "outcome",
    "investigator--studies-demonstration-dashboards-readers": "readers",
    "investigator--studies-demonstration-dashboards-quality": "quality",
    "auditor--studies-demonstration-audit": "audit",
}
"""The pictures that README and guides show: person and page → name in docs/pictures."""


LESION = ("investigator", "/studies/demonstration/exams/4/view/?vessel=RCA&lesion=2")
"""What README shows first: a person and the address of a lesion in the viewer, as ``viewer.png``."""


def small(picture: bytes) -> bytes:
    """Return the same pixels in fewer bytes."""
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> int:
    """Walk as each person; exit 1 when a page has a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "pictures")
    parser.add_argument("--person", action="append")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    base = f"http://127.0.0.1:{options.port}"
    bad = count = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=servers.ensure(["chromium"])["chromium"], args=walk.CHROMIUM_FLAGS
        )
        start = browser.new_page(viewport={"width": 1440, "height": 900})
        visits = [walk.look(start, "anyone", base + "/")]
        start.close()
        for person in options.person or walk.PERSONS:
            visits += walk.walk(browser, base, person)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        walk.enter(page, base, LESION[0])
        lesion = walk.look(page, LESION[0], base + LESION[1])
        page.close()
        if not lesion.problems:
            (DOCS_PICTURES / "viewer.png").write_bytes(small(lesion.picture))
        for visit in [*visits, lesion]:
            name = f"{visit.person}--{visit.name}"
            (options.out / f"{name}.png").write_bytes(visit.picture)
            if name in SHOWN and not visit.problems:
                (DOCS_PICTURES / f"{SHOWN[name]}.png").write_bytes(small(visit.picture))
            count += 1
            print(f"{visit.person:14} {visit.name}")
            for problem in visit.problems:
                bad += 1
                print(f"    ! {problem}")
    missing = (
        {name for name in SHOWN if not (options.out / f"{name}.png").exists()}
        if not options.person
        else set()
    )
    for name in sorted(missing):
        print(f"    ! the docs show {SHOWN[name]}.png, but nobody met {name}")
    print(f"{count} pictures in {options.out}, {bad} problems")
    return 1 if bad or missing else 0


if __name__ == "__main__":
    sys.exit(main())
