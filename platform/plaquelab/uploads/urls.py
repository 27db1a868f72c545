"""Pages and file transport of uploads."""

from __future__ import annotations

from django.urls import path

from plaquelab.uploads import views

app_name = "uploads"
_SESSION = "studies/<slug:study>/upload/sessions/<uuid:session>/"
urlpatterns = [
    path("studies/<slug:study>/upload/", views.upload_page, name="upload"),
    path("studies/<slug:study>/upload/sessions/", views.open_session, name="sessions"),
    path(f"{_SESSION}files/<int:index>/", views.receive_file, name="file"),
    path(f"{_SESSION}complete/", views.complete, name="complete"),
    path(f"{_SESSION}abort/", views.abort, name="abort"),
    path(f"{_SESSION}status/", views.status, name="status"),
]
