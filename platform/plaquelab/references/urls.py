"""Addresses of references."""

from __future__ import annotations

from django.urls import path

from plaquelab.references import views

app_name = "references"
_STUDY = "studies/<slug:study>/references/"
urlpatterns = [
    path(_STUDY, views.imports, name="imports"),
    path(f"{_STUDY}<int:number>/", views.detail, name="import"),
    path(f"{_STUDY}<int:number>/commit/", views.commit, name="commit"),
    path(f"{_STUDY}<int:number>/discard/", views.discard, name="discard"),
    path(f"{_STUDY}templates/<slug:kind>.csv", views.template, name="template"),
]
