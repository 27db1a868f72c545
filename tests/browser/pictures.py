"""Write one picture per page and role into docs/pictures/, from a running demonstration.

usage: python tests/browser/pictures.py [--port 8000] [--out docs/pictures]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]
import servers  # noqa: E402
import walk  # noqa: E402


def main() -> int:
    """Walk as each person; exit 1 when a page has a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
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
        for visit in visits:
            (options.out / f"{visit.person}--{visit.name}.png").write_bytes(visit.picture)
            count += 1
            print(f"{visit.person:14} {visit.name}")
            for problem in visit.problems:
                bad += 1
                print(f"    ! {problem}")
    print(f"{count} pictures in {options.out.name}/, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
