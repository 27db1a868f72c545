"""The training loop, visible from top to bottom."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from inference.networks import WEIGHTS, build, network_of, read_weights
from inference.networks.fast import laid_out
from inference.networks.unet import UNet25DGiven

from .batches import Sampler
from .config import TrainingConfig
from .data import CachedVessel, patients
from .losses import segmentation_loss
from .reads import load_reads, split
from .scores import dice_of_vessels

Say = Callable[[str], None]


class NonFiniteGradientError(RuntimeError):
    """A gradient was not finite five times in a row; training stops rather than ruins the weights."""


def position(config: TrainingConfig, step: int, seconds: float) -> float:
    """How far the run is, 0…1: by steps, or by time where that is further."""
    by_time = seconds / (60 * config.minutes) if config.minutes else 0.0
    return min(1.0, max(step / config.steps, by_time))


def bfloat16(config: TrainingConfig, where: torch.device) -> bool:
    """Whether this run's convolutions are in bfloat16: two to four times as fast on a processor that has it."""
    if config.arithmetic == "auto":
        return where.type == "cuda" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return config.arithmetic == "bfloat16"


def train(  # noqa: PLR0915 - the loop, visible from top to bottom
    config: TrainingConfig,
    *,
    folder: Path,
    data_folder: Path,
    say: Say = print,
    stop_after: int | None = None,
    device: str = "auto",
    workers: int = 1,
) -> Path:
    """Train, or resume where the last checkpoint in ``folder`` stands; returns the weights' path.

    Progress goes to ``say`` and to ``folder/log.jsonl``. ``stop_after`` ends the call after so many steps, as a kill
    would, with nothing more than the last checkpoint kept. ``device`` is ``auto``, ``cpu`` or ``cuda``; on an
    accelerator the patients lie in its memory. Convolutions are in bfloat16 where the machine has it (``bfloat16``);
    weights, losses and the optimiser stay in float32.
    """
    where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    vessels = patients(folder=data_folder, sets=config.patients, versions=config.versions, workers=workers)
    held_out = patients(folder=data_folder, sets=config.validation, versions=1, workers=workers)
    own, own_held_out = (
        split(load_reads(Path(config.reads)), config.reads_held_out) if config.reads else ([], [])
    )
    network: Any = laid_out(build(config.network).train())
    halved = bfloat16(config, where)
    checkpoint, step, spent, broken = folder / "checkpoint.pt", 0, 0.0, 0
    began_with = {} if checkpoint.exists() else _start(network, config)
    network = network.to(where)
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    sampler = Sampler(
        vessels,
        seed=config.seed,
        stretches=config.stretches,
        sections=config.stretch_sections,
        plaque_share=config.plaque_share,
        told_share=config.told_share if network.told else 0.0,
        scaled_share=config.scaled_share,
        across_share=config.across_share,
        pinned_share=config.pinned_share if network.pinned else 0.0,
        reads=own,
        reads_share=config.reads_share if own else 0.0,
        device=where,
    )
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False, map_location=where)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        sampler.rng.bit_generator.state = state["sampler"]
        step, spent, began_with = state["step"], state["seconds"], state["began_with"]
        say(f"resumed at step {step}, {spent / 60:.1f} minutes")
    began, first, running = time.monotonic() - spent, step, 0.0
    while position(config, step, time.monotonic() - began) < 1.0:
        if stop_after is not None and step - first >= stop_after:
            return checkpoint
        x, known, pins, soft = sampler.batch()
        rate = _rate(config, step, time.monotonic() - began)
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(where.type, torch.bfloat16, enabled=halved):
            more = ((known,) if network.told else ()) + ((pins,) if network.pinned else ())
            logits, deep = network.stretches(x, *more)
        logits, deep = logits.float(), deep.float()
        loss = segmentation_loss(logits, soft)
        loss = loss + config.deep_supervision * segmentation_loss(deep, nn.functional.avg_pool2d(soft, 2))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        size = nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        step += 1
        if not torch.isfinite(size):
            broken += 1
            if broken >= 5:
                raise NonFiniteGradientError(f"gradients were not finite at step {step}")
            continue
        broken = 0
        optimiser.step()
        _follow(average, network, min(config.ema, step / (step + 10)))
        running += float(loss.detach())
        seconds = time.monotonic() - began
        if step % config.report_every == 0:
            sections = (step - first) * config.stretches * config.stretch_sections
            say(
                f"step {step} loss {running / config.report_every:.4f} rate {rate:.1e} "
                f"{seconds / 60:.1f} min {sections / max(1e-9, seconds - spent):.0f} sections/s"
            )
            running = 0.0
        if step % config.checkpoint_every == 0:
            _save(checkpoint, network, average, optimiser, sampler, step, seconds, began_with)
        if step % config.validate_every == 0:
            _report(folder, average, held_out, own_held_out, step, seconds, say)
    seconds = time.monotonic() - began
    _save(checkpoint, network, average, optimiser, sampler, step, seconds, began_with)
    _report(folder, average, held_out, own_held_out, step, seconds, say)
    return export_weights(average, config, folder, step=step, seconds=seconds, began_with=began_with)


def _start(network: nn.Module, config: TrainingConfig) -> dict[str, str]:
    """Load the weights a run begins with; says which and how many presentations they had seen."""
    if config.start_from is None:
        return {}
    path = (
        WEIGHTS / f"{config.network}.safetensors"
        if config.start_from == "shipped"
        else Path(config.start_from)
    )
    kind = network_of(path)
    if (
        isinstance(network, UNet25DGiven)
        and kind in ("unet_2_5d", "unet_2_5d_given")
        and kind != config.network
    ):
        plain = build(kind)
        about = read_weights(plain, path, kind)
        network.begin_with(plain)
    else:
        about = read_weights(network, path, config.network)
    earlier = int(about.get("presentations", 0)) + int(about.get("presentations_before", 0))
    return {
        "began_with_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "presentations_before": str(earlier),
    }


def export_weights(
    network: nn.Module,
    config: TrainingConfig,
    folder: Path,
    *,
    step: int,
    seconds: float,
    began_with: Mapping[str, str] | None = None,
) -> Path:
    """Write ``<network>.safetensors`` with the recipe, and what it began with, in its header."""
    path = folder / f"{config.network}.safetensors"
    tensors = {
        name: value.detach().contiguous(memory_format=torch.contiguous_format).clone()
        for name, value in network.state_dict().items()
    }
    save_file(
        tensors,
        path,
        metadata={
            "network": config.network,
            "config": json.dumps(_without_folders(config)),
            "steps": str(step),
            "minutes": f"{seconds / 60:.1f}",
            "presentations": str(step * config.stretches * config.stretch_sections),
            **(began_with or {}),
        },
    )
    return path


def _without_folders(config: TrainingConfig) -> dict[str, Any]:
    """The recipe as a weights file carries it: files by their names, for folders are those of one machine."""
    fields = asdict(config)
    return fields | {k: Path(fields[k]).name for k in ("start_from", "reads") if fields[k] is not None}


def _rate(config: TrainingConfig, step: int, seconds: float) -> float:
    warm = min(1.0, (step + 1) / config.warm_up_steps)
    return (
        warm
        * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * position(config, step, seconds))))
        * config.learning_rate
    )


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Exponential moving average of weights and of batch-normalisation statistics."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values()):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _save(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    sampler: Sampler,
    step: int,
    seconds: float,
    began_with: Mapping[str, str],
) -> None:
    part = path.with_suffix(".part")
    torch.save(
        {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "sampler": sampler.rng.bit_generator.state,
            "step": step,
            "seconds": seconds,
            "began_with": dict(began_with),
        },
        part,
    )
    os.replace(part, path)


def _report(
    folder: Path,
    network: nn.Module,
    held_out: list[CachedVessel],
    own_held_out: list[CachedVessel],
    step: int,
    seconds: float,
    say: Say,
) -> None:
    scores = dice_of_vessels(network, held_out, every=4)
    if getattr(network, "told", 0):
        given = dice_of_vessels(network, held_out, every=4, given=True)
        scores |= {f"{k}_given": v for k, v in given.items()}
    if own_held_out:
        scores |= {f"reads_{k}": v for k, v in dice_of_vessels(network, own_held_out).items()}
    say(f"step {step} validation Dice " + " ".join(f"{k} {v:.4f}" for k, v in scores.items()))
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps({"step": step, "minutes": seconds / 60, **scores}) + "\n")
