"""Pages of quality control: exams, queries, imports, quarantine."""

from __future__ import annotations

from django.urls import path

from plaquelab.imaging.views import exams, imports, queries

app_name = "imaging"
_EXAM = "studies/<slug:study>/exams/<int:number>/"
_QUERY = "studies/<slug:study>/queries/<int:pk>/"
urlpatterns = [
    path("studies/<slug:study>/exams/", exams.exam_list, name="exams"),
    path("studies/<slug:study>/qc/", exams.work_list, name="qc"),
    path(_EXAM, exams.exam_page, name="exam"),
    path(f"{_EXAM}planes/<slug:plane>.png", exams.plane_image, name="plane"),
    path(f"{_EXAM}planes/<slug:plane>/", exams.plane_figure, name="plane_figure"),
    path(f"{_EXAM}accept/", exams.accept, name="accept"),
    path(f"{_EXAM}refuse/", exams.refuse, name="refuse"),
    path(f"{_EXAM}query/", queries.open_one, name="open_query"),
    path("studies/<slug:study>/queries/", queries.query_list, name="queries"),
    path(f"{_QUERY}answer/", queries.answer, name="answer_query"),
    path(f"{_QUERY}close/", queries.close, name="close_query"),
    path(f"{_QUERY}reopen/", queries.reopen, name="reopen_query"),
    path("studies/<slug:study>/imports/", imports.import_list, name="imports"),
    path("studies/<slug:study>/imports/<int:pk>/", imports.import_page, name="import"),
    path("studies/<slug:study>/imports/<int:pk>/progress/", imports.import_progress, name="import_progress"),
    path("studies/<slug:study>/imports/<int:pk>/again/", imports.again, name="import_again"),
    path("studies/<slug:study>/imports/<int:pk>/cancel/", imports.cancel, name="import_cancel"),
    path("studies/<slug:study>/quarantine/", imports.quarantine_list, name="quarantine"),
    path(
        "studies/<slug:study>/quarantine/<int:pk>/reject/",
        imports.quarantine_reject,
        name="quarantine_reject",
    ),
]
