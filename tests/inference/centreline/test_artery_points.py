"""Which points of a line lie in an artery: the shipped perceptron on tubes, its file, and its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from inference.centreline.artery_points import FEATURES, WEIGHTS, Perceptron, log_odds, seen_across, served
from inference.centreline.artery_training import examples, train
from inference.centreline.centring import outlines
from inference.centreline.tree import Branch
from inference.errors import InferenceError
from inference.scan import Volume

BLOOD = 400.0
STEP = 0.4


def tube(
    share: float, radius: float, *, blood: float = BLOOD, block: bool = False
) -> tuple[Volume, np.ndarray]:
    """A straight tube in fat (blurred, with noise), or the edge of a block of blood; and a line along it, LPS mm."""
    n = 70
    _, y, x = np.meshgrid(*[np.arange(n) * STEP] * 3, indexing="ij")
    middle = n * STEP / 2
    inside = (x < middle + 1.0) if block else (np.hypot(x - middle, y - middle) < radius)
    hu = gaussian_filter(np.where(inside, share * blood, -90.0), 0.35 / STEP)
    hu += np.random.default_rng(0).normal(0, 20, hu.shape)
    line = np.column_stack([np.full(40, middle), np.full(40, middle), 4 + 0.5 * np.arange(40)])
    return Volume(hu.astype(np.int16), np.diag([STEP, STEP, STEP, 1.0])), line


def odds(volume: Volume, line: np.ndarray, blood: float = BLOOD) -> float:
    return float(np.median(log_odds(volume, line, outlines(volume, line, blood), blood)))


@pytest.mark.parametrize("radius", [1.0, 1.3, 1.6])
def test_an_artery_is_told_from_a_vein_of_its_width(radius: float) -> None:
    assert odds(*tube(0.97, radius)) > 1.0
    assert odds(*tube(0.45, radius)) < -1.0


def test_a_chambers_edge_is_no_artery() -> None:
    assert odds(*tube(1.0, 0.0, block=True)) < -1.0


def test_only_the_share_of_the_aortas_contrast_matters() -> None:
    """Twice the HU everywhere (fat as well) with twice the aorta's HU: the same features."""
    volume, line = tube(0.9, 1.2)
    twice = Volume((2 * volume.hu).astype(np.int16), volume.affine)
    one = seen_across(volume, line, outlines(volume, line, BLOOD), BLOOD)
    assert one.shape == (40, FEATURES)
    two = seen_across(twice, line, outlines(volume, line, BLOOD), 2 * BLOOD)
    hu = [n for n in range(FEATURES - 5)]
    assert two[:, hu] == pytest.approx(one[:, hu], abs=1e-6)
    assert one[:, 0] == pytest.approx(np.full(40, 0.9), abs=0.1)
    assert one[:, 9] == pytest.approx(np.full(40, -90 / BLOOD), abs=0.05)
    assert one[:, 27] == pytest.approx(np.full(40, 1.2), abs=0.15)


def test_the_formula_is_a_perceptron_with_one_hidden_layer() -> None:
    rng = np.random.default_rng(1)
    net = served()
    seen = rng.normal(size=(3, FEATURES))
    by_hand = []
    for row in seen:
        total = net.bias[0]
        for weights, bias, out in zip(net.hidden, net.hidden_bias, net.out, strict=True):
            x = float(((row - net.mean) / net.scale) @ weights + bias)
            total += out * x * expit(x)
        by_hand.append(total)
    assert net.log_odds(seen) == pytest.approx(np.array(by_hand))


def test_weights_survive_their_file_and_bad_files_are_named(tmp_path: Path) -> None:
    served().save(tmp_path / "again.safetensors")
    seen = np.random.default_rng(2).normal(size=(5, FEATURES))
    assert Perceptron.load(tmp_path / "again.safetensors").log_odds(seen) == pytest.approx(
        served().log_odds(seen)
    )
    with pytest.raises(InferenceError, match="does not exist") as missing:
        Perceptron.load(tmp_path / "none.safetensors")
    assert missing.value.code == "weights-missing"
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(WEIGHTS.read_bytes()[:500])
    with pytest.raises(InferenceError, match=r"damaged\.safetensors") as broken:
        Perceptron.load(damaged)
    assert broken.value.code == "weights-damaged"


def test_training_learns_to_tell_them_apart_and_repeats_itself() -> None:
    patients = []
    for share in (0.95, 0.4):
        for radius in (0.8, 1.3):
            volume, line = tube(share, radius)
            none = np.zeros(len(line))
            found = Branch(line, none, none, none, none)
            artery = line if share > 0.5 else line + 50.0
            patients.append(examples(volume, [found], [(artery, np.full(len(line), radius))], BLOOD))
    assert [p.artery.all() for p in patients] == [True, True, False, False]
    assert [len(p.artery) for p in patients] == [36] * 4  # a branch's first points lie in its parent
    net = train(patients)
    right = np.concatenate([(net.log_odds(p.seen) > 0) == p.artery for p in patients])
    assert right.mean() > 0.9
    assert np.array_equal(train(patients).hidden, net.hidden)
