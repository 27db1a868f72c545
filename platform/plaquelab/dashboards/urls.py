"""Addresses of dashboards."""

from __future__ import annotations

from django.urls import path, register_converter

from plaquelab.dashboards.views import calculations, cases, exports, freezes, questions


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
    path(_STUDY, questions.home, name="home"),
    path(f"{_FREEZES}<int:number>/case/", cases.case, name="case"),
    path(f"{_STUDY}<slug:question>/", questions.page, name="question"),
    path(f"{_STUDY}<slug:question>/cases/", questions.cases, name="cases"),
    path(f"{_STUDY}<slug:question>/cases.csv", exports.cases_csv, name="cases_csv"),
    path(f"{_STUDY}<slug:question>/numbers.json", exports.numbers_json, name="numbers_json"),
    path(f"{_STUDY}<slug:question>/figures/<slug:name>.csv", exports.figure_csv, name="figure_csv"),
    path(f"{_STUDY}<slug:question>/figures/<slug:name>.json", exports.figure_json, name="figure_json"),
    path(f"{_STUDY}<slug:question>/tables/<slug:name>.csv", exports.grid_csv, name="grid_csv"),
    path(f"{_STUDY}<slug:question>/bootstrap/", calculations.start, name="bootstrap"),
    path(f"{_STUDY}<slug:question>/bootstrap/progress/", calculations.progress, name="bootstrap_progress"),
]
