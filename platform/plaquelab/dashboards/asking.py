"""What a request asks: study, freeze, question, parameters and selection, each checked, or why there is nothing to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import Http404

from plaquelab.dashboards.addresses import Address, read_selection
from plaquelab.dashboards.questions import QUESTIONS, Question
from plaquelab.freezes.frozen import open_freeze
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.freezes.selectors import chosen_freeze
from plaquelab.studies.access import StudyRequest, get_study
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability

if TYPE_CHECKING:
    from analytics.freeze import Freeze


@dataclass(frozen=True)
class Asked:
    """A question to a freeze that this person may open.

    row : the freeze's row, freeze : its tables.
    problems : what of the address could not be used, in words.
    """

    study: Study
    row: DatasetFreeze
    freeze: Freeze
    question: Question
    parameters: Any
    address: Address
    problems: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """Start of the name of everything that is exported: no name of a person, the freeze and its lock state."""
        return f"{self.study.slug}-freeze-{self.row.number}-{self.row.state}-{self.row.hash[:12]}-{self.question.key}"


def question_of(key: str) -> Question:
    """Return the question of an address. Raises Http404 when there is none such."""
    if key not in QUESTIONS:
        raise Http404("There is no such dashboard.")
    return QUESTIONS[key]


def asked(
    request: StudyRequest, slug: str, key: str, capability: Capability = Capability.SEE_DASHBOARDS
) -> Asked | None:
    """Read a request; None when the person has no freeze to look at yet.

    Raises
    ------
    Http404
        There is no such study for this person, or no such question.
    PermissionDenied
        The person's roles see no comparisons.
    """
    study = get_study(request, slug, capability)
    question = question_of(key)
    row, problem = chosen_freeze(request.user, study, request.GET.get("freeze", ""))
    if row is None:
        return None
    freeze = open_freeze(row)
    given = _texts(request, question)
    parameters, problems = question.read(freeze, given)
    return Asked(
        study=study,
        row=row,
        freeze=freeze,
        question=question,
        parameters=parameters,
        address=Address(
            row.number, question.query(parameters), read_selection(request.GET.get("selection", ""))
        ),
        problems=((problem,) if problem else ()) + problems,
    )


def _texts(request: StudyRequest, question: Question) -> dict[str, str]:
    """The address's texts; several boxes of one name become one text with commas."""
    lists = question.lists
    return {
        name: ",".join(v for v in values if v) if name in lists else str(values[-1])
        for name, values in request.GET.lists()
    }
