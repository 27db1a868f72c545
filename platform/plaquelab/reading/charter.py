"""What a charter version says about reading, with the defaults of the core lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plaquelab.reading.errors import AssignmentError
from plaquelab.studies.models import CharterVersion

START_FROM = ("network", "threshold")


@dataclass(frozen=True)
class DiscordanceRule:
    """When two reads of one case differ so much that a third person decides.

    Parameters
    ----------
    volume_percent, volume_mm3 : the patient's total plaque volume differs by more than this share of the two
        reads' mean *and* by more than this volume.
    cadrads_limits : stenosis limits (%) that must not lie between the two reads' CAD-RADS.
    plaque_stage : whether another plaque stage is discordant.
    """

    volume_percent: float = 25.0
    volume_mm3: float = 90.0
    cadrads_limits: tuple[float, ...] = (50.0, 70.0)
    plaque_stage: bool = True


@dataclass(frozen=True)
class ReadDesign:
    """How the study reads.

    Parameters
    ----------
    profile : composition profile of every measurement.
    start_from : ``network`` (readers edit the network's contours) or ``threshold`` (they correct a plain
        half-maximum contour and never see the network).
    readers : independent readers a case, 1 or 2.
    seed : of every stored permutation and draw.
    investigators_see_images : whether investigators may open final cases.
    days_to_read : a read's due date after its assignment.
    repeat_percent : share of each reader's signed reads that are read again, hidden among new cases.
    washout_days : how long after the first reading at the earliest.
    """

    profile: str = "corrected"
    start_from: str = "threshold"
    readers: int = 2
    seed: int = 0
    investigators_see_images: bool = False
    days_to_read: int = 14
    repeat_percent: float = 10.0
    washout_days: int = 28
    discordance: DiscordanceRule = DiscordanceRule()

    def __post_init__(self) -> None:
        if self.start_from not in START_FROM:
            raise AssignmentError(
                f"The charter's “start_from” is {self.start_from!r}: it must be “network” or “threshold”."
            )
        if not 0 <= self.repeat_percent <= 100 or self.washout_days < 0:
            raise AssignmentError(
                f"The charter repeats {self.repeat_percent:g} % of the reads after {self.washout_days} days: "
                "0 to 100 % and no negative time are possible."
            )
        if self.readers not in (1, 2):
            raise AssignmentError(f"The charter asks for {self.readers} readers a case: 1 or 2 are possible.")

    @property
    def saw_network(self) -> bool:
        """Whether a read under this design is made with sight of the network's contours."""
        return self.start_from == "network"


def read_design(charter: CharterVersion) -> ReadDesign:
    """Return what a charter version says about reading."""
    rules: Mapping[str, Any] = charter.rules
    discordance: Mapping[str, Any] = rules.get("discordance", {})
    default = DiscordanceRule()
    start = str(rules.get("start_from", "threshold"))
    return ReadDesign(
        profile=str(rules.get("profile", "corrected")),
        start_from="threshold" if start == "blank" else start,
        readers=int(rules.get("readers", 2)),
        seed=int(rules.get("seed", 0)),
        investigators_see_images=bool(rules.get("investigators_see_images", False)),
        days_to_read=int(rules.get("days_to_read", 14)),
        repeat_percent=float(rules.get("repeat_percent", 10.0)),
        washout_days=int(rules.get("washout_days", 28)),
        discordance=DiscordanceRule(
            volume_percent=float(discordance.get("volume_percent", default.volume_percent)),
            volume_mm3=float(discordance.get("volume_mm3", default.volume_mm3)),
            cadrads_limits=tuple(float(x) for x in discordance.get("cadrads_limits", default.cadrads_limits)),
            plaque_stage=bool(discordance.get("plaque_stage", default.plaque_stage)),
        ),
    )
