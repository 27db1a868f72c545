"""What is told of every lesion beside its numbers: doubts, and intervals where the weights' errors are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.certainty.intervals import Calibration
from inference.certainty.lesion_doubts import doubts_of
from inference.certainty.second_look import SecondLook
from inference.certainty.signs import Signs, branches_of, noise_of, signs_of
from inference.doubts import Doubt
from inference.quantification import VesselRead, VesselRecord
from inference.straightening import StraightenedVessel


@dataclass(frozen=True)
class Assessment:
    """records : with intervals. doubts : of lesions. signs : per vessel and lesion, what both rest on."""

    records: tuple[VesselRecord, ...]
    doubts: tuple[Doubt, ...]
    signs: Mapping[str, Mapping[int, Signs]]


def assess(
    vessels: Sequence[StraightenedVessel],
    reads: Sequence[VesselRead],
    records: Sequence[VesselRecord],
    looks: Sequence[SecondLook],
    uncertainty: Mapping[str, NDArray[np.floating]],
    *,
    calibration: Calibration | None,
    how: str,
) -> Assessment:
    """Assess the lesions of an analysis.

    Parameters
    ----------
    looks : of each vessel. uncertainty : per vessel, of its sections. calibration : of the weights. how : lesions were ``given`` or ``found``.
    """
    contours = [read.contours for read in reads]
    noise, branches = noise_of(vessels, contours), branches_of(vessels, contours)
    reach = calibration.reach if calibration else None
    signs: dict[str, dict[int, Signs]] = {}
    doubts: list[Doubt] = []
    widened = []
    for vessel, read, record, look in zip(vessels, reads, records, looks, strict=True):
        mine = signs[read.vessel] = {
            lesion.number: signs_of(
                vessel,
                read,
                lesion,
                uncertainty=uncertainty[read.vessel],
                scales=look.of(vessel, lesion),
                branches=branches[read.vessel],
                noise_hu=noise,
            )
            for lesion in read.lesions
        }
        for lesion in read.lesions:
            doubts += doubts_of(read.vessel, lesion, mine[lesion.number], reach)
        lesions = record.lesions
        if calibration is not None:
            lesions = tuple(
                calibration.with_intervals(x, mine[x.number], how=how, profile=record.profile)
                for x in lesions
            )
        widened.append(replace(record, lesions=lesions))
    return Assessment(tuple(widened), tuple(doubts), signs)
