"""Addresses of home."""

from __future__ import annotations

from django.urls import path

from plaquelab.home import views

app_name = "home"
urlpatterns = [
    path("", views.home, name="home"),
    path("demo/progress/", views.start_progress, name="start_progress"),
    path("demo/enter/<slug:username>/", views.enter, name="enter"),
    path("studies/<slug:study>/site/", views.coordinator, name="coordinator"),
    path("studies/<slug:study>/progress/", views.manager, name="manager"),
]
