"""What a read begins with, by the charter: the network's contours, or a plain threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plaquelab.analysis.models import ContourSet, Vessel
from plaquelab.analysis.selectors import load_contours, network_contours
from plaquelab.analysis.services import store_read
from plaquelab.reading.measuring import straightened
from plaquelab.reading.models import Read, ReadDraft

if TYPE_CHECKING:
    from inference.contours import VesselContours
    from inference.quantification import NormalWall


def make_drafts(*, read: Read) -> list[ReadDraft]:
    """Make one draft a vessel and fix the patient's normal wall; call it in the transaction that starts the read."""
    from inference.quantification import fit_normal_wall

    drafts, pairs = [], []
    for vessel in read.case.run.vessels.order_by("order"):
        base = network_contours(vessel) if read.saw_network else _threshold_set(vessel)
        drafts.append(ReadDraft(read=read, vessel=vessel, base=base))
        pairs.append((straightened(vessel), load_contours(base)))
    ReadDraft.objects.bulk_create(drafts)
    wall = fit_normal_wall(pairs)
    read.normal_wall = {"intercept": float(wall.intercept), "slope": float(wall.slope)}
    Read.objects.filter(pk=read.pk).update(normal_wall=read.normal_wall)
    return drafts


def _threshold_set(vessel: Vessel) -> ContourSet:
    from inference.contours_from_threshold import contours_from_threshold
    from inference.quantification import VesselRead

    contours: VesselContours = contours_from_threshold(straightened(vessel))
    read = VesselRead(vessel=vessel.name, contours=contours, lesions=(), excluded=())
    return store_read(vessel=vessel, read=read, source=ContourSet.Source.READER)


def normal_wall_of(read: Read) -> NormalWall:
    """Return the normal wall that the read's plaque marks are judged by."""
    from inference.quantification import NormalWall

    wall = read.normal_wall
    if wall is None:
        raise ValueError(f"Read {read.pk} has not been started: it has no normal wall.")
    return NormalWall(intercept=wall["intercept"], slope=wall["slope"])
