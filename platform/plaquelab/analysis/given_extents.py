"""Runs that measure the network inside the lesions of a reference read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from inference.composition_profiles import profile_named
from plaquelab.analysis.models import AnalysisRun

if TYPE_CHECKING:
    from inference.analysis import Analysis
    from inference.quantification import Lesion


@dataclass(frozen=True)
class GivenExtents:
    """What a reference read says about where to measure in one vessel, mm along its path.

    Parameters
    ----------
    lesions : (number, start, end) of each. excluded : (start, end, reason) of stretches that count nowhere.
    """

    lesions: Sequence[tuple[int, float, float]] = ()
    excluded: Sequence[tuple[float, float, str]] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the stored form, lesions by number."""
        return {
            "lesions": sorted([int(n), float(a), float(b)] for n, a, b in self.lesions),
            "excluded": sorted([float(a), float(b), str(why)] for a, b, why in self.excluded),
        }


def lesions_of(run: AnalysisRun) -> dict[str, tuple[Lesion, ...]] | None:
    """Return the lesions that a run was given, vessel by vessel; None for a run that finds its own."""
    if run.purpose != AnalysisRun.Purpose.GIVEN_EXTENTS:
        return None
    from inference.quantification import Lesion  # noqa: PLC0415  loads SciPy and numba, which few pages need

    return {
        vessel: tuple(
            Lesion(number=int(n), start_mm=float(a), end_mm=float(b)) for n, a, b in given["lesions"]
        )
        for vessel, given in run.extents.items()
    }


def measured(analysis: Analysis, run: AnalysisRun) -> Analysis:
    """Return a run's analysis measured as the run asks: without excluded stretches, by its plaque variant.

    An analysis that needs neither is returned as it is.
    """
    excluded = {
        vessel: tuple((float(a), float(b), str(why)) for a, b, why in given["excluded"])
        for vessel, given in run.extents.items()
        if given["excluded"]
    }
    if run.variant == "plaque" and not excluded:
        return analysis
    from inference.quantification import (  # noqa: PLC0415  loads SciPy and numba, which few pages need
        measure,
        roll_up_records,
    )

    profile = profile_named(run.profile)
    # What the pipeline itself left out (stents) stays out beside what the reference left out.
    reads = tuple(
        replace(read, excluded=(*read.excluded, *excluded.get(read.vessel, ()))) for read in analysis.reads
    )
    records = tuple(
        measure(vessel, read, profile, variant=run.variant, imaging=analysis.imaging)
        for vessel, read in zip(analysis.vessels, reads, strict=True)
    )
    return replace(analysis, reads=reads, records=records, rolled=tuple(roll_up_records(records)))
