"""The simulated freeze keeps the published counts and the identities between metrics, and says that it is simulated."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.agreement.bland_altman import bland_altman_of
from analytics.agreement.icc import icc_of
from analytics.freeze import read_freeze
from analytics.simulation.freeze import simulate_freeze
from analytics.simulation.lesion_reads import cadrads, plaque_stage


@pytest.fixture(scope="module")
def freeze(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "freeze"
    simulate_freeze(out)
    opened = read_freeze(out)
    opened.verify()
    return opened


def pairs(freeze, table, pair, extents="given"):
    found = freeze.table(table)
    return found[(found["pair"] == pair) & (found["extents"] == extents)]


def test_published_counts(freeze):
    patients = freeze.table("patients")
    included = patients[~patients["excluded"]]
    counts = included.groupby("purpose", observed=True)["lesions"].agg(["size", "sum"])
    assert counts.loc["training"].tolist() == [921, 5045]
    assert counts.loc["external_validation", "size"] + counts.loc["test", "size"] == 275
    assert counts.loc["external_validation", "sum"] + counts.loc["test", "sum"] == 1901
    assert included["site"].nunique() == 11
    outcomes = freeze.table("outcomes")
    assert (outcomes["event"] == "myocardial_infarction").sum() == 41
    assert (outcomes["event"] == "end_of_follow_up").sum() == 1611
    assert 50 <= (outcomes["event"] == "death").sum() <= 100
    assert freeze.simulated
    assert "seed chosen to match the published counts" in freeze.about.note


def test_every_excluded_patient_has_a_reason(freeze):
    left_out = freeze.table("patients").query("excluded")
    assert len(left_out) > 50
    assert left_out["exclusion_reason"].notna().all()


def test_differences_have_the_published_mean_and_sd(freeze):
    lesions = pairs(freeze, "lesion_pairs", "network_expert")
    found = bland_altman_of(
        lesions["total_plaque_volume_first"].to_numpy(),
        lesions["total_plaque_volume_second"].to_numpy(),
        replicates=0,
    )
    assert found.estimate == pytest.approx(5.4, abs=3)
    assert found.sd == pytest.approx(61, abs=6)
    ivus = pairs(freeze, "lesion_pairs", "network_ivus")
    assert ivus["patient"].nunique() == 50
    difference = ivus["total_plaque_volume_second"] - ivus["total_plaque_volume_first"]
    assert difference.mean() == pytest.approx(25, abs=10)
    assert difference.std() == pytest.approx(45, abs=10)


def test_centrelines_of_two_operators_agree_as_published(freeze):
    lesions = pairs(freeze, "lesion_pairs", "centreline")
    assert lesions["patient"].nunique() == 30
    for metric in ("total_plaque_volume", "noncalcified_plaque_volume", "diameter_stenosis"):
        ratings = lesions[[f"{metric}_first", f"{metric}_second"]].to_numpy()
        assert icc_of(ratings, replicates=0).estimate > 0.975


@pytest.mark.parametrize("table", ["lesion_pairs", "territory_pairs", "patient_pairs"])
@pytest.mark.parametrize("side", ["first", "second"])
def test_total_is_calcified_and_noncalcified_and_contains_low_attenuation(freeze, table, side):
    rows = pairs(freeze, table, "network_expert")
    total, calcified, other, low = (
        rows[f"{name}_plaque_volume_{side}"].to_numpy()
        for name in ("total", "calcified", "noncalcified", "low_attenuation")
    )
    np.testing.assert_allclose(total, calcified + other, rtol=1e-9, atol=1e-9)
    assert (low <= other + 1e-9).all()
    np.testing.assert_allclose(
        rows[f"total_plaque_burden_{side}"], 100 * total / rows[f"vessel_volume_{side}"], rtol=1e-9
    )


def test_patient_volumes_are_sums_of_lesions(freeze):
    lesions = pairs(freeze, "lesion_pairs", "network_expert")
    summed = lesions.groupby("patient", observed=True)["total_plaque_volume_second"].sum()
    patients = pairs(freeze, "patient_pairs", "network_expert").set_index("patient")[
        "total_plaque_volume_second"
    ]
    for name, value in summed.items():
        assert patients[name] == pytest.approx(value)


def test_own_extents_miss_and_add_lesions(freeze):
    lesions = pairs(freeze, "lesion_pairs", "network_expert", "own")
    missed, extra = (lesions[lesions["match"] == m] for m in ("first_only", "second_only"))
    assert 20 < len(missed) < 150
    assert 10 < len(extra) < 120
    assert (missed["total_plaque_volume_second"] == 0).all()
    assert missed["minimal_luminal_area_second"].isna().all(), "a lesion that is not there has no lumen area"
    assert (extra["total_plaque_volume_first"] == 0).all()
    assert (pairs(freeze, "lesion_pairs", "network_expert")["match"] == "matched").all()


def test_reads_are_there_for_every_pair(freeze):
    reads = set(freeze.table("reads")["read"])
    for table in ("lesion_pairs", "territory_pairs", "patient_pairs"):
        for side in ("first_read", "second_read"):
            assert set(freeze.table(table)[side]) <= reads
    expert = freeze.table("reads").query("kind == 'expert'")["minutes"]
    assert expert.mean() == pytest.approx(25.66, abs=0.2)
    assert expert.std() == pytest.approx(6.79, abs=0.4)


def test_markers_are_consistent(freeze):
    markers = freeze.table("markers")
    assert (markers["low_attenuation_plaque_volume"] <= markers["noncalcified_plaque_volume"] + 1e-6).all()
    assert (markers["total_plaque_burden"] <= 75 + 1e-6).all()
    assert ((markers["total_plaque_volume"] >= 238.5).sum(), (markers["diameter_stenosis"] >= 50).sum()) == (
        911,
        600,
    )


def test_another_scale_and_seed(tmp_path, freeze):
    first = simulate_freeze(tmp_path / "a", seed=4, patients=200)
    assert first == simulate_freeze(tmp_path / "b", seed=4, patients=200)
    assert first != simulate_freeze(tmp_path / "c", seed=5, patients=200)
    small = read_freeze(tmp_path / "a")
    small.verify()
    assert len(small.table("markers")) == 200
    assert pairs(small, "patient_pairs", "network_expert")["patient"].nunique() == 34


def test_categories_and_stages_keep_their_limits():
    grades = [0, 0.99, 1, 24.5, 25, 49.5, 50, 69.5, 70, 99.9, 100]
    assert cadrads(np.array(grades)).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert plaque_stage(np.array([0, 0.1, 250, 250.1, 750, 751])).tolist() == [0, 1, 1, 2, 2, 3]
