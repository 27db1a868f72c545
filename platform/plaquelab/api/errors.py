"""How reading's refusals become answers of the API: ``{"detail": "…"}`` with the fitting status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import APIException

from plaquelab.reading.errors import ReadingError, SigningError, StaleVersionError
from plaquelab.states import TransitionError


class Refused(APIException):
    """An answer with reading's own words."""

    def __init__(self, detail: str, status: int) -> None:
        self.status_code = status
        super().__init__(detail)


@contextmanager
def answered() -> Iterator[None]:
    """Answer 409 when the page is behind, 400 to whatever else cannot be done."""
    try:
        yield
    except (StaleVersionError, TransitionError) as error:
        raise Refused(str(error), 409) from error
    except SigningError as error:
        raise Refused(str(error), 400) from error
    except ReadingError as error:
        raise Refused(str(error), 400) from error
