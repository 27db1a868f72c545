"""What a training run needs, as one file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PatientSet = tuple[str, int, int]
NETWORKS = ("unet_2d", "unet_2_5d", "unet_2_5d_given", "unet_2_5d_pinned", "unet_3d", "hierarchical_convlstm")


@dataclass(frozen=True)
class TrainingConfig:
    """One recipe for every network; a run is reproducible from this file and its seed.

    patients, validation : sets of simulated patients, each (scenario, first seed, count).
    start_from : ``shipped`` or the path of a ``.safetensors`` file of the same network: the weights the run begins
    with; none = random weights.
    reads : a folder of expert reads that the platform exported (``inference.training.reads``); ``reads_share`` of the
    stretches come from it, and ``reads_held_out`` of its patients are kept for validation.
    told_share : share of stretches of which a network that may be told is told where lesions lie.
    scaled_share, across_share : shares of stretches that are seen larger or smaller, and so across alone;
    pinned_share : share of stretches of which a network that may be told is given pinned borders.
    minutes : when given, the learning rate also falls with the time spent, so that a run ends in time on a busy
    machine; such a run is repeatable in kind, not bit by bit.
    arithmetic : of convolutions: ``float32``, ``bfloat16``, or ``auto`` = bfloat16 where the machine has it.
    """

    network: str
    seed: int = 1
    patients: tuple[PatientSet, ...] = (("train", 1000, 32), ("train_soft_tissue", 1000, 16))
    validation: tuple[PatientSet, ...] = (("validation", 2100, 6),)
    versions: int = 2
    steps: int = 6000
    minutes: float | None = None
    start_from: str | None = None
    reads: str | None = None
    reads_share: float = 0.5
    reads_held_out: float = 0.2
    stretches: int = 4
    stretch_sections: int = 16
    plaque_share: float = 0.6
    told_share: float = 0.5
    scaled_share: float = 0.6
    across_share: float = 0.3
    pinned_share: float = 0.3
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    warm_up_steps: int = 100
    ema: float = 0.995
    deep_supervision: float = 0.3
    report_every: int = 50
    checkpoint_every: int = 200
    validate_every: int = 400
    threads: int = 1
    arithmetic: str = "auto"

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ValueError(f"network: {self.network!r} is not one of {', '.join(NETWORKS)}")
        for sets in (self.patients, self.validation):
            if not sets or any(count < 1 or first < 0 for _, first, count in sets):
                raise ValueError(
                    "patients and validation need sets of [scenario, first seed, count of at least 1]"
                )
        if {name for name, _, _ in self.patients} & {name for name, _, _ in self.validation}:
            raise ValueError("training and validation must not share a scenario")
        for name in (
            "versions",
            "steps",
            "stretches",
            "stretch_sections",
            "report_every",
            "checkpoint_every",
            "validate_every",
            "threads",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.arithmetic not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"arithmetic: {self.arithmetic!r} is not one of auto, float32, bfloat16")
        if not 0 < self.reads_share <= 1 or not 0 < self.reads_held_out < 1:
            raise ValueError("reads_share and reads_held_out are shares between 0 and 1")
        if (
            not 0 < self.ema < 1
            or not 0 <= self.plaque_share <= 1
            or any(
                not 0 <= share <= 1
                for share in (self.told_share, self.scaled_share, self.across_share, self.pinned_share)
            )
            or self.learning_rate <= 0
        ):
            raise ValueError(
                "ema must lie between 0 and 1, shares of stretches in 0…1, learning_rate above 0"
            )


def read_config(path: Path) -> TrainingConfig:
    """The configuration in a JSON file; unknown or wrong fields raise ValueError naming them."""
    fields = json.loads(path.read_text())
    try:
        for key in ("patients", "validation"):
            if key in fields:
                fields[key] = tuple((str(name), int(first), int(count)) for name, first, count in fields[key])
        return TrainingConfig(**fields)
    except TypeError as error:
        raise ValueError(f"{path.name}: {error}") from None
