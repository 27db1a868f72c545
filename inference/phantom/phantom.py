"""A whole simulated patient: seed and scenario in, CT volume with exact truth out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d

from inference.centreline import Centreline
from inference.quantification import VesselRead
from inference.scan import Volume
from inference.straightening import StraightenedVessel

from .main_vessels.patient import main_vessels
from .patient import Patient, make_patient
from .scenario import scenario as scenario_named
from .table import VesselTable
from .truth import truth_read


@dataclass(frozen=True)
class Phantom:
    """One simulated patient.

    volume : the scan; tables : truth of every path, side branches included; settings : what was drawn;
    patient : dominance, bridges, stents, artefacts and the header's style, for scenarios with a whole tree.
    """

    seed: int
    scenario: str
    volume: Volume
    tables: tuple[VesselTable, ...]
    settings: dict[str, float]
    patient: Patient | None = None

    @cached_property
    def vessels(self) -> dict[str, VesselTable]:
        """The tracked vessels by name."""
        return {t.name: t for t in self.tables if t.tracked}

    @property
    def centrelines(self) -> list[Centreline]:
        """The true lumen centrelines every 0.25 mm, LPS mm."""
        return [
            Centreline(vessel=t.name, points=t.curve.points.copy(), segments=t.segment)
            for t in self.vessels.values()
        ]

    def stored_points(self, displacement_mm: float = 1.0) -> list[Centreline]:
        """Centrelines as a hurried person would leave them: off by this much, smoothly (root mean square, mm).

        The displacement is across the vessel and depends on the seed alone.
        """
        rng = np.random.default_rng([self.seed, 977])
        return [displaced(rng, t, displacement_mm) for t in self.vessels.values()]

    def truth_read(self, vessel: StraightenedVessel) -> VesselRead:
        """The true contours, marks and lesions of this vessel, on whatever centreline it was straightened."""
        return truth_read(self.vessels[vessel.vessel], vessel)


def displaced(rng: np.random.Generator, table: VesselTable, displacement_mm: float) -> Centreline:
    """The table's centreline moved across the vessel by a smooth random curve (root mean square, mm)."""
    n = len(table.curve.points)
    shift = gaussian_filter1d(rng.standard_normal((n + 240, 2)), 20.0, axis=0)[120 : 120 + n]
    shift -= 0.5 * shift.mean(0)
    size = np.sqrt((shift**2).sum(1).mean())
    shift *= displacement_mm / max(size, 1e-9)
    points = table.curve.points + shift[:, :1] * table.curve.u + shift[:, 1:] * table.curve.v
    return Centreline(vessel=table.name, points=points, segments=table.segment)


def generate(
    seed: int, scenario: str = "train", *, scan_number: int = 1, other_scanner: bool = False
) -> Phantom:
    """Draw and scan one patient. The same seed, scenario and scan give the same bytes.

    ``scan_number`` from 2 on scans the same patient again, on the same or on another scanner (``make_patient``).

    Raises ValueError for an unknown scenario, a negative seed, or another scan of a scenario without a whole tree.
    """
    if seed < 0:
        raise ValueError("the seed must not be negative")
    chosen = scenario_named(scenario)
    if chosen.tree is not None:
        patient = make_patient(seed, chosen, scan_number=scan_number, other_scanner=other_scanner)
        return Phantom(
            seed=seed,
            scenario=scenario,
            volume=patient.volume,
            tables=patient.tables,
            settings=patient.settings,
            patient=patient,
        )
    if scan_number > 1:
        raise ValueError(
            f"a patient of {scenario!r} is scanned once; scenarios with a whole tree repeat scans"
        )
    volume, tables, settings = main_vessels(seed, chosen)
    return Phantom(seed=seed, scenario=scenario, volume=volume, tables=tables, settings=settings)
