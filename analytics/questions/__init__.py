"""One module per question that a dashboard asks of a freeze.

Each has frozen ``…Parameters``; ``choices(freeze, parameters)``, what each parameter may be; ``answer(freeze,
parameters, replicates=…, link=…, steps=…)`` → :class:`~analytics.questions.answer.Answer`; and ``cases(freeze,
parameters, selection)``, the rows behind a point, cell, bar or step. :data:`QUESTIONS` names them all.

Every drawn element carries in ``customdata`` ``[link, label]``; ``link`` is the caller's prefix with the selection as a
query (``row=17``, ``first=2&second=1`` …), whose parsed texts are what ``cases`` takes. A page therefore needs one
address per question for the answer and one for the cases behind a selection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics.questions import (
    agreement,
    cadrads,
    cadrads_grades,
    cohort,
    ivus,
    outcome,
    quality,
    readers,
    readers_sections,
)
from analytics.questions.answer import Answer, Cell, Figure, Grid
from analytics.questions.filters import query_of, read_parameters
from analytics.questions.steps import Steps


@dataclass(frozen=True)
class Question:
    """A question: its title, the class of its parameters, and its three functions."""

    name: str
    title: str
    parameters: type[Any]
    choices: Callable[..., Mapping[str, Any]]
    answer: Callable[..., Answer]
    cases: Callable[..., Any]


def _question(name: str, title: str, parameters: type[Any], module: Any) -> Question:
    return Question(name, title, parameters, module.choices, module.answer, module.cases)


QUESTIONS: dict[str, Question] = {
    question.name: question
    for question in (
        _question("cohort", "Cohort", cohort.CohortParameters, cohort),
        _question("agreement", "Agreement", agreement.AgreementParameters, agreement),
        _question("cadrads", "CAD-RADS", cadrads_grades.CadradsParameters, cadrads),
        _question("ivus", "IVUS", ivus.IvusParameters, ivus),
        _question("outcome", "Outcome", outcome.OutcomeParameters, outcome),
        _question("readers", "Readers", readers_sections.ReadersParameters, readers),
        _question("quality", "Quality", quality.QualityParameters, quality),
    )
}

__all__ = [
    "QUESTIONS",
    "Answer",
    "Cell",
    "Figure",
    "Grid",
    "Question",
    "Steps",
    "query_of",
    "read_parameters",
]
