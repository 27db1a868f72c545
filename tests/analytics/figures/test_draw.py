"""One door to figures: by the result's type; estimators know none."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import analytics
from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.signed_rank import signed_rank_of
from analytics.figures import draw
from analytics.result import Finding, Result

A = np.array([1, 4, 9, 16, 30.0])


def test_a_result_is_drawn_by_its_type():
    drawn = draw(bland_altman_of(A, A + [0, 1, -1, 2, 3]), links=[f"/rows/{i}/" for i in range(5)])
    assert [point[0] for point in drawn.data[-1]["customdata"]] == [f"/rows/{i}/" for i in range(5)]
    assert draw(signed_rank_of(A, A + 1)).data[0]["y"] == ["Hodges–Lehmann shift"]


def test_what_has_no_figure_is_refused_in_words():
    with pytest.raises(TypeError, match="There is no figure of a Result"):
        draw(Result(estimate=None, reason="no case", method="share", n=0))
    with pytest.raises(TypeError, match=r"There is no figure of a dict \(asked for with links\)"):
        draw({}, links=())


def test_estimators_do_not_load_figures():
    wings = ("accuracy", "agreement", "heterogeneity", "missing", "monitoring", "survival")
    code = f"import sys\nfor wing in {wings}: __import__('analytics.' + wing)\nprint([m for m in sys.modules if 'figures' in m or 'plotly' in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


WITHOUT_FIGURE = {
    "AucAt": "one time of a TimeAuc, drawn with the others",
    "Correlation": "stands beside the scatter of an ICC",
    "Description": "a cell of the baseline table",
    "HazardRatio": "one row of a model's forest",
    "LogRank": "a test, printed below the curves",
    "ModalityMean": "one row of an Mrmc",
    "PredictiveValue": "one prevalence of PredictiveValues",
    "Proportion": "one row of a TwoByTwo",
    "RestrictedMean": "one row of RestrictedMeans",
    "ThreeWays": "three tables, shown as a grid",
}


def test_every_result_has_a_figure_or_a_reason():
    without = set()
    for module in pkgutil.walk_packages(analytics.__path__, "analytics."):
        if module.name.endswith("__main__") or module.name == "analytics.result":
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            ours = isinstance(kind, type) and issubclass(kind, Finding) and kind.__module__ == module.name
            if ours and draw.dispatch(kind) is draw.dispatch(object):
                without.add(name)
    assert without == set(WITHOUT_FIGURE)
