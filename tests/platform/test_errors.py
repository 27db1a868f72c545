"""A refusal has a code and a status of its own; the libraries' become one here, and what is ours becomes none."""

from __future__ import annotations

import pytest

from analytics.errors import AnalyticsError
from inference.errors import RefusedScan
from plaquelab.errors import Refusal, refusal_of
from plaquelab.reading.errors import EditError, ReadingError, StaleVersionError
from plaquelab.states import ConflictError, TransitionError
from plaquelab.uploads.errors import UploadError


class Late(Refusal):
    """An example."""

    code = "late"
    status = 410


def test_code_and_status_are_the_classs_unless_said_otherwise() -> None:
    assert (Late("Too late.").code, Late("Too late.").status) == ("late", 410)
    said = Late("Too late.", code="very-late", status=404)
    assert (str(said), said.code, said.status) == ("Too late.", "very-late", 404)
    assert (Late.code, Late.status) == ("late", 410)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (TransitionError("x"), "not-possible", 409),
        (ConflictError("x"), "changed-meanwhile", 409),
        (StaleVersionError("x"), "stale-version", 409),
        (EditError("x"), "edit", 400),
        (ReadingError("x"), "reading", 400),
        (UploadError("too-large", "x"), "too-large", 413),
        (UploadError("missing-files", "x"), "missing-files", 409),
        (UploadError("bad-pseudonym", "x"), "bad-pseudonym", 400),
        (RefusedScan("no-contrast", "x"), "no-contrast", 422),
        (AnalyticsError("x"), "cannot-be-answered", 422),
    ],
)
def test_what_a_person_is_told(error: Exception, code: str, status: int) -> None:
    refusal = refusal_of(error)
    assert refusal is not None
    assert (str(refusal), refusal.code, refusal.status) == ("x", code, status)


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), OSError("x")])
def test_what_is_ours_is_no_refusal(error: Exception) -> None:
    assert refusal_of(error) is None
