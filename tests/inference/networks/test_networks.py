"""Networks: shapes, neighbours, chunks; weights that load and are the ones the card names."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from inference.errors import InferenceError
from inference.networks import (
    NEAR_MM,
    NETWORKS,
    WEIGHTS,
    arithmetic_of,
    build,
    load_network,
    network_of,
    probabilities,
    segment,
    served_name,
    told,
)
from inference.networks.fast import folded
from inference.networks.unet import REACH, SEEN, normalise, stack_neighbours, with_halo
from inference.phantom import generate
from inference.section_grid import SPACING_ALONG
from inference.straightening import straighten

NAMES = sorted(NETWORKS)
STORED = sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def sections(n: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(100, 150, (n, 64, 64)).astype(np.float32))


def trained(name: str) -> torch.nn.Module:
    """A network whose batch statistics are not those of a fresh one, so that normalisation is exercised."""
    torch.manual_seed(3)
    network = build(name).train()
    with torch.no_grad():
        for _ in range(2):
            network(normalise(sections(12))[:, None])
    return network.eval()


@pytest.mark.parametrize("name", NAMES)
def test_one_logit_map_per_class_in_the_size_of_the_section(name):
    with torch.no_grad():
        logits = build(name).eval()(normalise(sections(3))[:, None])
    assert logits.shape == (3, 5, 64, 64)
    edge = (64 - SEEN) // 2
    outside = logits[:, :, :edge]
    assert (outside[:, 0] > outside[:, 1]).all()
    assert (outside[:, 2] > outside[:, 3:].amax(1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_results_do_not_depend_on_chunks(name):
    network, hu = trained(name), sections(23)
    whole, parts = probabilities(network, hu, chunk=64), probabilities(network, hu, chunk=7)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_sees_exactly_five_neighbours(name):
    """The gradient of one section's logits is not nought for itself and five on either side, and nowhere else.

    The 2-D network sees itself alone.
    """
    network, middle = trained(name), 8
    x = normalise(sections(17))[:, None].requires_grad_()
    logits = network(x)[middle]
    (logits * torch.linspace(-1, 1, logits.numel()).reshape(logits.shape)).sum().backward()
    seen = x.grad.abs().amax((1, 2, 3)).nonzero().flatten()
    reach = 0 if name == "unet_2d" else REACH
    assert seen.tolist() == list(range(middle - reach, middle + reach + 1))


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_probabilities(name):
    wall, lumen, plaque = probabilities(trained(name), sections(4))
    for p in (wall, lumen, plaque):
        assert p.shape == (4, 64, 64)
        assert p.dtype == np.float32
        assert (p >= 0).all()
        assert (p <= 1).all()
    assert (lumen + plaque <= 1 + 1e-5).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_fast_path_agrees_with_the_reference(name):
    """Normalisation folded into the convolutions: the same labels for at least 999 of 1000 pixels."""
    network, hu = trained(name), sections(9)
    slow, fast = probabilities(network, hu), probabilities(folded(network), hu)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded(network).modules())
    for a, b in zip(slow, fast, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)
        assert ((a > 0.5) == (b > 0.5)).mean() >= 0.999


def test_windows_hold_neighbours_in_order_and_repeat_the_ends():
    x = torch.arange(4.0)[:, None, None, None].expand(4, 1, 2, 2)
    windows = stack_neighbours(with_halo(x))[:, :, 0, 0]
    assert windows.shape == (4, 11)
    assert windows[0].tolist() == [0] * 6 + [1, 2, 3, 3, 3]
    assert all((b >= a).all() for a, b in pairwise(windows))


def test_normalisation_clips_what_is_not_vessel():
    out = normalise(torch.tensor([-2000.0, -300.0, 180.0, 1300.0, 3000.0]))
    assert out.tolist() == pytest.approx([-1.2, -1.2, 0.0, 2.8, 2.8])


def test_an_unknown_network_is_named():
    with pytest.raises(InferenceError, match="unet_2_5d") as caught:
        load_network("resnet")
    assert caught.value.code == "unknown-network"


def test_damaged_and_missing_weights_are_told_apart(tmp_path):
    with pytest.raises(InferenceError) as missing:
        load_network("unet_2_5d", weights=tmp_path / "gone.safetensors")
    assert missing.value.code == "weights-missing"
    (tmp_path / "bad.safetensors").write_bytes(b"not weights")
    with pytest.raises(InferenceError) as damaged:
        load_network("unet_2_5d", weights=tmp_path / "bad.safetensors")
    assert damaged.value.code == "weights-damaged"


def test_a_weights_file_says_what_it_is(tmp_path):
    assert network_of(WEIGHTS / "hierarchical_convlstm.safetensors") == "hierarchical_convlstm"
    (tmp_path / "bad.safetensors").write_bytes(b"nothing of the kind")
    for name, code in (("bad", "weights-damaged"), ("gone", "weights-missing")):
        with pytest.raises(InferenceError) as raised:
            network_of(tmp_path / f"{name}.safetensors")
        assert raised.value.code == code
        assert name in str(raised.value)


@pytest.mark.parametrize("name", STORED)
def test_stored_weights_load_and_the_card_names_their_hash(name):
    network, card = load_network(name)
    path = WEIGHTS / f"{name}.safetensors"
    assert path.stat().st_size < 3_000_000
    assert card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card.sha256 in (WEIGHTS / "model_card.md").read_text()
    assert not network.training
    assert int(card.about["presentations"]) > 10_000


@pytest.mark.parametrize("name", STORED)
def test_bfloat16_labels_as_float32_does(name):
    phantom = generate(3, "tiny")
    vessel = straighten(phantom.volume, phantom.centrelines[0])
    hu = torch.from_numpy(vessel.hu.astype(np.float32))
    exact, halved = (probabilities(trained(name), hu, arithmetic=a) for a in ("float32", "bfloat16"))
    labels = [np.stack([1 - lumen - plaque, lumen, plaque]).argmax(0) for _, lumen, plaque in (exact, halved)]
    assert (labels[0] == labels[1]).mean() >= 0.999
    assert ((labels[0] == 2) & (labels[1] == 2)).sum() >= 0.99 * (labels[0] == 2).sum()


def test_the_arithmetic_is_one_there_is():
    assert arithmetic_of("float32", "cpu") == "float32"
    assert arithmetic_of("auto", "cuda") == "float32"
    assert arithmetic_of("auto", "cpu") in ("float32", "bfloat16")
    with pytest.raises(InferenceError) as unknown:
        arithmetic_of("int8", "cpu")
    assert unknown.value.code == "unknown-arithmetic"


def test_the_card_s_scores_are_of_the_stored_weights():
    scores = json.loads((WEIGHTS / "scores.json").read_text())
    text = (WEIGHTS / "model_card.md").read_text()
    assert {f"{name} tree_validation" for name in STORED} | {scores["test"]} <= set(scores["evaluations"])
    assert scores["test"].startswith(served_name())
    for entry in scores["evaluations"].values():
        assert entry["weights"] == load_network(entry["network"])[1].sha256
        assert f"{entry['dice']['plaque']:.3f} / {entry['dice']['plaque_measured']:.3f}" in text


def test_the_served_network_is_one_of_those_stored():
    assert {served_name(), "hierarchical_convlstm"} <= set(STORED) <= set(NETWORKS)
    served = json.loads((WEIGHTS / "served.json").read_text())
    assert served["sha256"] == load_network("served")[1].sha256
    assert "simulated" in served["trained_on"]


def test_the_served_network_finds_a_simulated_vessel_and_reversal_changes_little():
    """Real weights on a phantom: outer wall and lumen overlap the truth, and the other way round says the same."""
    from inference.phantom import generate, soft_targets
    from inference.straightening import straighten

    phantom = generate(5, "tiny")
    line = next(x for x in phantom.centrelines if x.vessel == "LAD")
    vessel = straighten(phantom.volume, line)
    network, _ = load_network()
    hu = torch.from_numpy(vessel.hu)
    wall, lumen, plaque = probabilities(network, hu)
    true = soft_targets(phantom.vessels["LAD"], vessel)[4:-4]
    for found, n in ((wall > 0.5, 0), ((lumen > plaque) & (lumen + plaque > 0.5), 1)):
        mask = true[..., n] > 127
        assert 2 * (found[4:-4] & mask).sum() / (found[4:-4].sum() + mask.sum()) > 0.85
    back = probabilities(network, hu.flip(0))
    for a, b in zip((wall, lumen), back, strict=False):
        assert np.abs(a - b[::-1]).mean() < 0.01


def test_every_view_is_turned_back_to_where_it_was():
    """A stand-in whose answer is each pixel's own brightness must come out the same, whatever the views."""

    class Brightness(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.nothing = torch.nn.Parameter(torch.zeros(1))

        def stretches(self, x):
            y = x[:, REACH:-REACH].flatten(0, 1)[:, None]
            return torch.cat([-y, y, -y, y, 0 * y], 1), y

    hu = sections(9)
    once = probabilities(Brightness(), hu)
    for a, b in zip(once, segment(SimpleNamespace(hu=hu.numpy()), Brightness()), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_what_is_told_is_the_signed_distance_to_the_nearest_lesion_end():
    at = np.arange(0.0, 30.0, 3.0)
    np.testing.assert_array_equal(told(at, None), 0.0)
    np.testing.assert_allclose(told(at, [])[:, 1], -1.0)
    known = told(at, [(6.0, 15.0), (24.0, 60.0)])
    assert (known[:, 0] == 1).all()
    np.testing.assert_allclose(known[:, 1] * 6, [-6, -3, 0, 3, 3, 0, -3, -3, 0, 3])


def test_told_nothing_the_network_is_the_plain_one_and_marks_turn_with_the_vessel():
    plain = trained("unet_2_5d")
    given = build("unet_2_5d_given").eval()
    given.begin_with(plain)
    hu = sections(9)
    for a, b in zip(probabilities(plain, hu), probabilities(given, hu), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    with torch.no_grad():  # a network that says nothing but what it is told
        for parameter in given.parameters():
            parameter.zero_()
        heard = given.forward(normalise(hu)[:, None], torch.ones(9, 2))
    assert heard.shape == (9, 5, 64, 64)

    class Echo(torch.nn.Module):
        told = 2

        def stretches(self, x, marked):
            out = torch.zeros(marked.shape[1], 5, SEEN, SEEN)
            out[:, 4] = marked[0, :, 1, None, None]
            return out + self.weight, out

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

    vessel = SimpleNamespace(hu=sections(40).numpy())
    plaque = segment(vessel, Echo(), extents=[(0.0, 2.0)], arithmetic="float32")[2][:, 32, 32]
    assert plaque[3] == plaque.max()
    assert plaque[-1] == plaque.min()


def test_near_given_lesions_every_view_looks_and_elsewhere_one():
    """Inside given extents the maps are those of both views over the whole vessel, told and untold, as before."""
    network = trained("unet_2_5d_given")
    hu = sections(90)
    extents = [(9.0, 12.0)]
    found = segment(SimpleNamespace(hu=hu.numpy()), network, extents=extents, arithmetic="float32")

    def both(known):
        marked = torch.from_numpy(told(np.arange(90) * SPACING_ALONG, known))
        turned = torch.rot90(hu, 1, (-2, -1)).flip(-3, -1)
        first = np.stack(probabilities(network, hu, marked=marked))
        second = torch.from_numpy(np.stack(probabilities(network, turned, marked=marked.flip(0))))
        return first, (first + torch.rot90(second.flip(-3, -1), -1, (-2, -1)).numpy()) / 2

    one, two = both(extents)
    own = both(None)[1][1]
    expected = (two[0], own, np.clip(two[2] + two[1] - own, 0, 1))
    at = np.arange(90) * SPACING_ALONG
    near = (at >= 9.0 - NEAR_MM) & (at <= 12.0 + NEAR_MM)
    assert 0 < near.sum() < 90
    for maps, inside, outside in zip(found, expected, one, strict=True):
        np.testing.assert_allclose(maps[near], inside[near], atol=2e-5)
        np.testing.assert_allclose(maps[~near], outside[~near], atol=2e-5)
