"""Segmentation networks: which there are, how their weights are loaded, how a vessel is segmented."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn

from inference.errors import InferenceError
from inference.section_grid import SPACING_ALONG

from .by_openvino import with_backend
from .extents import told
from .fast import folded, laid_out
from .hierarchical_convlstm import HierarchicalConvLSTM
from .scales import BESIDE_SECTIONS, SMALLER, brought_back, made_smaller
from .unet import (
    REACH,
    UNet2D,
    UNet3D,
    UNet25D,
    UNet25DGiven,
    UNet25DPinned,
    normalise,
    seen,
    unseen,
    with_halo,
)

if TYPE_CHECKING:
    from inference.straightening import StraightenedVessel

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
NETWORKS: Mapping[str, type[nn.Module]] = {
    "unet_2d": UNet2D,
    "unet_2_5d": UNet25D,
    "unet_2_5d_given": UNet25DGiven,
    "unet_2_5d_pinned": UNet25DPinned,
    "unet_3d": UNet3D,
    "hierarchical_convlstm": HierarchicalConvLSTM,
}
ARITHMETICS = ("auto", "float32", "bfloat16")
CHUNK = 64  # sections at a time; results do not depend on it
# A vessel is segmented in several views and the probabilities averaged: quarter turns, and the vessel turned end to
# end (reversed along, mirrored across: a rotation in space). What a network says must not hang on how a section lies.
VIEWS = ((0, False), (1, True))
NEAR_MM = 4.5
"""How far from a marked lesion all views and the network that is told nothing still look: its reference lumen ends
3.6 mm beside it, and contours are smoothed by less than 0.9 mm. Of 4.5 and 6 mm neither changed a lesion's number."""

View = tuple[int, bool]
Stretch = slice
Maps = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class NetworkCard:
    """Which weights these are: name, SHA-256 of the file, what its header says, the device they are on, who computes."""

    name: str
    sha256: str
    about: Mapping[str, Any]
    device: str = "cpu"
    backend: str = "torch"


def build(name: str) -> nn.Module:
    """A fresh network of this name; InferenceError where there is none."""
    try:
        return NETWORKS[name]()
    except KeyError:
        raise InferenceError(
            "unknown-network",
            f"there is no network {name!r}; choose one of {', '.join(NETWORKS)} or 'served'",
        ) from None


def served_name() -> str:
    """The network that is used unless another is asked for."""
    return str(json.loads((WEIGHTS / "served.json").read_text())["served"])


def network_of(path: Path) -> str:
    """The kind of network that a weights file holds, from its header.

    Raises InferenceError ``weights-missing`` or ``weights-damaged``.
    """
    if not path.exists():
        raise InferenceError("weights-missing", f"{path.name} does not exist", where=path.name)
    try:
        with safe_open(path, framework="pt") as file:
            return str((file.metadata() or {})["network"])
    except Exception as error:
        raise InferenceError(
            "weights-damaged", f"{path.name} is not a file of weights that `train` wrote", where=path.name
        ) from error


def load_network(
    name: str = "served", *, weights: Path | None = None, device: str = "cpu"
) -> tuple[nn.Module, NetworkCard]:
    """A network with its weights, ready to use on ``device`` (``auto``, ``cpu`` or ``cuda``), and its card.

    ``name`` is a network's name, ``served``, or the path of a ``.safetensors`` file that ``train`` wrote. ``PLAQUELAB_BACKEND=openvino`` lets OpenVINO compute where it can. Raises InferenceError ``unknown-network``, ``weights-missing`` or ``weights-damaged``.
    """
    if name.endswith(".safetensors"):
        weights = Path(name)
        name = network_of(weights)
    elif name == "served":
        name = served_name()
    network = build(name)
    path = weights or WEIGHTS / f"{name}.safetensors"
    about = read_weights(network, path, name)
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    where = "cuda" if cuda else "cpu"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    network = laid_out(folded(network)).to(where)
    backend = with_backend(network, os.environ.get("PLAQUELAB_BACKEND", "torch"), digest, where)
    return network, NetworkCard(name=name, sha256=digest, about=about, device=where, backend=backend)


def read_weights(network: nn.Module, path: Path, name: str) -> dict[str, str]:
    """Load a weights file into a network of its kind; returns the file's header. Raises as ``load_network``."""
    if not path.exists():
        raise InferenceError(
            "weights-missing", f"the weights of {name} are missing; install them again", where=path.name
        )
    try:
        with safe_open(path, framework="pt") as file:
            about = dict(file.metadata() or {})
            network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    except Exception as error:
        raise InferenceError(
            "weights-damaged", f"the weights of {name} cannot be read: {error}", where=path.name
        ) from error
    return about


def arithmetic_of(wish: str, device: str) -> str:
    """What the convolutions are computed in: ``wish``, or for ``auto`` bfloat16 on a processor that has it.

    Against float32 at least 0.999 of labels and 0.99 of plaque pixels agree (measured in tests/bench/networks.py);
    elsewhere, an accelerator included, ``auto`` is float32. Raises InferenceError ``unknown-arithmetic``.
    """
    if wish not in ARITHMETICS:
        raise InferenceError(
            "unknown-arithmetic", f"arithmetic {wish!r} is not one of {', '.join(ARITHMETICS)}"
        )
    if wish != "auto":
        return wish
    fit = device == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bfloat16" if fit else "float32"


@torch.inference_mode()
def probabilities(
    network: nn.Module,
    hu: Tensor,
    *,
    marked: Tensor | None = None,
    of: Stretch | None = None,
    chunk: int = CHUNK,
    arithmetic: str = "float32",
) -> Maps:
    """(S, 64, 64) HU of one vessel in order → probabilities of outer wall, lumen and plaque, each (S, 64, 64).

    ``marked`` (S, 2) is what a network that takes it is told of every section; others don't look at it. ``of``: only
    this stretch of sections, (T, 64, 64). Sections go through in chunks with five true neighbours on either side, so
    neither chunk nor stretch changes what is said of a section.
    """
    device = next(network.parameters()).device
    halved = arithmetic_of(arithmetic, device.type) == "bfloat16"
    of = of or slice(0, len(hu))
    stretches: Any = network.stretches
    x = with_halo(seen(normalise(hu.float())[:, None]))
    out = []
    for first in range(of.start, of.stop, chunk):
        stop = min(first + chunk, of.stop)
        with torch.autocast(device.type, torch.bfloat16, enabled=halved):
            more = (
                ()
                if marked is None or not getattr(network, "told", 0)
                else (marked[None, first:stop].to(device),)
            )
            logits = stretches(x[:, first : stop + 2 * REACH].to(device), *more)[0]
        logits = unseen(logits.float(), hu.shape[-1])
        inner = torch.softmax(logits[:, 2:], 1)
        out.append(torch.stack([torch.softmax(logits[:, :2], 1)[:, 1], inner[:, 1], inner[:, 2]]).cpu())
    wall, lumen, plaque = torch.cat(out, 1).numpy()
    return wall, lumen, plaque


def segment(
    vessel: StraightenedVessel,
    network: nn.Module,
    *,
    extents: Sequence[tuple[float, float]] | None = None,
    chunk: int = CHUNK,
    arithmetic: str = "auto",
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities of outer wall, lumen and plaque of one straightened vessel, each (S, 64, 64) float32.

    The mean over ``VIEWS``. ``extents`` are the (start, end) in mm of all lesions that somebody has marked in this
    vessel, for a network that may be told; None = nobody has. The lumen is then judged by the image alone: told of
    a lesion, a network draws it too narrow. Farther than ``NEAR_MM`` from every marked lesion, where nothing is looked
    for any more, the first view of the network that is told suffices. ``arithmetic``: see ``arithmetic_of``.
    """

    def looked(of: Stretch, known: Sequence[tuple[float, float]] | None, views: Sequence[View]) -> Maps:
        return _seen_in_views(vessel.hu, network, known, chunk, arithmetic, of=of, views=views)

    whole = slice(0, len(vessel.hu))
    if extents is None:
        return looked(whole, None, VIEWS)
    maps = looked(whole, extents, VIEWS[:1])
    for stretch in _near(extents, len(vessel.hu)):
        more = looked(stretch, extents, VIEWS[1:])
        for found, added in zip(maps, more, strict=True):
            found[stretch] += (added - found[stretch]) * np.float32(1 - 1 / len(VIEWS))
        if getattr(network, "told", 0):
            _, lumen, plaque = (found[stretch] for found in maps)
            own = looked(stretch, None, VIEWS)[1]
            plaque[:], lumen[:] = np.clip(plaque + lumen - own, 0.0, 1.0), own
    return maps


def _near(extents: Sequence[tuple[float, float]], sections: int) -> list[slice]:
    """Stretches of sections that lie within ``NEAR_MM`` of an extent."""
    at = np.arange(sections) * SPACING_ALONG
    near = np.zeros(sections, bool)
    for start, end in extents:
        near |= (at >= start - NEAR_MM) & (at <= end + NEAR_MM)
    edges = np.flatnonzero(np.diff(np.r_[0, near, 0]))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def segment_smaller(
    vessel: StraightenedVessel,
    network: nn.Module,
    stretch: slice,
    *,
    extents: Sequence[tuple[float, float]] | None = None,
    chunk: int = CHUNK,
    arithmetic: str = "auto",
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """As ``segment`` for a stretch of sections, from the vessel seen ``SMALLER`` times smaller, each (stretch, 64, 64).

    Neighbours on either side are seen with the stretch. The maps are those of the network that is told ``extents``, the
    lumen too: a lumen is better judged at its own size.
    """
    first = max(0, stretch.start - BESIDE_SECTIONS)
    stop = min(len(vessel.hu), stretch.stop + BESIDE_SECTIONS)
    start = first * SPACING_ALONG
    moved = None if extents is None else [((a - start) / SMALLER, (b - start) / SMALLER) for a, b in extents]
    small = _seen_in_views(made_smaller(vessel.hu[first:stop]), network, moved, chunk, arithmetic)
    inner = slice(stretch.start - first, stretch.stop - first)
    wall, lumen, plaque = (brought_back(found, stop - first)[inner] for found in small)
    return wall, lumen, plaque


def _seen_in_views(
    sections: NDArray[np.int16],
    network: nn.Module,
    extents: Sequence[tuple[float, float]] | None,
    chunk: int,
    arithmetic: str,
    *,
    of: Stretch | None = None,
    views: Sequence[View] = VIEWS,
) -> Maps:
    """The mean over views of the maps of all sections, or of a stretch ``of`` them."""
    of = of or slice(0, len(sections))
    hu = torch.from_numpy(np.ascontiguousarray(sections))
    marked = torch.from_numpy(told(np.arange(len(hu)) * SPACING_ALONG, extents))
    total = torch.zeros((3, of.stop - of.start, *hu.shape[1:]))
    for turns, end_to_end in views:
        looked = torch.rot90(hu, turns, (-2, -1))
        looked = looked.flip(-3, -1) if end_to_end else looked
        known = marked.flip(0) if end_to_end else marked
        there = slice(len(hu) - of.stop, len(hu) - of.start) if end_to_end else of
        maps = probabilities(network, looked, marked=known, of=there, chunk=chunk, arithmetic=arithmetic)
        found = torch.from_numpy(np.stack(maps))
        found = found.flip(-3, -1) if end_to_end else found
        total += torch.rot90(found, -turns, (-2, -1))
    wall, lumen, plaque = (total / len(views)).numpy()
    return wall, lumen, plaque
