"""How a view gets its study: by slug, through the selectors, or not at all."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from plaquelab.studies.models import Study
from plaquelab.studies.selectors import require


def get_study(request: HttpRequest, slug: str, *roles: str) -> Study:
    """Return the study for this request's user, who must hold one of ``roles`` (any, when none is named).

    Raises Http404 for strangers and PermissionDenied for members without the role.
    """
    study = Study.objects.filter(slug=slug).first()
    if study is None or not request.user.is_authenticated:
        raise Http404("No such study.")
    request.study_roles = require(request.user, study, *roles)  # type: ignore[attr-defined]
    request.study = study  # type: ignore[attr-defined]
    return study
