"""Managers and adjudicators work with a second factor."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from plaquelab.studies.models import Role

FORCED = (Role.MANAGER, Role.ADJUDICATOR)
OPEN_PREFIXES = ("/accounts/", "/static/", "/health")


class SecondFactorMiddleware:
    """Send a manager or adjudicator without a second factor to its set-up, whatever page they ask for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the set-up page's address until the factor exists; not in the demonstration."""
        if (
            not settings.DEMONSTRATION
            and request.user.is_authenticated
            and not request.path.startswith(OPEN_PREFIXES)
        ):
            from allauth.mfa.utils import is_mfa_enabled

            from plaquelab.studies.selectors import memberships_now

            if memberships_now(request.user).filter(role__in=FORCED).exists() and not is_mfa_enabled(
                request.user
            ):
                if request.path.startswith("/api/"):
                    return HttpResponse("Set up a second factor first.", status=403)
                return HttpResponseRedirect(reverse("mfa_activate_totp"))
        return self.get_response(request)
