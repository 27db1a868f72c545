"""The IVUS question: bias always shown, ICC form of the profile."""

from __future__ import annotations

import json

import pytest

from analytics.questions.ivus import IvusParameters, answer, cases, choices


def test_bias_of_every_metric_stands_first(freeze):
    found = answer(freeze, IvusParameters())
    table = freeze.table("lesion_pairs")
    rows = table[table["pair"] == "network_ivus"]
    bias = (rows["total_plaque_volume_second"] - rows["total_plaque_volume_first"]).mean()
    assert found.notes[0].startswith("Bias, network minus IVUS. Total plaque volume: ")
    assert f"{bias:.2f} mm³" in found.notes[0]
    assert "Minimal luminal area: " in found.notes[0]
    assert any("wall minus lumen" in note for note in found.notes)
    assert found.results["icc"].n == 84
    assert found.question == "ivus"
    json.dumps(found.to_dict(), allow_nan=False)


def test_published_form_is_the_mean_of_two_and_says_so(freeze):
    ours = answer(freeze, IvusParameters())
    published = answer(freeze, IvusParameters(profile="lin2022"))
    assert (ours.results["icc"].form, published.results["icc"].form) == ("A,1", "C,k")
    assert published.results["icc"].estimate > ours.results["icc"].estimate
    assert any("mean of two reads" in note for note in published.notes)


def test_metrics_and_cases(freeze):
    assert "minimal_luminal_area" in dict(choices(freeze, IvusParameters())["metric"])
    assert "calcified_plaque_volume" not in dict(choices(freeze, IvusParameters())["metric"])
    found = cases(freeze, IvusParameters(metric="minimal_luminal_area"), {"group": "LAD"})
    assert set(found["territory"]) == {"LAD"}
    assert found["minimal_luminal_area_first"].notna().all()
    assert found["patient"].nunique() == pytest.approx(30, abs=15)
