"""The root of every refusal: what a person asked for that cannot be done, in words for that person."""

from __future__ import annotations

from analytics.errors import AnalyticsError
from inference.errors import InferenceError


class Refusal(Exception):  # noqa: N818  it is no error: somebody is told no
    """Something that cannot be done as asked. Its text says what was wrong and what to do.

    Each application's refusals descend from it; ``plaquelab.refusals`` answers them on pages, ``plaquelab.api.errors``
    in the API, ``plaquelab.jobs.attempt`` in a worker. What went wrong on our side is no refusal: it is logged under a
    number, and shows nothing of itself.

    Parameters
    ----------
    message : for a person; never holds an identifier of a patient or a file name.
    code : short kebab-case name, stable for tests, pages and scripts; by default the class's own.
    status : the HTTP status of the answer; by default the class's own.
    """

    code: str = "refused"
    status: int = 400

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        if code:
            self.code = code
        if status:
            self.status = status


def refusal_of(error: BaseException) -> Refusal | None:
    """Return what an error says to a person: itself, or a library's refusal as the platform's; None when it is ours.

    The libraries know nothing of the platform and keep roots of their own; here alone they become refusals.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InferenceError):
        return Refusal(str(error), code=error.code, status=422)
    if isinstance(error, AnalyticsError):
        return Refusal(str(error), code="cannot-be-answered", status=422)
    return None
