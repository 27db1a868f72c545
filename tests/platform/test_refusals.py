"""No page needs to catch a refusal: the middleware answers it in the way that the view says."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.http import require_GET

from analytics.errors import AnalyticsError
from plaquelab.config.urls import urlpatterns as product
from plaquelab.errors import Refusal
from plaquelab.refusals import as_json, as_text, back_to, refusals

REASON = "Half a vessel <cannot> be read."


def refuse(request: HttpRequest, **_: Any) -> HttpResponse:
    raise Refusal(REASON, code="half-a-vessel", status=409)


@require_GET
@refusals(as_json)
def to_script(request: HttpRequest) -> HttpResponse:
    raise Refusal(REASON, code="half-a-vessel", status=409)


@refusals(as_text)
def in_place_of_file(request: HttpRequest) -> HttpResponse:
    raise AnalyticsError("This freeze has no outcomes.")


@refusals(back_to("studies:audit", "study"))
def to_page(request: HttpRequest, study: str, pk: int) -> HttpResponse:
    raise Refusal(REASON)


@refusals(back_to(lambda study, pk: f"/elsewhere/{study}/{pk}"))
def to_found_page(request: HttpRequest, study: str, pk: int) -> HttpResponse:
    raise Refusal(REASON)


def break_down(request: HttpRequest) -> HttpResponse:
    raise KeyError("ours")


class Urls:
    """The product's pages, and these."""

    urlpatterns = [
        path("test/page/", refuse),
        path("test/script/", to_script),
        path("test/file/", in_place_of_file),
        path("test/back/<slug:study>/<int:pk>/", to_page),
        path("test/found/<slug:study>/<int:pk>/", to_found_page),
        path("test/broken/", break_down),
        *product,
    ]


@pytest.fixture
def visitor(settings: Any, db: None) -> Client:
    settings.ROOT_URLCONF = Urls
    return Client()


def test_by_default_the_reason_has_a_page(visitor: Client) -> None:
    answer = visitor.get("/test/page/")
    assert answer.status_code == 409
    assert "Half a vessel &lt;cannot&gt; be read." in answer.content.decode()
    assert "Research use only" in answer.content.decode()  # the product's frame


def test_a_script_gets_code_and_reason(visitor: Client) -> None:
    answer = visitor.get("/test/script/")
    assert (answer.status_code, answer.json()) == (409, {"code": "half-a-vessel", "detail": REASON})


def test_a_file_that_cannot_be_made_is_a_sentence(visitor: Client) -> None:
    answer = visitor.get("/test/file/")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == "This freeze has no outcomes.\n"


@pytest.mark.parametrize(
    ("address", "page"),
    [("/test/back/alpha/7/", "/studies/alpha/audit/"), ("/test/found/alpha/7/", "/elsewhere/alpha/7")],
)
def test_a_form_leads_back_with_a_message(visitor: Client, address: str, page: str) -> None:
    answer = visitor.post(address)
    assert (answer.status_code, answer["Location"]) == (302, page)
    (message,) = get_messages(answer.wsgi_request)
    assert (message.message, message.level_tag) == (REASON, "error")


def test_what_is_ours_is_not_answered_as_a_refusal(visitor: Client) -> None:
    visitor.raise_request_exception = False
    answer = visitor.get("/test/broken/")
    assert answer.status_code == 500
    assert "ours" not in answer.content.decode()
