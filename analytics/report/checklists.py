"""Reporting checklists, filled where the data can: STARD with its additions for AI, GRRAS, STROBE, TRIPOD+AI.

Items are named in our own words; their full text is in the guidelines. What no data set can hold (aims, ethics, funding)
is left for the authors, and says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files

from analytics.report.facts import Facts

FOR_AUTHORS = "for the authors"


@dataclass(frozen=True)
class ChecklistItem:
    """One item: number, topic, and what the data say; ``filled`` is False where authors must write."""

    number: str
    topic: str
    text: str
    filled: bool


@dataclass(frozen=True)
class Checklist:
    """A guideline with its items."""

    name: str
    source: str
    items: tuple[ChecklistItem, ...]

    @property
    def filled_count(self) -> int:
        """Items that the data fill."""
        return sum(item.filled for item in self.items)


def filled(facts: Facts) -> tuple[Checklist, ...]:
    """Every checklist with what the facts say."""
    stored = json.loads((files("analytics.report") / "checklists.json").read_text(encoding="utf-8"))
    return tuple(
        Checklist(
            name=entry["name"],
            source=entry["source"],
            items=tuple(_item(*item, facts=facts) for item in entry["items"]),
        )
        for entry in stored
    )


def _item(number: str, topic: str, templates: list[str], *, facts: Facts) -> ChecklistItem:
    """The sentences all of whose facts are known."""
    written = []
    for template in templates:
        wanted = re.findall(r"{(\w+)}", template)
        if all(name in facts for name in wanted):
            written.append(template.format_map(facts))
    return ChecklistItem(number, topic, " ".join(written) or FOR_AUTHORS, bool(written))
