"""What an analysis was asked for, and everything that it found; ``pipeline`` makes one, ``dicom`` and ``report`` write it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from inference.certainty.signs import Signs
from inference.doubts import Doubt
from inference.quantification import (
    UNKNOWN,
    AorticRegion,
    CadRads2,
    Imaging,
    Lesion,
    Measurement,
    Reference,
    StretchRecord,
    VesselRead,
    VesselRecord,
)
from inference.straightening import StraightenedVessel


@dataclass(frozen=True)
class Settings:
    """What an analysis was asked for.

    Parameters
    ----------
    model : ``served``, a network's name, or the path of a ``.safetensors`` file that ``train`` wrote.
    profile : composition profile. device : ``auto``, ``cpu`` or ``cuda``.
    arithmetic : of the network, ``auto``, ``float32`` or ``bfloat16`` (``inference.networks.arithmetic_of``).
    lesions : given extents per vessel, measured as given; None finds them.
    """

    model: str = "served"
    profile: str = "corrected"
    device: str = "auto"
    arithmetic: str = "auto"
    lesions: Mapping[str, tuple[Lesion, ...]] | None = None

    @property
    def sha256(self) -> str:
        """Hash of what changes the numbers beside model and centrelines."""
        lesions = {
            v: [(x.number, x.start_mm, x.end_mm) for x in xs] for v, xs in (self.lesions or {}).items()
        }
        return hashlib.sha256(json.dumps([self.profile, lesions], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Analysis:
    """Everything an analysis found, with what it was made by.

    records : what was measured of every vessel. rolled : of territories and the patient, from the vessels.
    uncertainty : per vessel, expected share of wrong labels of every section. references : per vessel and lesion, what
    stenosis was told against. aorta : where profile ``adaptive`` took its noise from. imaging : what
    was known of the image when it was measured. cadrads2 : of the patient.
    doubts : what makes the scan, a vessel or a lesion doubtful.
    signs : per vessel and lesion, what its doubts and intervals rest on.
    """

    vessels: tuple[StraightenedVessel, ...]
    reads: tuple[VesselRead, ...]
    records: tuple[VesselRecord, ...]
    rolled: tuple[StretchRecord, ...]
    timings: dict[str, float]
    versions: dict[str, str]
    warnings: tuple[str, ...] = ()
    uncertainty: Mapping[str, np.ndarray] = field(default_factory=dict)
    references: Mapping[str, Mapping[int, Reference]] = field(default_factory=dict)
    aorta: AorticRegion | None = None
    imaging: Imaging = UNKNOWN
    cadrads2: CadRads2 | None = None
    signs: Mapping[str, Mapping[int, Signs]] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """The long table: rows of the vessels, of territories, of the patient."""
        profile = self.records[0].profile if self.records else ""
        vessels = (row for record in self.records for row in record.rows())
        return (*vessels, *(row for record in self.rolled for row in record.rows(profile)))
