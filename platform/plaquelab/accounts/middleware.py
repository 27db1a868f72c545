"""Managers and adjudicators work with a second factor."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from plaquelab.studies.permissions import needs_second_factor

OPEN_PREFIXES = ("/accounts/", "/static/", "/health")


class SecondFactorMiddleware:
    """Send a manager or adjudicator without a second factor to its set-up, whatever page they ask for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the set-up page's address until the factor exists; not in the demonstration."""
        open_to_all = settings.DEMONSTRATION or request.path.startswith(OPEN_PREFIXES)
        user = request.user
        if open_to_all or not needs_second_factor(user) or is_mfa_enabled(user):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return HttpResponse("Set up a second factor first.", status=403)
        return HttpResponseRedirect(reverse("mfa_activate_totp"))
