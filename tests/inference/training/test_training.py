"""Training: the recipe is checked, a killed run resumes to the same weights, losses reward the truth."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from inference.networks import build
from inference.phantom import generate, lesion_truth
from inference.training.agreement import icc_a1
from inference.training.batches import Sampler, lesion_extents
from inference.training.config import NETWORKS, TrainingConfig, read_config
from inference.training.data import make_patient, patients
from inference.training.evaluation import Task
from inference.training.loop import position, train
from inference.training.losses import segmentation_loss, task_targets

CONFIGS = Path(__file__).resolve().parents[3] / "inference" / "training" / "configs"
QUICK = {
    "network": "unet_2_5d",
    "patients": (("tiny", 1, 2),),
    "validation": (("demo", 9, 1),),
    "versions": 1,
    "steps": 4,
    "stretches": 2,
    "stretch_sections": 3,
    "checkpoint_every": 1,
    "validate_every": 99,
    "report_every": 2,
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    for seed in (1, 2):
        make_patient(seed=seed, scenario="tiny", folder=folder, versions=1)
    # validation must be of another scenario; another tiny patient stands for it under that name
    for path in make_patient(seed=9, scenario="tiny", folder=folder, versions=1).parent.glob("tiny-9*"):
        path.rename(path.with_name(path.name.replace("tiny", "demo")))
    return folder


def test_a_killed_run_resumes_to_the_very_same_weights(cache, tmp_path):
    config, said = TrainingConfig(**QUICK), []
    straight = train(config, folder=tmp_path / "a", data_folder=cache, say=said.append)
    train(config, folder=tmp_path / "b", data_folder=cache, say=said.append, stop_after=2)
    assert not (tmp_path / "b" / "unet_2_5d.safetensors").exists()
    resumed = train(config, folder=tmp_path / "b", data_folder=cache, say=said.append)
    assert any("resumed at step 2" in text for text in said)
    assert straight.read_bytes() != b""
    a, b = load_file(straight), load_file(resumed)
    assert a.keys() == b.keys()
    for key in a:
        torch.testing.assert_close(a[key], b[key], rtol=1e-5, atol=1e-6)
    log = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == 4
    assert set(log[-1]) >= {"wall", "lumen", "plaque"}


def test_a_run_begins_with_the_weights_it_is_told_to_and_says_so(cache, tmp_path):
    first = train(TrainingConfig(**QUICK), folder=tmp_path / "first", data_folder=cache, say=lambda _: None)
    onwards = TrainingConfig(
        **{**QUICK, "start_from": str(first), "learning_rate": 1e-12, "weight_decay": 0.0}
    )
    train(onwards, folder=tmp_path / "next", data_folder=cache, say=lambda _: None, stop_after=2)
    second = train(onwards, folder=tmp_path / "next", data_folder=cache, say=lambda _: None)
    with safe_open(first, framework="pt") as a, safe_open(second, framework="pt") as b:
        about = b.metadata()
        torch.testing.assert_close(
            a.get_tensor("head.weight"), b.get_tensor("head.weight"), rtol=0.2, atol=0.05
        )
    assert about["presentations_before"] == about["presentations"] == str(4 * 2 * 3)
    assert json.loads(about["config"])["start_from"] == first.name
    assert str(tmp_path) not in str(about)
    assert about["began_with_sha256"] == hashlib.sha256(first.read_bytes()).hexdigest()


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arithmetic", ["float32", "bfloat16"])
def test_every_network_trains_in_either_arithmetic(cache, tmp_path, network, arithmetic):
    config = TrainingConfig(**{**QUICK, "network": network, "steps": 2, "arithmetic": arithmetic})
    weights = train(config, folder=tmp_path, data_folder=cache, say=lambda text: None)
    with safe_open(weights, framework="pt") as file:
        assert all(torch.isfinite(file.get_tensor(key)).all() for key in file.keys())  # noqa: SIM118
    scores = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert scores["step"] == 2


def test_the_cache_is_made_once(cache):
    stamp = {p.name: p.stat().st_mtime_ns for p in cache.iterdir()}
    vessels = patients(folder=cache, sets=(("tiny", 1, 2),), versions=1)
    assert {p.name: p.stat().st_mtime_ns for p in cache.iterdir()} == stamp
    assert {v.name for v in vessels} == {"LM", "LAD"}
    assert all(v.soft.shape == (len(v.hu), 5, 60, 60) for v in vessels)
    for (
        v
    ) in vessels:  # from 0.15 mm beyond normal wall, from 0.25 mm, from 0.40 mm: each lies in the one before
        area = v.soft[:, [3, 2, 4]].astype(float).sum((0, 2, 3))
        assert area[0] >= area[1] >= area[2]
    assert any(v.soft[:, 3].sum() > v.soft[:, 4].sum() > 0 for v in vessels)


def test_tissue_lies_in_plaque_and_adds_up_to_what_the_table_holds(cache):
    vessels = patients(folder=cache, sets=(("tiny", 1, 2),), versions=1)
    phantom = generate(1, "tiny")
    pixel = 0.3125**2 * 0.3 / 255
    for vessel in vessels[:2]:
        assert vessel.tissue is not None
        low, dense = (vessel.tissue[:, n].sum(dtype=float) * pixel for n in range(2))
        assert (vessel.tissue.sum(1) <= vessel.soft[:, 2].astype(int) + 60).all()
        truths = [lesion_truth(phantom.vessels[vessel.name], x) for x in phantom.vessels[vessel.name].lesions]
        for found, key in ((low, "lap_true"), (dense, "cp_true")):
            true = sum(t[key] for t in truths)
            assert found == pytest.approx(true, rel=0.15, abs=1.0)


def test_stretches_of_plaque_less_than_a_millimetre_apart_are_one_lesion():
    rows = np.array([4, 5, 6, 9, 10, 14, 15])
    assert lesion_extents(rows) == [pytest.approx((1.2, 3.0)), pytest.approx((4.2, 4.5))]
    assert lesion_extents(rows[:0]) == []


def test_a_network_that_may_be_told_begins_as_the_plain_one_and_learns_from_marks(cache, tmp_path):
    plain = train(TrainingConfig(**QUICK), folder=tmp_path / "plain", data_folder=cache, say=lambda _: None)
    recipe = {**QUICK, "network": "unet_2_5d_given", "start_from": str(plain), "told_share": 1.0}
    weights = train(
        TrainingConfig(**recipe), folder=tmp_path / "given", data_folder=cache, say=lambda _: None
    )
    before, after = (load_file(path)["down1.0.weight"] for path in (plain, weights))
    assert after.shape[1] == before.shape[1] + 2
    assert after[:, -2:].abs().sum() > 0
    pinned = TrainingConfig(
        **{**recipe, "network": "unet_2_5d_pinned", "start_from": str(weights), "pinned_share": 1.0}
    )
    later = load_file(train(pinned, folder=tmp_path / "pinned", data_folder=cache, say=lambda _: None))
    assert later["down1.0.weight"].shape[1] == before.shape[1] + 4
    assert later["down1.0.weight"][:, -2:].abs().sum() > 0
    log = json.loads((tmp_path / "given" / "log.jsonl").read_text().splitlines()[-1])
    assert {"plaque", "plaque_given"} <= set(log)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_images_and_labels_are_turned_and_scaled_together(cache, share):
    """Where the label says lumen, the augmented image is bright."""
    vessels = patients(folder=cache, sets=(("tiny", 1, 2),), versions=1)
    sampler = Sampler(
        vessels, seed=4, stretches=8, sections=4, plaque_share=0.5, scaled_share=share, across_share=share
    )
    x, known, pins, soft = sampler.batch()
    assert x.shape == (8, 14, 48, 48)
    assert known.shape == (8, 4, 2)
    assert pins.shape == (8, 4, 2, 48, 48)
    assert not pins.any()
    assert soft.shape == (32, 3, 48, 48)
    middle = x[:, 5:-5].reshape(32, 48, 48)
    lumen, outside = soft[:, 1] > 0.99, soft[:, 0] == 0
    assert lumen.any()
    assert float(middle[lumen].mean()) > float(middle[outside].mean()) + 0.5


def test_vessels_are_seen_larger_and_smaller_and_their_marks_with_them(cache):
    """The area of the outer wall goes with the square of the scale, a told extent with the scale."""
    vessels = patients(folder=cache, sets=(("tiny", 1, 2),), versions=1)
    areas = {}
    for scale in (0.7, 1.0, 1.4):
        sampler = Sampler(vessels, seed=4, stretches=40, sections=2, plaque_share=1.0, told_share=1.0)
        sampler._scales = lambda scale=scale: (scale, scale)
        _, known, _, soft = sampler.batch()
        assert (known[..., 0] == 1).all()
        areas[scale] = float(soft[:, 0].sum())
    for scale in (0.7, 1.4):
        assert areas[scale] / areas[1.0] == pytest.approx(scale**2, rel=0.05)


def test_a_pinned_section_is_given_its_own_borders_and_its_neighbours_less_of_them(cache):
    vessels = patients(folder=cache, sets=(("tiny", 1, 2),), versions=1)
    sampler = Sampler(vessels, seed=4, stretches=12, sections=4, plaque_share=0.5, pinned_share=1.0)
    _, _, pins, soft = sampler.batch()
    share = soft.reshape(12, 4, 3, 48, 48)[:, :, :2]
    own = pins.abs().amax((-1, -2, -3)) == 1.0
    assert own.any()
    assert not own.all()
    torch.testing.assert_close(pins[own], 2 * share[own] - 1, atol=0.01, rtol=0)
    assert float(pins[~own].abs().max()) < 1.0


def test_the_loss_is_least_at_the_truth():
    rng = np.random.default_rng(1)
    lumen = torch.from_numpy(rng.uniform(0, 0.5, (2, 1, 8, 8)).astype(np.float32))
    plaque = torch.from_numpy(rng.uniform(0, 0.4, (2, 1, 8, 8)).astype(np.float32))
    soft = torch.cat([(lumen + plaque) * 1.1, lumen, plaque], 1)
    first, second = task_targets(soft)
    assert torch.allclose(second.sum(1), torch.ones(2, 8, 8))
    true = torch.cat([first, second], 1).clamp(min=1e-6).log()
    best = float(segmentation_loss(true, soft))
    for _ in range(5):
        assert float(segmentation_loss(true + torch.randn_like(true), soft)) > best


def test_the_run_ends_by_steps_or_by_time():
    assert position(TrainingConfig(network="unet_2_5d", steps=100), 50, 1e9) == 0.5
    assert position(TrainingConfig(network="unet_2_5d", steps=100, minutes=10), 50, 480) == pytest.approx(0.8)


def test_bad_recipes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="network"):
        TrainingConfig(network="resnet")
    with pytest.raises(ValueError, match="share a scenario"):
        TrainingConfig(network="unet_2_5d", patients=(("train", 1, 1),), validation=(("train", 2, 1),))
    with pytest.raises(ValueError, match="steps"):
        TrainingConfig(network="unet_2_5d", steps=0)
    path = tmp_path / "wrong.json"
    path.write_text('{"network": "unet_2_5d", "stepz": 3}')
    with pytest.raises(ValueError, match=r"wrong\.json.*stepz"):
        read_config(path)
    with pytest.raises(ValueError, match="displacement"):
        Task(displacement_mm=-1)


def test_the_committed_recipes_are_valid_and_keep_patients_apart():
    for path in CONFIGS.rglob("*.json"):
        config = read_config(path)
        assert sum(count for _, _, count in config.patients) >= 30
        assert sum(count for _, _, count in config.validation) >= 4
        used = {name for name, _, _ in config.patients}
        assert not used & {"test", "validation", "demo", "tree_test", "tree_validation"}


def test_the_networks_that_are_compared_differ_in_nothing_but_the_network():
    configs = [read_config(path) for path in (CONFIGS / "comparison").glob("*.json")]
    assert {c.network for c in configs} == set(NETWORKS) - {"unet_2_5d_given", "unet_2_5d_pinned"}
    assert len({replace(c, network="unet_2d") for c in configs}) == 1
    assert configs[0].steps * configs[0].stretches * configs[0].stretch_sections >= 500_000
    sizes = [sum(p.numel() for p in build(c.network).parameters()) for c in configs]
    assert max(sizes) <= 1.02 * min(sizes)


def test_icc_knows_a_shift_from_noise():
    truth = np.array([10.0, 20, 30, 40, 50])
    assert icc_a1(truth, truth) == pytest.approx(1.0)
    assert icc_a1(truth, truth + 10) == pytest.approx(1000 / 1200, abs=0.06)
    assert icc_a1(truth[:2], truth[:2]) is None
