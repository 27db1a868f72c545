"""The glossary names a room for every word, and the rooms are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| Word")
]


def exists(room: str) -> bool:
    if room.startswith("frontend/"):
        return (ROOT / room).is_file()
    parts = room.split(".")
    base = ROOT if parts[0] in ("inference", "analytics") else ROOT / "platform" / "plaquelab"
    path = base.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_every_word_has_a_room_that_exists() -> None:
    assert len(ROWS) > 50
    for word, _, rooms in ROWS:
        found = re.findall(r"`([^`]+)`", rooms)
        assert found, word
        assert [room for room in found if not exists(room)] == [], word


def test_words_stand_once_and_in_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    words = [row[0] for row in ROWS]
    assert len(set(words)) == len(words)
    for chapter in text.split("\n## ")[1:]:
        inside = re.findall(r"^\| (?!Word|-)([^|]+?) \|", chapter, re.M)
        assert inside == sorted(inside, key=str.casefold), chapter.splitlines()[0]
