"""Pages of analysis."""

from __future__ import annotations

from django.urls import path

from plaquelab.analysis import views

app_name = "analysis"
urlpatterns = [
    path("studies/<slug:study>/runs/", views.run_list, name="runs"),
    path("studies/<slug:study>/runs/<int:pk>/", views.run_detail, name="run"),
    path("studies/<slug:study>/runs/<int:pk>/progress/", views.run_progress, name="run_progress"),
    path("studies/<slug:study>/runs/<int:pk>/cancel/", views.run_cancel, name="run_cancel"),
    path("studies/<slug:study>/runs/<int:pk>/again/", views.run_again, name="run_again"),
    path("studies/<slug:study>/exams/<int:number>/centrelines/", views.centrelines, name="centrelines"),
    path("studies/<slug:study>/exams/<int:number>/analyse/", views.analyse_exam, name="analyse"),
]
