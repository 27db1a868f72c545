"""OpenVINO computes what torch does; without it, or for what it cannot, torch does and says why."""

from __future__ import annotations

import copy
import logging
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.errors import InferenceError
from inference.networks import NETWORKS, load_network, probabilities
from inference.networks.by_openvino import with_backend


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAQUELAB_CACHE", str(tmp_path))
    return tmp_path / "networks"


def vessel(sections: int) -> torch.Tensor:
    """A bright tube with a dark stain in fat: what the served network labels in every class."""
    y, x = np.mgrid[:64, :64] - 31.5
    radius = np.hypot(y, x)
    hu = np.where(radius < 7, 400.0, -80.0)
    hu = np.where((radius >= 7) & (radius < 12) & (x > 0), 60.0, hu)
    noise = np.random.default_rng(3).normal(0, 20, (sections, 64, 64))
    return torch.from_numpy((hu + noise).astype(np.float32))


def labels(maps: tuple[np.ndarray, ...]) -> np.ndarray:
    return np.argmax(np.stack([1 - maps[1] - maps[2], maps[1], maps[2]]), 0)


@pytest.mark.parametrize("arithmetic", ["float32", "auto"])
def test_labels_agree_within_the_gates_and_the_converted_network_is_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch, arithmetic: str
) -> None:
    plain, card = load_network()
    assert card.backend == "torch"
    monkeypatch.setenv("PLAQUELAB_BACKEND", "openvino")
    fast, card = load_network()
    assert card.backend == f"openvino {metadata.version('openvino')}"
    hu = vessel(70)
    expected = labels(probabilities(plain, hu))
    found = labels(probabilities(fast, hu, arithmetic=arithmetic))
    plaque = (expected == 2) | (found == 2)
    assert (expected == 2).sum() > 1000
    assert (expected == found).mean() >= 0.999
    assert (expected == found)[plaque].mean() >= 0.99

    (kept,) = cache.glob("*.xml")
    before = kept.stat().st_mtime_ns
    load_network()
    assert kept.stat().st_mtime_ns == before
    kept.write_text("damaged")
    again, _ = load_network()
    assert (labels(probabilities(again, hu)) == expected).mean() >= 0.999


def test_torch_computes_what_openvino_cannot_and_says_why(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    unet, deep = NETWORKS["unet_2_5d"](), NETWORKS["unet_3d"]()
    with caplog.at_level(logging.WARNING):
        assert "two dimensions alone" in with_backend(deep, "openvino", "0" * 64, "cpu")
        assert "not for cuda" in with_backend(unet, "openvino", "0" * 64, "cuda")

        def missing(name: str) -> str:
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", missing)
        assert with_backend(unet, "openvino", "0" * 64, "cpu") == "torch (OpenVINO is not installed)"
    assert "the network runs in torch: OpenVINO is not installed" in caplog.text
    assert not cache.exists()
    with pytest.raises(InferenceError, match="torch, openvino"):
        with_backend(copy.deepcopy(unet), "magic", "0" * 64, "cpu")
