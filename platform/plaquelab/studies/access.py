"""How a view gets its person and its study: signed in, by slug, with a capability of the table, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase

from plaquelab.accounts.models import User
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, require

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=HttpResponseBase)


class StudyRequest(HttpRequest):
    """The request of somebody who is signed in.

    Attributes
    ----------
    user : the person, never anonymous (``signed_in`` sees to it).
    study : the study that :func:`get_study` has opened; pages read it for their heading.
    capability : what was asked for there.
    """

    user: User
    study: Study
    capability: Capability


def signed_in(
    view: Callable[Concatenate[StudyRequest, P], Answer],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Lead whoever is not signed in to the log-in; the view may rely on a person."""

    @wraps(view)
    def with_person(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(cast(StudyRequest, request), *args, **kwargs)

    return login_required(with_person)


def get_study(request: StudyRequest, slug: str, capability: Capability) -> Study:
    """Return the study for this request's person, who must hold the capability.

    Raises
    ------
    Http404
        There is no such study, or the person has no part in it.
    PermissionDenied
        The person is a member without the capability.
    """
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        raise Http404("No such study.")
    request.capability = capability
    require(request.user, study, capability)
    request.study = study
    return study
