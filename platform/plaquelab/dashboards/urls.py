"""Addresses of dashboards."""

from __future__ import annotations

from django.urls import path

from plaquelab.dashboards.views import agreement, outcome, rows

app_name = "dashboards"
_STUDY = "studies/<slug:study>/dashboards/"
urlpatterns = [
    path(_STUDY, agreement.home, name="home"),
    path(f"{_STUDY}agreement/", agreement.page, name="agreement"),
    path(f"{_STUDY}agreement/cases/", agreement.cases, name="agreement_cases"),
    path(f"{_STUDY}agreement/rows.csv", agreement.rows_csv, name="agreement_csv"),
    path(f"{_STUDY}agreement/result.json", agreement.result_json, name="agreement_json"),
    path(f"{_STUDY}outcome/", outcome.page, name="outcome"),
    path(f"{_STUDY}outcome/patients/", outcome.patients, name="outcome_patients"),
    path(f"{_STUDY}outcome/rows.csv", outcome.rows_csv, name="outcome_csv"),
    path(f"{_STUDY}outcome/result.json", outcome.result_json, name="outcome_json"),
    path(f"{_STUDY}rows/exams/<int:number>/", rows.exam, name="exam_rows"),
    path(
        f"{_STUDY}rows/simulated/lesions/<slug:patient>/<int:lesion>/", rows.lesion, name="simulated_lesion"
    ),
    path(f"{_STUDY}rows/simulated/patients/<slug:patient>/", rows.patient, name="simulated_patient"),
    path(
        f"{_STUDY}rows/simulated/cohort/<slug:patient>/", rows.cohort_patient, name="simulated_cohort_patient"
    ),
]
