"""Addresses of the API, version 1."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView

from plaquelab.api import images, views

app_name = "api"
CASE = "studies/<slug:study>/cases/<int:n>/"
VIEW = "studies/<slug:study>/exams/<int:number>/view/"


def _looking(root: str, prefix: str) -> list[URLPattern | URLResolver]:
    """Return what both a case and an exam under view answer."""
    return [
        path(root, views.Case.as_view(), name=prefix),
        path(f"{root}opening/", views.Opening.as_view(), name=f"{prefix}-opening"),
        path(f"{root}vessels/<str:vessel>/state/", views.State.as_view(), name=f"{prefix}-state"),
        path(f"{root}vessels/<str:vessel>/hu/<str:digest>/", images.HuView.as_view(), name=f"{prefix}-hu"),
        path(
            f"{root}vessels/<str:vessel>/frames/<str:digest>/",
            images.FramesView.as_view(),
            name=f"{prefix}-frames",
        ),
        path(f"{root}ct/<int:index>/<str:digest>/", images.SlabView.as_view(), name=f"{prefix}-slab"),
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("studies/<slug:study>/cases/", views.WorkList.as_view(), name="cases"),
    *_looking(CASE, "case"),
    *_looking(VIEW, "view"),
    path(f"{CASE}commands/", views.Commands.as_view(), name="case-commands"),
    path(f"{CASE}revisions/", views.Revisions.as_view(), name="case-revisions"),
    path(f"{CASE}signature/", views.Sign.as_view(), name="case-signature"),
    path(f"{CASE}adjudication/", views.Adjudication.as_view(), name="case-adjudication"),
]
