"""The first screen: the next thing to do is the first thing seen."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from plaquelab.accounts.models import User
from plaquelab.home import selectors
from plaquelab.jobs.selectors import health
from plaquelab.studies.access import get_study
from plaquelab.studies.models import Role, Study
from plaquelab.studies.selectors import roles_of, studies_visible

# In this order a person's roles choose the first screen.
FIRST_SCREEN = (
    (Role.READER, "reading:cases"),
    (Role.ADJUDICATOR, "reading:cases"),
    (Role.MANAGER, "home:manager"),
    (Role.TECHNICIAN, "imaging:qc"),
    (Role.COORDINATOR, "home:coordinator"),
    (Role.INVESTIGATOR, "dashboards:home"),
    (Role.AUDITOR, "studies:audit"),
)


def first_screen(user: Any, study: Study) -> str:
    """Return the address of a person's first screen in a study."""
    roles = roles_of(user, study)
    return next(reverse(name, args=[study.slug]) for role, name in FIRST_SCREEN if role in roles)


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
    from plaquelab.demo.plan import PERSONS
    from plaquelab.demo.selectors import progress

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


def coordinator(request: HttpRequest, study: str) -> HttpResponse:
    """Show the coordinator's first screen."""
    found = get_study(request, study, Role.COORDINATOR)
    return render(request, "home/coordinator.html", selectors.coordinator_page(request.user, found))  # type: ignore[arg-type]


def manager(request: HttpRequest, study: str) -> HttpResponse:
    """Show the manager's first screen."""
    found = get_study(request, study, Role.MANAGER)
    page = selectors.manager_page(request.user, found)  # type: ignore[arg-type]
    return render(request, "home/manager.html", page | {"health": health()})
