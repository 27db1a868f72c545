"""Addresses of dashboards."""

from __future__ import annotations

from django.urls import path, register_converter

from plaquelab.dashboards.views import agreement, freezes, outcome, rows


class FreezeAction:
    """What may be done with a freeze, in addresses."""

    regex = "release|again|discard"

    def to_python(self, value: str) -> str:
        """Return the word."""
        return value

    def to_url(self, value: str) -> str:
        """Return the word."""
        return value


register_converter(FreezeAction, "freeze_action")
app_name = "dashboards"
_STUDY = "studies/<slug:study>/dashboards/"
_FREEZES = "studies/<slug:study>/freezes/"
urlpatterns = [
    path(_FREEZES, freezes.freezes, name="freezes"),
    path(f"{_FREEZES}<int:number>/", freezes.freeze, name="freeze"),
    path(f"{_FREEZES}<int:number>/progress/", freezes.progress, name="freeze_progress"),
    path(f"{_FREEZES}<int:number>/<freeze_action:action>/", freezes.act, name="freeze_act"),
    path(f"{_FREEZES}<int:number>/download/freeze.zip", freezes.download, name="freeze_download"),
    path(f"{_FREEZES}<int:number>/panels/<path:file>", freezes.panel, name="freeze_panel"),
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
