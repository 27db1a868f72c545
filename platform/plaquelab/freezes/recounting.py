"""The network's own lesions counted as ultrasound counts: everything between lumen and outer wall.

A pure function of the stored vessel and contours, computed by the same code as every other number.
"""

from __future__ import annotations

from collections.abc import Iterable

from inference.quantification import quantify
from plaquelab.analysis.models import Vessel
from plaquelab.analysis.selectors import load_vessel, network_contours, vessel_read
from plaquelab.freezes.measured import Values, put_measured
from plaquelab.reading.measuring import composition_profile, imaging_of


def wall_minus_lumen(run: int, vessels: Iterable[str]) -> Values:
    """Return a run's lesions in these vessels, plaque being the whole wall.

    Parameters
    ----------
    run : primary key of a succeeded run.
    """
    values = Values()
    rows = Vessel.objects.filter(run=run, name__in=set(vessels)).select_related("run").order_by("order")
    for vessel in rows:
        profile = vessel.run.profile
        measured = quantify(
            load_vessel(vessel),
            vessel_read(network_contours(vessel)),
            composition_profile(profile),
            variant="wall_minus_lumen",
            imaging=imaging_of(vessel),
        )
        for row in measured:
            put_measured(values, row)
    return values
