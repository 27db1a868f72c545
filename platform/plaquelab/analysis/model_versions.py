"""Which network a run uses: a row per weights file, found without importing torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

import inference
from plaquelab.analysis.models import ModelVersion
from plaquelab.errors import Refusal


class NoModelError(Refusal):
    """The network that the settings name is not there. The text says what to do."""

    code = "no-model"
    status = 503


@dataclass(frozen=True)
class Weights:
    """A weights file on disk with the hash of its bytes and what its header says."""

    name: str
    path: Path
    sha256: str
    card: dict[str, Any]


def weights_folder() -> Path:
    """Return the folder of the weights that come with the product."""
    return Path(str(inference.__file__)).parent / "weights"


def find_weights(model: str) -> Weights:
    """Find a network's weights.

    Parameters
    ----------
    model : ``served`` (named by ``served.json``), a name in ``inference/weights``, or the path of a
        ``.safetensors`` file, whose name is the network's.

    Raises
    ------
    NoModelError
        There is no such file, or it is damaged.
    """
    folder = weights_folder()
    if model == "served":
        try:
            model = str(json.loads((folder / "served.json").read_text())["served"])
        except FileNotFoundError:
            raise NoModelError("No network is served: inference/weights/served.json is missing.") from None
    path = Path(model) if model.endswith(".safetensors") else folder / f"{model}.safetensors"
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise NoModelError(
            f"There are no weights for “{model}”: train it, or name another network."
        ) from None
    return _read(path, changed)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Weights:
    """Read a weights file; one that was changed since is read again."""
    data = path.read_bytes()
    return Weights(path.stem, path, hashlib.sha256(data).hexdigest(), _header(path.name, data))


def _header(name: str, data: bytes) -> dict[str, Any]:
    """Return what a safetensors file says of itself: eight bytes of length, then JSON with ``__metadata__``."""
    try:
        length = int.from_bytes(data[:8], "little")
        if not 0 < length <= len(data) - 8:
            raise ValueError("no header")
        return dict(json.loads(data[8 : 8 + length]).get("__metadata__") or {})
    except (ValueError, AttributeError, UnicodeDecodeError):
        raise NoModelError(f"{name} is no weights file, or it is damaged: install it again.") from None


def current_model() -> ModelVersion:
    """Get or make the row of the network that the settings name."""
    weights = find_weights(settings.INFERENCE_MODEL)
    row, _ = ModelVersion.objects.get_or_create(
        weights_sha256=weights.sha256, defaults={"name": weights.name, "card": weights.card}
    )
    return row


def path_of(version: ModelVersion) -> Path:
    """Return the weights file of a version, checked by its hash.

    Raises
    ------
    NoModelError
        The weights are no longer here.
    """
    for model in dict.fromkeys((settings.INFERENCE_MODEL, version.name, "served")):
        try:
            weights = find_weights(model)
        except NoModelError:
            continue
        if weights.sha256 == version.weights_sha256:
            return weights.path
    raise NoModelError(
        f"The weights of “{version.name}” ({version.weights_sha256[:12]}) are not on this machine any more: "
        "start a new run with the network that is served now."
    )
