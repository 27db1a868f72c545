"""How pages answer a refusal, so that no view needs to catch one.

A view says by ``@refusals(…)`` which way fits it: back to a page with a message, JSON for a script, plain text in place
of a file. Without it the person sees a page with the reason. The API's answer is ``plaquelab.api.errors``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from plaquelab.errors import Refusal, refusal_of

log = logging.getLogger(__name__)
Answer = Callable[[HttpRequest, Refusal], HttpResponse]
View = TypeVar("View", bound=Callable[..., HttpResponse])


def refusals(answer: Answer) -> Callable[[View], View]:
    """Say how a view's refusals are answered."""

    def mark(view: View) -> View:
        view.answers_refusals = answer  # type: ignore[attr-defined]
        return view

    return mark


def back_to(where: str | Callable[..., str], *names: str) -> Answer:
    """Show the reason as a message on another page.

    Parameters
    ----------
    where : the page's name, or a function that returns its address from the view's arguments.
    names : which of the view's arguments the page takes; by default all.
    """

    def answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
        given = request.resolver_match.kwargs if request.resolver_match else {}
        wanted = {name: value for name, value in given.items() if not names or name in names}
        address = where(**wanted) if callable(where) else reverse(where, kwargs=wanted)
        messages.error(request, str(refusal))
        return HttpResponseRedirect(address)

    return answer


def as_json(_: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a script: code and reason."""
    return JsonResponse({"code": refusal.code, "detail": str(refusal)}, status=refusal.status)


def as_text(_: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer with the reason alone, in place of a file to save."""
    return HttpResponse(f"{refusal}\n", status=refusal.status, content_type="text/plain; charset=utf-8")


def as_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Show the reason on a page of its own."""
    return render(request, "refused.html", {"reason": str(refusal)}, status=refusal.status)


class RefusalMiddleware:
    """Answers what a view refuses in the way that the view says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; ``process_exception`` does the work."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a refusal; whatever else goes wrong is ours, and Django's to handle."""
        refusal = refusal_of(exception)
        if refusal is None:
            return None
        if (
            refusal is not exception
        ):  # a library's: whether a person or we asked for too much, the log can tell
            log.warning("refused by a library: %s", refusal, exc_info=exception)
        view: Any = request.resolver_match.func if request.resolver_match else None
        answer: Answer = getattr(view, "answers_refusals", as_page)
        return answer(request, refusal)
