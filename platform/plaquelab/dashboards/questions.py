"""The seven questions, one page each. Each is one of ``analytics.questions``; this names them for pages."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from analytics.errors import AnalyticsError

if TYPE_CHECKING:
    import pandas as pd

    from analytics.freeze import Freeze
    from analytics.questions import Answer, Steps
    from analytics.questions import Question as Asked

log = logging.getLogger(__name__)
ALL_SECTIONS = "all"
Choices = Mapping[str, tuple[tuple[str, str], ...]]


def _library() -> ModuleType:
    """Return ``analytics.questions``."""
    import analytics.questions as library  # noqa: PLC0415  loads SciPy, which only who asks a question needs

    return library


@dataclass(frozen=True)
class Question:
    """One page.

    Parameters
    ----------
    key : the module's name and the page's place in the address.
    label : on its tab.
    asks : what the page answers, in a sentence.
    empty : what to do when the freeze holds nothing for it.
    can_resample : whether its answers have bootstrap intervals.
    """

    key: str
    label: str
    asks: str
    empty: str
    can_resample: bool = True

    @property
    def _asked(self) -> Asked:
        return _library().QUESTIONS[self.key]

    @property
    def parameters(self) -> type[Any]:
        """The frozen dataclass of its parameters."""
        return self._asked.parameters

    def choices(self, freeze: Freeze, parameters: Any) -> Choices:
        """What each parameter may be in a freeze: name → (value, label)."""
        found: Choices = self._asked.choices(freeze, parameters)
        return found

    def answer(
        self, freeze: Freeze, parameters: Any, *, replicates: int = 0, steps: Steps | None = None
    ) -> Answer:
        """Answer it; links are selections, written ``?key=value&…``."""
        found: Answer = self._asked.answer(freeze, parameters, replicates=replicates, link="?", steps=steps)
        return found

    def cases(self, freeze: Freeze, parameters: Any, selection: Mapping[str, str]) -> pd.DataFrame:
        """The rows behind a selection.

        Raises
        ------
        AnalyticsError
            The selection names what does not exist, or cannot be read.
        """
        try:
            found: pd.DataFrame = self._asked.cases(freeze, parameters, selection)
        except (ValueError, KeyError) as unread:
            # The texts come from an address, which anybody may have written.
            log.info("selection %r of %s cannot be read: %s", dict(selection), self.key, unread)
            raise AnalyticsError("The selection in this address cannot be read: show all cases.") from None
        return found

    def read(self, freeze: Freeze, given: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
        """Parameters from the texts of an address, and what was wrong with them.

        Choices may depend on other parameters (which metrics a pair has), so that they are read twice. A question with
        sections begins with its first one; ``all`` shows them all.
        """
        read_parameters = _library().read_parameters
        kind = self.parameters
        first, _ = read_parameters(kind, given, self.choices(freeze, kind()))
        choices = self.choices(freeze, first)
        texts = dict(given)
        if sections := choices.get("section"):
            wanted = texts.get("section") or sections[0][0]
            texts["section"] = "" if wanted == ALL_SECTIONS else wanted
        return read_parameters(kind, texts, choices)

    def query(self, parameters: Any) -> dict[str, str]:
        """The texts of an address that give these parameters back; defaults are left out."""
        found: dict[str, str] = _library().query_of(parameters)
        if hasattr(parameters, "section"):
            found["section"] = parameters.section or ALL_SECTIONS
        return found

    @property
    def lists(self) -> frozenset[str]:
        """Names of parameters that are lists."""
        fields = dataclasses.fields(self.parameters)
        return frozenset(field.name for field in fields if field.type == "tuple[str, ...]")


QUESTIONS: dict[str, Question] = {
    question.key: question
    for question in (
        Question(
            "cohort",
            "Cohort",
            "Who is in the study, and who is not?",
            "Subjects enter a freeze once they belong to a cohort.",
            can_resample=False,
        ),
        Question(
            "agreement",
            "Agreement",
            "How do two reads agree?",
            "Pairs appear when cases are final and a freeze is made of them.",
        ),
        Question(
            "cadrads",
            "CAD-RADS",
            "Do two reads grade stenosis alike?",
            "Graded pairs appear when cases are final, or invasive angiography was imported, and a freeze is made.",
        ),
        Question(
            "ivus",
            "IVUS",
            "How far is the network from intravascular ultrasound?",
            "Import ultrasound reads under References and make a freeze.",
        ),
        Question(
            "outcome",
            "Outcome",
            "What does plaque say about later events?",
            "Import outcomes under References and make a freeze.",
        ),
        Question(
            "readers",
            "Readers",
            "How well do readers agree, and how long do they take?",
            "Readers appear once two of them have signed reads of a case and a freeze is made.",
        ),
        Question(
            "quality",
            "Quality",
            "What failed, what could not be read, and does anything drift?",
            "Exams appear once they were analysed and a freeze is made.",
            can_resample=False,
        ),
    )
}
