"""Addresses of reading."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from plaquelab.reading import views

app_name = "reading"
urlpatterns: list[URLPattern | URLResolver] = [
    path("studies/<slug:study>/cases/", views.cases, name="cases"),
    path("studies/<slug:study>/cases/next/", views.next_case, name="next"),
    path("studies/<slug:study>/cases/<int:n>/", views.case, name="case"),
    path("studies/<slug:study>/exams/<int:number>/view/", views.exam_view, name="exam_view"),
    path("studies/<slug:study>/case-list/", views.case_list, name="case_list"),
    path("studies/<slug:study>/case-list/assign/", views.assign_readers, name="assign"),
    path("studies/<slug:study>/case-list/repeats/", views.draw_repeat_reads, name="draw_repeats"),
    path(
        "studies/<slug:study>/case-list/<int:number>/adjudicator/",
        views.name_adjudicator,
        name="assign_adjudicator",
    ),
]
