"""Addresses of imaging."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "imaging"
urlpatterns: list[URLPattern | URLResolver] = []
