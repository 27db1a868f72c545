"""Coronary trees: which vessels each dominance has, where they run, and where their segments end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from inference.phantom import SCENARIOS, generate
from inference.phantom.anatomy import make_heart
from inference.phantom.patient import PARTS, _walls
from inference.phantom.segments import segments
from inference.phantom.settings import TreeSettings
from inference.phantom.tree import make_tree, spherical
from inference.vocabulary import SEGMENTS

POSTERIOR = {"R-PDA", "R-PLB", "L-PDA", "L-PLB"}
SHARES = {"right": (1.0, 0.0, 0.0), "left": (0.0, 1.0, 0.0), "co-dominant": (0.0, 0.0, 1.0)}


def grown(seed: int, **settings):
    scenario = replace(SCENARIOS["tree_test"], tree=TreeSettings(**settings))
    heart = make_heart(np.random.default_rng([seed, 1]), scenario, 400.0)
    return heart, make_tree(np.random.default_rng([seed, 2]), heart, scenario), scenario


@pytest.fixture(scope="module", params=["right", "left", "co-dominant"])
def tree(request):
    heart, tree, scenario = grown(5, dominance=SHARES[request.param], ramus_share=1.0, missing_share=0.0)
    return request.param, heart, tree, scenario


def test_dominance_decides_which_posterior_branches_exist(tree):
    dominance, _, grown_tree, _ = tree
    wanted = {
        "right": {"R-PDA", "R-PLB"},
        "left": {"L-PDA", "L-PLB"},
        "co-dominant": {"R-PDA", "L-PLB"},
    }[dominance]
    assert grown_tree.dominance == dominance
    assert set(grown_tree.names) & POSTERIOR == wanted
    assert {"LM", "LAD", "D1", "D2", "LCx", "OM1", "OM2", "RI", "RCA"} <= set(grown_tree.names)
    assert len(grown_tree.paths) >= 11
    assert max(Counter(grown_tree.names).values()) == 1


def test_branches_start_on_their_parents(tree):
    _, _, grown_tree, _ = tree
    place = {p.name: n for n, p in enumerate(grown_tree.paths) if p.tracked}
    for n, path in enumerate(grown_tree.paths):
        if not path.parent:
            assert path.name in ("LM", "RCA")
            continue
        assert place[path.parent] < n
        parent = grown_tree.paths[place[path.parent]].curve
        assert np.allclose(path.curve.points[0], parent.points[round(path.origin_mm / 0.25)], atol=1e-6)


def test_vessels_lie_in_their_grooves(tree):
    """LAD near the anterior groove, RCA and LCx in the AV groove, posterior descending arteries opposite the LAD."""
    dominance, heart, grown_tree, _ = tree
    by_name = {p.name: p for p in grown_tree.paths if p.tracked}
    lad = by_name["LAD"]
    assert np.abs(lad.lon[len(lad.lon) // 3 : -len(lad.lon) // 5]).max() < 25
    rca = by_name["RCA"]
    beyond = rca.lat[len(rca.lat) // 3 :]
    assert beyond.min() > 0
    assert beyond.max() < 40
    ends = {"right": (80, 140), "left": (155, 190), "co-dominant": (130, 165)}[dominance]
    assert ends[0] < by_name["LCx"].lon[-1] % 360 < ends[1]
    for name in ("R-PDA", "L-PDA"):
        if name in by_name:
            far = by_name[name].lon[len(by_name[name].lon) // 2 :] % 360
            assert np.abs(far - 180).max() < 30
    for path in grown_tree.paths:
        if path.name in ("LM", "septal"):
            continue
        below_base = path.curve.points @ heart.frame[2] < heart.base_mm - 2.0  # above it there is no muscle
        depth = spherical(heart, path.curve.points[below_base])[2]
        bridged = [b for b in grown_tree.bridges if b.vessel == path.name]
        assert depth.min() > (-5.0 if bridged else -4.5)
        assert np.median(depth) < 9.0


def test_vessels_keep_clear_of_one_another(tree):
    _, _, grown_tree, _ = tree
    for n, path in enumerate(grown_tree.paths):
        far = path.curve.points[48:]
        if path.name == "septal" or len(far) < 8:
            continue
        for other in grown_tree.paths[:n]:
            if other.name != "septal":
                assert cKDTree(other.curve.points).query(far)[0].min() > 2.5, (path.name, other.name)


def test_lengths_and_taper_are_sensible(tree):
    dominance, _, grown_tree, scenario = tree
    length = {p.name: p.curve.length_mm for p in grown_tree.paths if p.tracked}
    assert 5 < length["LM"] < 20
    assert 70 < length["LAD"] < 140
    assert length["RCA"] > (50 if dominance == "left" else 80)
    assert 35 < length["LCx"] < 140
    tables, _ = _walls(5, scenario, grown_tree, 400.0)
    for table in tables:
        area = table.lumen_area()
        if table.tracked and table.name != "LM":
            assert np.median(area[-20:]) < np.median(area[:20]) + 0.3 or table.lesions


def test_segment_boundaries_follow_the_definitions(tree):
    dominance, _, grown_tree, scenario = tree
    tables = dict(enumerate(_walls(5, scenario, grown_tree, 400.0)[0]))
    names = {p.name: np.array(s) for p, s in zip(grown_tree.paths, segments(grown_tree, tables), strict=True)}
    paths = {p.name: p for p in grown_tree.paths}
    known = {s.short for s in SEGMENTS} | {""}
    assert all(set(x) <= known for x in names.values())
    acute = grown_tree.acute_margin_mm / 0.25
    rca = names["RCA"]
    assert (rca == "pRCA").sum() == pytest.approx(acute / 2, abs=1)
    assert (rca == "mRCA").sum() == pytest.approx(acute / 2, abs=1)
    assert rca[-1] == "dRCA"
    assert -115 < paths["RCA"].lon[int(acute)] < -88
    if dominance != "left":  # dRCA ends where the posterior descending artery leaves
        assert paths["R-PDA"].origin_mm == pytest.approx(paths["RCA"].curve.length_mm)
    om1 = paths["OM1"].origin_mm / 0.25
    assert (names["LCx"] == "pLCx").sum() == pytest.approx(om1, abs=1)
    assert set(names["LCx"]) == {"pLCx", "mid-distal LCx"}
    lad = names["LAD"]
    first = (lad == "pLAD").sum()
    assert first <= paths["D1"].origin_mm / 0.25 + 1
    assert (lad == "mLAD").sum() == pytest.approx((len(lad) - first) / 2, abs=1)
    for name in ("D1", "D2", "OM1", "OM2", "RI", *(set(paths) & POSTERIOR)):
        assert set(names[name]) == {name}
    assert set(names.get("AM", [""])) == {""}


def test_a_large_septal_before_d1_ends_the_proximal_lad():
    _, tree, scenario = grown(8, septals=(1, 1), missing_share=0.0)
    tables = dict(enumerate(_walls(8, scenario, tree, 400.0)[0]))
    at = next(n for n, p in enumerate(tree.paths) if p.name == "septal")
    early = replace(tree.paths[at], origin_mm=10.0)
    tree = replace(tree, paths=tuple(early if n == at else p for n, p in enumerate(tree.paths)))

    def first(radius: float) -> float:
        wide = replace(
            tables[at],
            lumen=np.full_like(tables[at].lumen, radius),
            wall=np.full_like(tables[at].wall, radius + 0.5),
        )
        lad = next(n for n, p in enumerate(tree.paths) if p.name == "LAD")
        return 0.25 * segments(tree, tables | {at: wide})[lad].count("pLAD")

    d1 = next(p.origin_mm for p in tree.paths if p.name == "D1")
    assert first(0.80) == pytest.approx(10.0, abs=0.26)  # 1.6 mm wide: large
    assert first(0.70) == pytest.approx(d1, abs=0.26)  # 1.4 mm wide: not


def test_a_bridge_dips_into_the_muscle_of_the_mid_lad_and_carries_no_plaque():
    heart, tree, scenario = grown(3, bridge_share=1.0, bridge_mm=(20.0, 24.0))
    (bridge,) = tree.bridges
    lad = next(p for p in tree.paths if p.name == "LAD")
    depth = spherical(heart, lad.curve.points)[2]
    inside = slice(int(bridge.start_mm / 0.25), int(bridge.end_mm / 0.25) + 1)
    assert bridge.vessel == "LAD"
    assert 8 < bridge.end_mm - bridge.start_mm < 45
    assert (depth[inside] < 0.01).all()
    assert bridge.depth_mm == pytest.approx(-depth[inside].min())
    tables, _ = _walls(3, scenario, tree, 400.0)
    assert not next(t for t in tables if t.name == "LAD").plaque[inside].any()


def test_every_part_draws_from_its_own_generator():
    assert len(set(PARTS)) == len(PARTS)
    _, a, _ = grown(11)
    _, b, _ = grown(11)
    assert [p.name for p in a.paths] == [p.name for p in b.paths]
    assert all(np.array_equal(p.curve.points, q.curve.points) for p, q in zip(a.paths, b.paths, strict=True))


def test_the_families_differ_in_settings_as_well_as_in_seeds():
    train, validation, test = (SCENARIOS[f"tree_{x}"] for x in ("train", "validation", "test"))
    for a, b in ((train, validation), (train, test), (validation, test)):
        assert a.salt != b.salt
        for name in ("contrast_hu", "psf_plane_mm", "lesion_log_mm", "compositions", "tree"):
            assert getattr(a, name) != getattr(b, name), name
    assert not set(validation.tree.vendors) & set(test.tree.vendors)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="dominance"):
        TreeSettings(dominance=(0.5, 0.5, 0.5))
    with pytest.raises(ValueError, match="bloom"):
        TreeSettings(bloom=(0.4, 0.1))
    with pytest.raises(ValueError, match="no tree"):
        make_tree(np.random.default_rng(1), None, SCENARIOS["tiny"])


def test_a_patient_who_is_scanned_again_has_the_same_vessels_in_another_image() -> None:
    first = generate(3, "tree_tiny")
    again = generate(3, "tree_tiny", scan_number=2)
    elsewhere = generate(3, "tree_tiny", scan_number=2, other_scanner=True)
    for other in (again, elsewhere):
        assert other.vessels.keys() == first.vessels.keys()
        for name, table in first.vessels.items():
            np.testing.assert_array_equal(other.vessels[name].lumen, table.lumen)
            np.testing.assert_array_equal(other.vessels[name].wall, table.wall)
            assert other.vessels[name].lesions == table.lesions
        assert other.volume.content_sha256 != first.volume.content_sha256
    assert again.settings == first.settings
    assert elsewhere.settings["contrast_hu"] != first.settings["contrast_hu"]
    assert generate(3, "tree_tiny", scan_number=2).volume.content_sha256 == again.volume.content_sha256
    with pytest.raises(ValueError, match="scanned once"):
        generate(3, "tiny", scan_number=2)
