"""The parts of a report, and the plan that its sections share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from analytics.freeze import Freeze
from analytics.profiles import StatisticsProfile
from analytics.questions.answer import Answer, Figure, Grid


@dataclass(frozen=True)
class Panel:
    """A stored picture of a case: PNG or JPEG bytes with its caption."""

    name: str
    caption: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Section:
    """A titled part of the report. ``reason`` says why it is empty."""

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    panels: tuple[Panel, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """What every section starts from."""

    freeze: Freeze
    profile: StatisticsProfile
    replicates: int
    answers: dict[str, Answer]

    def ask(self, name: str, question: Callable[..., Answer], parameters: Any) -> Answer:
        """Ask a question once; its answer is kept under ``name`` for numbers, facts and other sections."""
        if name not in self.answers:
            self.answers[name] = question(self.freeze, parameters, replicates=self.replicates, link="#")
        return self.answers[name]
