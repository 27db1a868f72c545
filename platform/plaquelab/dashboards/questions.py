"""The seven questions, one page each. Each is a module of ``analytics.questions``; this names them for pages."""

from __future__ import annotations

import dataclasses
import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from analytics.freeze import Freeze
    from analytics.questions import Answer, Steps

log = logging.getLogger(__name__)
ALL_SECTIONS = "all"
Choices = Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Question:
    """One page.

    Parameters
    ----------
    key : the module's name and the page's place in the address.
    label : on its tab.
    asks : what the page answers, in a sentence.
    empty : what to do when the freeze holds nothing for it.
    """

    key: str
    label: str
    asks: str
    empty: str

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"analytics.questions.{self.key}")

    @property
    def parameters(self) -> type[Any]:
        """The frozen dataclass of its parameters."""
        found: type[Any] = getattr(self._module, f"{self.key.capitalize()}Parameters")
        return found

    def choices(self, freeze: Freeze, parameters: Any) -> Choices:
        """What each parameter may be in a freeze: name → (value, label)."""
        found: Choices = self._module.choices(freeze, parameters)
        return found

    def answer(
        self, freeze: Freeze, parameters: Any, *, replicates: int = 0, steps: Steps | None = None
    ) -> Answer:
        """Answer it; links are selections, written ``?key=value&…``."""
        found: Answer = self._module.answer(freeze, parameters, replicates=replicates, link="?", steps=steps)
        return found

    def cases(self, freeze: Freeze, parameters: Any, selection: Mapping[str, str]) -> pd.DataFrame:
        """The rows behind a selection.

        Raises
        ------
        AnalyticsError
            The selection names what does not exist, or cannot be read.
        """
        from analytics.errors import AnalyticsError

        try:
            found: pd.DataFrame = self._module.cases(freeze, parameters, selection)
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
        from analytics.questions.filters import read_parameters

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
        from analytics.questions.filters import query_of

        found = query_of(parameters)
        if hasattr(parameters, "section"):
            found["section"] = parameters.section or ALL_SECTIONS
        return found

    @property
    def lists(self) -> frozenset[str]:
        """Names of parameters that are lists."""
        fields = dataclasses.fields(self.parameters)
        return frozenset(field.name for field in fields if field.type == "tuple[str, ...]")

    @property
    def can_resample(self) -> bool:
        """Whether its answers have a bootstrap."""
        return "replicates" in _arguments(self._module.answer)


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    return function.__code__.co_varnames[
        : function.__code__.co_argcount + function.__code__.co_kwonlyargcount
    ]


QUESTIONS: dict[str, Question] = {
    question.key: question
    for question in (
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
    )
}
