"""One module per question that a dashboard asks of a freeze.

Each has frozen ``…Parameters``, ``answer(freeze, parameters, …)`` → :class:`~analytics.questions.answer.Answer`, and
``cases(freeze, parameters, selection)``, the rows behind a point, cell, bar or step. :data:`QUESTIONS` names them.
"""

from analytics.questions.answer import Answer, Cell, Figure, Grid
from analytics.questions.steps import Steps

__all__ = ["Answer", "Cell", "Figure", "Grid", "Steps"]
