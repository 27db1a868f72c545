"""Addresses of studies."""

from __future__ import annotations

from django.urls import path

from plaquelab.studies import audit_pages

app_name = "studies"
urlpatterns = [
    path("studies/<slug:study>/audit/", audit_pages.audit_page, name="audit"),
    path("studies/<slug:study>/audit/export/audit.csv", audit_pages.audit_csv, name="audit_csv"),
]
