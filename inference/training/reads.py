"""Training data of a lab's own: signed expert reads, exported by the platform as one folder.

``reads.json`` names the vessels; each has its straightened images (``StraightenedVessel``) and what the expert drew on
them (``VesselContours``), both checked by their hash. Only vessels that an expert drew belong here: a network that
learns from its own output learns nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.contours import ANGLES, VesselContours
from inference.errors import InferenceError
from inference.section_grid import MIDDLE, PIXELS, SPACING_ACROSS
from inference.straightening import StraightenedVessel

from .data import CachedVessel

FORMAT = 1  # of reads.json
SUBSAMPLES = 3  # a pixel and axis


@dataclass(frozen=True)
class ExportedRead:
    """One vessel of the folder: a pseudonym that is the patient's in this folder alone, files, and their hashes."""

    patient: str
    vessel: str
    images: str
    images_sha256: str
    contours: str
    contours_sha256: str
    simulated: bool


def write_reads(
    folder: Path, reads: Iterable[tuple[str, StraightenedVessel, VesselContours, bool]]
) -> list[ExportedRead]:
    """Write (patient, vessel, contours, simulated) as a new folder; the description appears last.

    Raises InferenceError ``reads-exist`` where the folder already holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InferenceError("reads-exist", "the folder is not empty; name a new one", where=folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for n, (patient, vessel, contours, simulated) in enumerate(reads, 1):
        images, drawn = vessel.to_bytes(), contours.to_bytes()
        row = ExportedRead(
            patient=patient,
            vessel=vessel.vessel,
            images=f"{n:05d}-images.npz",
            images_sha256=hashlib.sha256(images).hexdigest(),
            contours=f"{n:05d}-contours.npz",
            contours_sha256=hashlib.sha256(drawn).hexdigest(),
            simulated=simulated,
        )
        (folder / row.images).write_bytes(images)
        (folder / row.contours).write_bytes(drawn)
        rows.append(row)
    part = folder / "reads.part"
    part.write_text(json.dumps({"format": FORMAT, "vessels": [asdict(r) for r in rows]}, indent=1) + "\n")
    os.replace(part, folder / "reads.json")
    return rows


def load_reads(folder: Path) -> list[CachedVessel]:
    """The vessels of an exported folder as training data.

    Raises
    ------
    InferenceError
        ``reads-missing``: no ``reads.json``; ``reads-damaged``: a file is not what was exported, or does not fit.
    """
    about = folder / "reads.json"
    if not about.exists():
        raise InferenceError(
            "reads-missing", "there is no reads.json; export reads into this folder first", where=folder.name
        )
    try:
        described = json.loads(about.read_text())
        rows = [ExportedRead(**row) for row in described["vessels"]]
        known = described["format"] == FORMAT
    except (ValueError, TypeError, KeyError) as error:
        raise InferenceError(
            "reads-damaged", f"reads.json cannot be understood: {error}", where=about.name
        ) from error
    if not known:
        raise InferenceError("reads-damaged", f"format {described['format']} is not known", where=about.name)
    names = sorted({row.patient for row in rows})
    out = []
    for row in rows:
        vessel = StraightenedVessel.from_bytes(_checked(folder, row.images, row.images_sha256))
        contours = VesselContours.from_bytes(_checked(folder, row.contours, row.contours_sha256))
        if contours.sections != len(vessel.hu):
            raise InferenceError(
                "reads-damaged",
                f"{row.vessel} has {len(vessel.hu)} sections, its contours {contours.sections}",
                where=row.contours,
            )
        out.append(
            CachedVessel(
                patient=names.index(row.patient),
                name=row.vessel,
                hu=np.asarray(vessel.hu, np.int16),
                soft=soft_shares(contours),
            )
        )
    return out


def split(vessels: list[CachedVessel], held_out: float) -> tuple[list[CachedVessel], list[CachedVessel]]:
    """Vessels to train on and to validate on, by patient; the same patients fall the same way every time.

    ``held_out`` is the share of patients that is kept away, rounded, at least one of two or more.
    """
    patients = sorted({v.patient for v in vessels})
    order = sorted(patients, key=lambda p: hashlib.sha256(f"held out {p}".encode()).digest())
    count = 0 if len(patients) < 2 else max(1, round(held_out * len(patients)))
    away = set(order[:count])
    return [v for v in vessels if v.patient not in away], [v for v in vessels if v.patient in away]


def soft_shares(contours: VesselContours) -> NDArray[np.uint8]:
    """(S, 3, 64, 64) 255 × share of each pixel inside outer wall, lumen and plaque, from nine points a pixel."""
    fine = (np.arange(PIXELS * SUBSAMPLES) + 0.5) / SUBSAMPLES - 0.5 - MIDDLE
    u, v = np.meshgrid(fine * SPACING_ACROSS, fine * SPACING_ACROSS)
    radius = np.hypot(u, v)
    place = np.mod(np.arctan2(v, u), 2 * np.pi) / (2 * np.pi) * ANGLES
    low = place.astype(int) % ANGLES
    share = (place - place.astype(int)).astype(np.float32)
    high, nearest = (low + 1) % ANGLES, np.rint(place).astype(int) % ANGLES
    out = np.empty((contours.sections, 3, PIXELS, PIXELS), np.uint8)

    def pixels(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
        blocks = inside.reshape(PIXELS, SUBSAMPLES, PIXELS, SUBSAMPLES)
        return np.asarray(np.rint(blocks.mean((1, 3)) * 255).astype(np.uint8))

    for s in range(contours.sections):
        if s in contours.masks:
            mask = contours.masks[s]
            for n, inside in enumerate((mask > 0, mask == 1, mask == 3)):
                out[s, n] = inside * np.uint8(255)
            continue
        wall, lumen = contours.wall_radius[s], contours.lumen_radius[s]
        in_wall = radius < (1 - share) * wall[low] + share * wall[high]
        in_lumen = radius < (1 - share) * lumen[low] + share * lumen[high]
        out[s, 0], out[s, 1] = pixels(in_wall), pixels(in_lumen)
        out[s, 2] = pixels(in_wall & ~in_lumen & contours.plaque[s][nearest])
    return out


def _checked(folder: Path, name: str, sha256: str) -> bytes:
    path = folder / Path(name).name
    if not path.exists():
        raise InferenceError("reads-damaged", f"{name} is missing; export the reads again", where=name)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InferenceError(
            "reads-damaged", f"{name} is not what was exported; export the reads again", where=name
        )
    return data
