"""The API's one answer to a refusal; whatever else goes wrong stays the framework's."""

from __future__ import annotations

import pytest
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from inference.errors import ContourError
from plaquelab.reading.errors import SigningError, StaleVersionError


class Raising(APIView):
    """An endpoint that raises what the test says."""

    permission_classes = ()
    authentication_classes = ()
    error: Exception = KeyError("unset")

    def get(self, request: object) -> Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (StaleVersionError("Load again."), 409, {"code": "stale-version", "detail": "Load again."}),
        (SigningError("Wrong."), 400, {"code": "signing", "detail": "Wrong."}),
        (ContourError("crossing", "They cross."), 422, {"code": "crossing", "detail": "They cross."}),
        (NotFound("No such case."), 404, {"detail": "No such case."}),
    ],
)
def test_answers(error: Exception, status: int, body: dict[str, str]) -> None:
    answer = Raising.as_view(error=error)(APIRequestFactory().get("/"))
    assert (answer.status_code, dict(answer.data)) == (status, body)


def test_what_is_ours_stays_an_error() -> None:
    with pytest.raises(KeyError):
        Raising.as_view(error=KeyError("ours"))(APIRequestFactory().get("/"))
