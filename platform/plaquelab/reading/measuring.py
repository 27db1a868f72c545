"""Numbers for drafts and revisions: one authority, the library, with its latest answers kept in memory.

Everything kept is a pure function of what its key names (hashes of the vessel, the base and the commands), so a
kept answer is the answer. Processes keep their own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from inference.composition_profiles import profile_named
from inference.section_grid import PIXELS, SPACING_ALONG
from plaquelab.analysis.models import Measurement as MeasurementRow
from plaquelab.analysis.models import Vessel
from plaquelab.analysis.selectors import load_vessel

if TYPE_CHECKING:
    import numpy as np

    from inference.composition_profiles import CompositionProfile
    from inference.quantification import Imaging, Measurement, VesselRead
    from inference.straightening import StraightenedVessel

T = TypeVar("T")


class Recent(Generic[T]):
    """The last answers of a pure function, for several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> T | None:
        """Return what is kept under a key, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        return None

    def keep(self, key: Hashable, value: T) -> T:
        """Keep a value and return it."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return value

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the kept value, or make and keep it."""
        found = self.find(key)
        return found if found is not None else self.keep(key, make())


_vessels: Recent[StraightenedVessel] = Recent(24)
_tables: Recent[list[Measurement]] = Recent(96)
_overlays: Recent[Overlay] = Recent(24)


@dataclass(frozen=True)
class Overlay:
    """What the viewer draws over one vessel: (S, 64, 64) uint8 composition and (S,) curves."""

    composition: np.ndarray
    curves: dict[str, np.ndarray]


def straightened(vessel: Vessel) -> StraightenedVessel:
    """Return a row's straightened vessel."""
    return _vessels.get(vessel.sha256, lambda: load_vessel(vessel))


@lru_cache(maxsize=8)
def composition_profile(name: str) -> CompositionProfile:
    """Return the composition profile of this name."""
    return profile_named(name)


def imaging_of(vessel: Vessel) -> Imaging:
    """Return what the vessel's run found of the image, so that a reader's numbers are measured as the network's are."""
    from inference.quantification import Imaging  # noqa: PLC0415  loads SciPy and numba, which few pages need

    return Imaging.of(vessel.run.versions)


def measure(vessel: Vessel, read: VesselRead, *, digest: str, profile: str) -> list[Measurement]:
    """Measure one vessel (lesion, segment and vessel rows).

    Parameters
    ----------
    digest : names ``read`` among all states of this vessel.
    """

    def make() -> list[Measurement]:
        from inference.quantification import quantify  # noqa: PLC0415  loads SciPy and numba, which few pages need

        return quantify(
            straightened(vessel),
            read,
            composition_profile(profile),
            imaging=imaging_of(vessel),
        )

    return _tables.get((vessel.sha256, vessel.run_id, digest, profile), make)


def overlay(vessel: Vessel, read: VesselRead, *, digest: str, profile: str) -> Overlay:
    """Return composition and curves of one vessel."""

    def make() -> Overlay:
        from inference.quantification import composition_map, curves_along  # noqa: PLC0415  loads SciPy and numba, which few pages need

        image = straightened(vessel)
        return Overlay(
            composition=composition_map(image, read, composition_profile(profile), imaging_of(vessel)),
            curves=curves_along(image, read),
        )

    return _overlays.get((vessel.sha256, vessel.run_id, digest, profile), make)


def warm_up() -> None:
    """Measure a made-up tube, so that imports and compiled functions are there before a reader opens the first case."""
    from inference.contours import ANGLES, VesselContours  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.contours.from_threshold import contours_from_threshold  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.quantification import (  # noqa: PLC0415  loads SciPy and numba, which few pages need
        Lesion,
        VesselRead,
        composition_map,
        curves_along,
        fit_normal_wall,
        quantify,
        roll_up,
    )
    from inference.quantification.stents import find_stents  # noqa: PLC0415  loads SciPy and numba, which few pages need
    from inference.straightening import StraightenedVessel  # noqa: PLC0415  loads SciPy and numba, which few pages need

    sections = 30
    zeros = np.zeros(sections)
    tube = StraightenedVessel(
        vessel="LM",
        hu=np.full((sections, PIXELS, PIXELS), 100, np.int16),
        centre=np.stack([zeros, zeros, np.arange(sections) * SPACING_ALONG], axis=1),
        axis_u=np.tile([1.0, 0.0, 0.0], (sections, 1)),
        axis_v=np.tile([0.0, 1.0, 0.0], (sections, 1)),
        curvature=np.zeros((sections, 2)),
        segment=("LM",) * sections,
    )
    radius = np.full((sections, ANGLES), 1.5, np.float32)
    contours = VesselContours(
        lumen_radius=radius,
        wall_radius=radius + np.float32(1.0),
        plaque=np.ones((sections, ANGLES), bool),
        provenance={},
    )
    read = VesselRead("LM", contours, (Lesion(1, 1.5, 6.0),))
    profile = composition_profile("corrected")
    roll_up([quantify(tube, read, profile)], profile)
    composition_map(tube, read, profile)
    curves_along(tube, read)
    find_stents([tube])
    fit_normal_wall([(tube, contours_from_threshold(tube))])


def patient(tables: Iterable[list[Measurement]], *, profile: str) -> list[Measurement]:
    """Return territory and patient rows over the vessels' tables."""
    from inference.quantification import roll_up  # noqa: PLC0415  loads SciPy and numba, which few pages need

    return roll_up(list(tables), composition_profile(profile))


def row_as_json(row: Measurement | MeasurementRow) -> dict[str, Any]:
    """Return one row of the long table as pages take it, from the library or from the database."""
    value: Any = row.value
    if isinstance(row, MeasurementRow) and row.text:
        value = row.text
    return {
        "level": row.level,
        "vessel": row.vessel or "",
        "segment": row.segment or "",
        "lesion": row.lesion,
        "metric": row.metric,
        "value": value if value is None or isinstance(value, str) else float(value),
        "unit": row.unit or "",
        "low": None if row.low is None else float(row.low),
        "high": None if row.high is None else float(row.high),
        "interval_low": row.interval_low,
        "interval_high": row.interval_high,
        "profile": row.profile,
    }
