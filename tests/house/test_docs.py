"""What the docs show and link: every picture is shown, every link leads somewhere, and the weight stays small."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")
MOST_PICTURES = 25
MOST_BYTES = 4_000_000


def links() -> list[tuple[Path, str]]:
    return [
        (page, target)
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if not re.match(r"[a-z]+:", target)
    ]


def test_every_link_leads_somewhere() -> None:
    assert [f"{page.name}: {target}" for page, target in links() if not (page.parent / target).exists()] == []


def test_every_picture_is_shown_and_they_stay_light() -> None:
    pictures = set((ROOT / "docs" / "pictures").iterdir())
    shown = {(page.parent / target).resolve() for page, target in links() if target.endswith(".png")}
    assert sorted(p.name for p in pictures - shown) == []
    assert len(pictures) <= MOST_PICTURES
    assert sum(p.stat().st_size for p in pictures) <= MOST_BYTES


def test_every_room_of_the_house_has_its_line() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    told = {}
    for folder in ("platform/plaquelab", "inference", "analytics"):
        table = text.split(f"| `{folder}/` | What stands there |")[1].split("\n\n")[0]
        told[folder] = set(re.findall(r"^\| `(\w+)` \|", table, re.M))
        there = {
            path.stem
            for path in (ROOT / folder).iterdir()
            if (path.suffix == ".py" or path.is_dir()) and not path.name.startswith("__")
        }
        assert told[folder] == there, folder
