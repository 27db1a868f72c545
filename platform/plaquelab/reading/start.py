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
    from inference.quantification import fit_normal_wall  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.quantification.stents import find_stents  # noqa: PLC0415  loads SciPy and numba, which few pages need

    drafts, pairs = [], []
    vessels = list(read.case.run.vessels.order_by("order"))
    # Metal is seen in the image, not by the network: every read leaves the same stents out.
    metal = {} if read.saw_network else find_stents([straightened(vessel) for vessel in vessels])
    for vessel in vessels:
        base = (
            network_contours(vessel)
            if read.saw_network
            else _threshold_set(vessel, stents=metal.get(vessel.name, ()))
        )
        drafts.append(ReadDraft(read=read, vessel=vessel, base=base))
        pairs.append((straightened(vessel), load_contours(base)))
    ReadDraft.objects.bulk_create(drafts)
    wall = fit_normal_wall(pairs)
    read.normal_wall = {"intercept": float(wall.intercept), "slope": float(wall.slope)}
    Read.objects.filter(pk=read.pk).update(normal_wall=read.normal_wall)
    return drafts


def _threshold_set(vessel: Vessel, *, stents: tuple[tuple[float, float], ...]) -> ContourSet:
    from inference.contours.from_threshold import contours_from_threshold  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.quantification import VesselRead  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.quantification.stents import REASON  # noqa: PLC0415  loads SciPy and numba, which few pages need

    contours: VesselContours = contours_from_threshold(straightened(vessel))
    excluded = tuple((start, end, REASON) for start, end in stents)
    read = VesselRead(vessel=vessel.name, contours=contours, lesions=(), excluded=excluded)
    return store_read(vessel=vessel, read=read, source=ContourSet.Source.READER)


def normal_wall_of(read: Read) -> NormalWall:
    """Return the normal wall that the read's plaque marks are judged by."""
    from inference.quantification import NormalWall  # noqa: PLC0415  loads SciPy and numba, which few pages need

    wall = read.normal_wall
    if wall is None:
        raise ValueError(f"Read {read.pk} has not been started: it has no normal wall.")
    return NormalWall(intercept=wall["intercept"], slope=wall["slope"])
