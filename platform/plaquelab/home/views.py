"""The first screen: the next thing to do is the first thing seen."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from plaquelab.accounts.models import User
from plaquelab.demo.plan import PERSONS
from plaquelab.demo.selectors import progress
from plaquelab.home import selectors
from plaquelab.jobs.selectors import health
from plaquelab.studies.access import StudyRequest, get_study, signed_in
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, capabilities_of
from plaquelab.studies.selectors import studies_visible

# In this order what a person may do chooses the first screen.
FIRST_SCREEN = (
    (Capability.OPEN_OWN_CASES, "reading:cases"),
    (Capability.SEE_PROGRESS, "home:manager"),
    (Capability.CONTROL_QUALITY, "imaging:qc"),
    (Capability.SEE_OWN_SITE, "home:coordinator"),
    (Capability.SEE_AUDIT, "studies:audit"),
    (Capability.SEE_DASHBOARDS, "dashboards:home"),
    # Left over: somebody whose other roles are closed while a read still waits.
    (Capability.TAKE_PART, "reading:cases"),
)


def first_screen(user: User | AnonymousUser, study: Study) -> str:
    """Return the address of a person's first screen in a study."""
    held = capabilities_of(user, study)
    return next(reverse(name, args=[study.slug]) for capability, name in FIRST_SCREEN if capability in held)


def home(request: HttpRequest) -> HttpResponse:
    """Lead to the log-in (in the demonstration: to the start page), to the only study, or list the studies."""
    if not request.user.is_authenticated:
        return (
            render(request, "home/start.html", _start())
            if settings.DEMONSTRATION
            else redirect("account_login")
        )
    studies = list(studies_visible(request.user))
    if len(studies) == 1:
        return redirect(first_screen(request.user, studies[0]))
    rows = [{"study": study, "url": first_screen(request.user, study)} for study in studies]
    return render(request, "home/studies.html", {"rows": rows})


def _start() -> dict[str, Any]:

    return {"persons": PERSONS, "password": settings.DEMONSTRATION_PASSWORD, "progress": progress()}


def start_progress(request: HttpRequest) -> HttpResponse:
    """Answer the start page's polling with the phantom patients' progress."""
    if not settings.DEMONSTRATION:
        raise Http404
    return render(request, "home/progress.html", _start())


@require_POST
def enter(request: HttpRequest, username: str) -> HttpResponse:
    """Enter as a demonstration person; exists in the demonstration only. The log-in is audited."""
    user = (
        User.objects.filter(username=username, is_demonstration=True).first()
        if settings.DEMONSTRATION
        else None
    )
    if user is None:
        raise Http404("No such person.")
    logout(request)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")


@signed_in
@require_GET
def coordinator(request: StudyRequest, study: str) -> HttpResponse:
    """Show the coordinator's first screen."""
    found = get_study(request, study, Capability.SEE_OWN_SITE)
    return render(request, "home/coordinator.html", selectors.coordinator_page(request.user, found))


@signed_in
@require_GET
def manager(request: StudyRequest, study: str) -> HttpResponse:
    """Show the manager's first screen."""
    found = get_study(request, study, Capability.SEE_PROGRESS)
    page = selectors.manager_page(request.user, found)
    return render(request, "home/manager.html", page | {"health": health()})
