"""A U-Net's convolutions computed by OpenVINO, where it is installed and asked for; labels are those of PyTorch.

What goes in and comes out stays PyTorch's, so that nothing else knows of it. Converting a network takes as long as half a
patient, so the converted one is kept in the user's cache, by what it was made from.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.errors import InferenceError

from .unet import SEEN, UNet2D

log = logging.getLogger(__name__)

BACKENDS = ("torch", "openvino")
BATCH = 64
"""Sections at a time: one shape is compiled, the last sections are filled up. As many as a chunk has."""


def cache_folder() -> Path:
    """Where converted networks are kept: ``PLAQUELAB_CACHE``, else the user's cache."""
    given = os.environ.get("PLAQUELAB_CACHE")
    base = (
        Path(given)
        if given
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "plaquelab"
    )
    return base / "networks"


def with_backend(network: nn.Module, wish: str, weights_sha256: str, device: str) -> str:
    """Let a network compute by what ``wish`` names, and say by what it does and, where that is not the wish, why.

    Raises InferenceError ``unknown-backend``.
    """
    if wish not in BACKENDS:
        raise InferenceError("unknown-backend", f"backend {wish!r} is not one of {', '.join(BACKENDS)}")
    if wish == "torch":
        return "torch"
    why = _why_not(network, device)
    if why or not isinstance(network, UNet2D):
        log.warning("the network runs in torch: %s", why)
        return f"torch ({why})"
    network.labelled = ByOpenVino(network, weights_sha256)  # type: ignore[method-assign]
    return f"openvino {metadata.version('openvino')}"


def _why_not(network: nn.Module, device: str) -> str:
    if not isinstance(network, UNet2D):
        return "OpenVINO computes U-Nets of two dimensions alone"
    if device != "cpu":
        return f"OpenVINO is for the processor, not for {device}"
    try:
        metadata.version("openvino")
    except metadata.PackageNotFoundError:
        return "OpenVINO is not installed"
    return ""


class _Labelled(nn.Module):
    """What is converted: windows in, logits out."""

    def __init__(self, network: UNet2D) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> Tensor:
        return self.network.labelled(windows)[0]


class ByOpenVino:
    """Stands in a network's place of ``labelled``: (N, inputs, h, w) windows → (N, 5, h, w) logits, and no deep ones."""

    def __init__(self, network: UNet2D, weights_sha256: str) -> None:
        self._ov: Any = import_module("openvino")
        self._core = self._ov.Core()
        self._model = self._read_or_convert(network, weights_sha256)
        self._compiled: dict[str, Any] = {}

    def __call__(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Compute in bfloat16 inside ``torch.autocast``, else in float32."""
        run = self._compiled_for("bf16" if torch.is_autocast_enabled("cpu") else "f32")
        out = []
        for part in torch.split(windows.float(), BATCH):
            given = part.new_zeros((BATCH, *part.shape[1:]))
            given[: len(part)] = part
            found = run.infer({0: given.numpy()}, share_inputs=True)[0]
            out.append(torch.from_numpy(found[: len(part)].copy()))
        logits = torch.cat(out)
        return logits, logits[:0]

    def _compiled_for(self, precision: str) -> Any:
        if precision not in self._compiled:
            hints = {
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "PERFORMANCE_HINT": "LATENCY",
            }
            compiled = self._core.compile_model(self._model, "CPU", hints)
            self._compiled[precision] = compiled.create_infer_request()
        return self._compiled[precision]

    def _read_or_convert(self, network: UNet2D, weights_sha256: str) -> Any:
        made_of = hashlib.sha256(weights_sha256.encode())
        for name in ("unet.py", "fast.py", "by_openvino.py"):
            made_of.update((Path(__file__).parent / name).read_bytes())
        made_of.update(f"{metadata.version('openvino')} {torch.__version__}".encode())
        path = cache_folder() / f"{made_of.hexdigest()[:24]}.xml"
        if path.exists():
            try:
                return self._core.read_model(path)
            except RuntimeError as error:
                log.warning("the kept network %s cannot be read and is made again: %s", path.name, error)
        model = self._convert(network)
        try:
            self._keep(model, path)
        except OSError as error:
            log.warning("the converted network is not kept, every run will convert it: %s", error)
        return model

    def _convert(self, network: UNet2D) -> Any:
        # By hand rather than by convert_model, which may call home.
        decoder = import_module("openvino.frontend.pytorch.ts_decoder").TorchScriptPythonDecoder
        front = import_module("openvino.frontend").FrontEndManager().load_by_framework("pytorch")
        example = torch.zeros(BATCH, network.inputs + network.told + network.pinned, SEEN, SEEN)
        with torch.inference_mode():
            traced = torch.jit.trace(_Labelled(network), example)  # type: ignore[no-untyped-call]
            decoded = decoder(traced, example_input=example)  # must live until all is converted
            model = front.convert(front.load(decoded))
        model.reshape({model.inputs[0]: list(example.shape)})
        return model

    def _keep(self, model: Any, path: Path) -> None:
        """All at once: another process may read."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / path.name
            self._ov.save_model(model, part, compress_to_fp16=False)
            part.with_suffix(".bin").replace(path.with_suffix(".bin"))
            part.replace(path)
