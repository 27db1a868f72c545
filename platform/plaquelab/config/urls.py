"""One list of addresses; each application brings its own."""

from __future__ import annotations

from django.urls import include, path

from plaquelab.config.health import health

handler500 = "plaquelab.failures.answer"
urlpatterns = [
    path("health", health, name="health"),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("plaquelab.api.urls")),
    path("", include("plaquelab.home.urls")),
    path("", include("plaquelab.studies.urls")),
    path("", include("plaquelab.uploads.urls")),
    path("", include("plaquelab.imaging.urls")),
    path("", include("plaquelab.analysis.urls")),
    path("", include("plaquelab.reading.urls")),
    path("", include("plaquelab.references.urls")),
    path("", include("plaquelab.dashboards.urls")),
]
