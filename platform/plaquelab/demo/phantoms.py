"""The demonstration's phantom patients on disk: their DICOM files, stored points, and truth for simulated readers.

Everything follows from the seed, so whatever is missing is made again.
"""

from __future__ import annotations

import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings

from inference.centreline import read_centrelines, write_centrelines
from inference.phantom import generate, truth, write_dicom
from inference.phantom.phantom import displaced
from plaquelab.demo.plan import DISPLACEMENT_MM, Patient

if TYPE_CHECKING:
    from inference.centreline import Centreline
    from inference.quantification import VesselRead
    from inference.straightening import StraightenedVessel


@dataclass(frozen=True)
class Files:
    """Where a phantom patient's files lie."""

    folder: Path

    @property
    def dicom(self) -> Path:
        """The CT series as a scanner would send it."""
        return self.folder / "dicom"

    @property
    def centrelines(self) -> Path:
        """Stored points: the true centreline displaced by 1 mm, never the true one."""
        return self.folder / "centrelines.csv"

    @property
    def truth(self) -> Path:
        """The truth tables, from which simulated readers draw."""
        return self.folder / "truth.pickle"


def files_of(patient: Patient) -> Files:
    """Return where the patient's files lie or would lie."""
    return Files(Path(settings.DATA_DIR) / "demo" / patient.pseudonym)


def make(patient: Patient) -> Files:
    """Draw and scan the phantom, unless its files are there; they appear all at once or not at all."""
    files = files_of(patient)
    if files.truth.exists():
        return files

    phantom = generate(seed=patient.seed, scenario=settings.DEMONSTRATION_SCENARIO)
    part = files.folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    write_dicom(phantom, part / "dicom")
    write_centrelines(part / "centrelines.csv", phantom.stored_points(DISPLACEMENT_MM))
    (part / "truth.pickle").write_bytes(pickle.dumps(dict(phantom.vessels)))
    shutil.rmtree(files.folder, ignore_errors=True)
    part.rename(files.folder)
    return files


def forget_dicom(patient: Patient) -> None:
    """Erase the DICOM files once they were imported."""
    shutil.rmtree(files_of(patient).dicom, ignore_errors=True)


def forget(patient: Patient) -> None:
    """Erase all of a patient's files; they can be made again."""
    shutil.rmtree(files_of(patient).folder, ignore_errors=True)


def centrelines(patient: Patient) -> list[Centreline]:
    """Return the stored points."""
    return list(read_centrelines(make(patient).centrelines))


def second_operator(patient: Patient) -> list[Centreline]:
    """Return a second operator's centrelines: the true ones, displaced by 1 mm in another way."""
    rng = np.random.default_rng([patient.seed, 978])
    return [displaced(rng, table, DISPLACEMENT_MM) for table in _tables(patient).values()]


def _tables(patient: Patient) -> dict[str, Any]:
    # Our own file, made by `make` in a private folder.
    tables: dict[str, Any] = pickle.loads(make(patient).truth.read_bytes())  # noqa: S301  our own file
    return tables


def truth_read(patient: Patient, vessel: StraightenedVessel) -> VesselRead:
    """Return the true read of a vessel on the run's own straightening of it."""
    return truth.truth_read(_tables(patient)[vessel.vessel], vessel)
