"""Which answer a page shows: the one with bootstrap intervals where it is there, else the fast one."""

from __future__ import annotations

from plaquelab.dashboards import answers
from plaquelab.dashboards.answers import Document
from plaquelab.dashboards.asking import Asked
from plaquelab.dashboards.models import Calculation
from plaquelab.storage import store

REPLICATES = 10_000


def resampled_key(asked: Asked) -> str:
    """Key of the answer with bootstrap intervals."""
    return answers.answer_key(asked.question, asked.parameters, REPLICATES)


def calculation_of(asked: Asked) -> Calculation | None:
    """The queued work behind this page, if somebody asked for it."""
    return (
        Calculation.objects.filter(freeze=asked.row, kind=Calculation.Kind.ANSWER, key=resampled_key(asked))
        .select_related("freeze")
        .first()
    )


def shown_document(asked: Asked, calculation: Calculation | None) -> Document:
    """The document to show."""
    if calculation is None or calculation.state != Calculation.State.SUCCEEDED:
        return answers.fast_answer(asked.freeze, asked.question, asked.parameters)
    found = answers.read_file(asked.row.hash, calculation.key)
    if found is None:
        data = store().get(f"{calculation.folder}/{answers.ANSWER_FILE}")
        answers.write_file(asked.row.hash, calculation.key, data)
        found = answers.load(data)
    return found
