"""What every page shows: the study, what the person may do in it, and the strips."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

import analytics.code_version
import inference
from inference.code_version import code_version
from plaquelab.studies.permissions import capabilities_of
from plaquelab.studies.selectors import studies_visible


def page(request: HttpRequest) -> dict[str, Any]:
    """Add the study that the view resolved (``studies.access.get_study``), or the only one there is."""
    study = getattr(request, "study", None)
    user = getattr(request, "user", None)
    mine = list(studies_visible(user)[:20]) if user is not None and user.is_authenticated else []
    if study is None and len(mine) == 1:
        study = mine[0]
    return {
        **(_release() if mine else {}),
        "study": study,
        "my_studies": mine,
        "may": capabilities_of(user, study) if study is not None and user is not None else frozenset(),
        "demonstration": settings.DEMONSTRATION,
        "is_simulated": bool(study and study.is_simulated),
    }


def _release() -> dict[str, str]:
    """Which release and which code this is: for those who have a part in a study, not for strangers."""
    return {
        "release": inference.__version__,
        "measuring_code": code_version(),
        "statistical_code": analytics.code_version.code_version(),
    }
