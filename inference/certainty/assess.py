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
from inference.contours import VesselContours
from inference.doubts import Doubt
from inference.quantification import VesselRead, VesselRecord
from inference.straightening import StraightenedVessel


@dataclass(frozen=True)
class Drawing:
    """How a vessel was drawn.

    contours : what is measured. look : what its two looks came to. assumed : (S,) bool, sections whose outer wall is
    assumed (``least_wall``). uncertainty : (S,) expected share of wrong labels (``networks.uncertainty``).
    """

    contours: VesselContours
    look: SecondLook
    assumed: NDArray[np.bool_]
    uncertainty: NDArray[np.floating]


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
    drawings: Sequence[Drawing],
    *,
    calibration: Calibration | None,
    how: str,
) -> Assessment:
    """Assess the lesions of an analysis.

    Parameters
    ----------
    drawings : of each vessel. calibration : of the weights. how : lesions were ``given`` or ``found``.
    """
    contours = [read.contours for read in reads]
    noise, branches = noise_of(vessels, contours), branches_of(vessels, contours)
    reach = calibration.reach if calibration else None
    signs: dict[str, dict[int, Signs]] = {}
    doubts: list[Doubt] = []
    widened = []
    for vessel, read, record, drawing in zip(vessels, reads, records, drawings, strict=True):
        mine = signs[read.vessel] = {
            lesion.number: signs_of(
                vessel,
                read,
                lesion,
                uncertainty=drawing.uncertainty,
                assumed=drawing.assumed,
                scales=drawing.look.of(vessel, lesion),
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
