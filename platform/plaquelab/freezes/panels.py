"""Case panels of a freeze, drawn from stored artefacts: curved reformation, composition along the vessel, section.

For each final case the vessel with its worst lesion is shown, as the final read drew it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

from inference.quantification import Lesion, VesselRead, composition_map, measure_sections
from inference.report.views import along as cut
from inference.report.views import curved as reformation
from inference.report.views import grey
from inference.rounding import printed, written
from inference.section_grid import PIXELS, SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel
from inference.vocabulary import METRICS
from plaquelab.analysis.models import ContourSet, Measurement
from plaquelab.analysis.selectors import load_vessel, vessel_read
from plaquelab.freezes.gathering import Case
from plaquelab.imaging.selectors import volume_of
from plaquelab.reading.measuring import composition_profile, imaging_of

MOST_CASES = 24
ZOOM_CURVED, ZOOM_SECTIONS, ZOOM_ALONG = 3, 2, 4
ZOOM_SECTION = 6
LUMEN, WALL = (244, 162, 97), (72, 191, 227)
COMPOSITION = {1: (181, 23, 158), 2: (214, 40, 40), 3: (255, 214, 10)}
TINT = 0.55


@dataclass(frozen=True)
class Shown:
    """The vessel of a case that is shown, and its worst lesion."""

    case: Case
    contour_set: ContourSet
    lesion: int
    stenosis: float


def draw(
    cases: Sequence[Case], *, progress: Callable[[str, float], None]
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Return rows of the table ``panels`` and their pictures (PNG), of at most 24 final cases, the narrowest first."""
    shown = [found for case in cases if (found := _worst(case)) is not None]
    shown.sort(key=lambda found: (-found.stenosis, found.case.patient))
    rows: list[dict[str, Any]] = []
    pictures: dict[str, bytes] = {}
    chosen = shown[:MOST_CASES]
    for n, found in enumerate(chosen):
        progress("panels", n / len(chosen))
        vessel = load_vessel(found.contour_set.vessel)
        read = vessel_read(found.contour_set)
        for kind, caption, picture in _three(found, vessel, read):
            file = f"{found.case.patient}-{vessel.vessel}-{kind}.png"
            pictures[file] = picture
            rows.append(
                {
                    "file": file,
                    "patient": found.case.patient,
                    "vessel": vessel.vessel,
                    "lesion": found.lesion,
                    "kind": kind,
                    "caption": caption,
                }
            )
    return rows, pictures


def _worst(case: Case) -> Shown | None:
    if case.final is None or case.run is None or case.subject.cohort is None:
        return None
    worst = (
        Measurement.objects.filter(
            revision=case.final.owner[1], level="lesion", metric="diameter_stenosis", value__isnull=False
        )
        .order_by("-value", "vessel", "lesion")
        .first()
    )
    if worst is None or worst.value is None or worst.lesion is None:
        return None
    sets = ContourSet.objects.filter(revisions=case.final.owner[1], vessel__name=worst.vessel)
    found = sets.select_related("vessel__run").prefetch_related("lesions").first()
    return None if found is None else Shown(case, found, worst.lesion, worst.value)


def _three(found: Shown, vessel: StraightenedVessel, read: VesselRead) -> list[tuple[str, str, bytes]]:

    lesion = next(x for x in read.lesions if x.number == found.lesion)
    row = found.contour_set.vessel
    profile = (
        str(found.case.case.charter.rules.get("profile", "corrected")) if found.case.case else "corrected"
    )
    composition = composition_map(vessel, read, composition_profile(profile), imaging_of(row))
    place = f"{found.case.patient}, {vessel.vessel}, lesion {found.lesion}"
    narrowest = narrowest_section(vessel, read, lesion)
    return [
        (
            "curved_reformation",
            f"{place}: curved planar reformation; the lesion lies between the marks.",
            _png(curved(found.case, vessel, lesion)),
        ),
        (
            "composition_overlay",
            f"{place}: along the straightened vessel, plaque by composition ({profile}): low-attenuation violet, "
            "non-calcified red, calcified yellow.",
            _png(along(vessel, composition)),
        ),
        (
            "vessel",
            f"{place}: section at the smallest lumen ({printed(narrowest * SPACING_ALONG, 1)} mm), lumen orange, outer wall blue; "
            f"diameter stenosis {written(METRICS['diameter_stenosis'], found.stenosis)} %.",
            _png(section(vessel, read, narrowest)),
        ),
    ]


def _png(picture: np.ndarray) -> bytes:
    """(rows, columns, 3) uint8 → PNG."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", optimize=True)
    return out.getvalue()


def narrowest_section(vessel: StraightenedVessel, read: VesselRead, lesion: Lesion) -> int:
    """Return the section of the smallest lumen inside a lesion."""
    area = measure_sections(vessel, read.contours).smooth_lumen_area
    inside = np.flatnonzero((vessel.arc_length >= lesion.start_mm) & (vessel.arc_length <= lesion.end_mm))
    return int(inside[np.argmin(area[inside])]) if len(inside) else int(np.argmin(area))


def curved(case: Case, vessel: StraightenedVessel, lesion: Lesion) -> np.ndarray:
    """Return the curved reformation with a mark at both ends of the lesion, (rows, columns, 3) uint8."""
    view = reformation(volume_of(case.exam), vessel)
    image = Image.fromarray(np.repeat(grey(view.hu)[:, :, None], 3, axis=2))
    image = image.resize((image.width * ZOOM_CURVED, image.height * ZOOM_CURVED), Image.Resampling.BICUBIC)
    line = view.line * ZOOM_CURVED
    pen = ImageDraw.Draw(image)
    for position in (lesion.start_mm, lesion.end_mm):
        at = min(round(position / SPACING_ALONG), len(line) - 1)
        before, after = line[max(at - 3, 0)], line[min(at + 3, len(line) - 1)]
        across = np.array([-(after - before)[1], (after - before)[0]])
        length = float(np.hypot(*across)) or 1.0
        for side in (-1, 1):
            ends = [line[at] + side * across / length * reach * ZOOM_CURVED for reach in (8.0, 16.0)]
            pen.line([tuple(float(x) for x in end) for end in ends], fill=WALL, width=3)
    return np.asarray(image)


def along(vessel: StraightenedVessel, composition: np.ndarray) -> np.ndarray:
    """Return the cut along the vessel with plaque tinted by composition, (rows, columns, 3) uint8.

    Parameters
    ----------
    composition : (S, 64, 64) of 0 none, 1 low-attenuation, 2 non-calcified, 3 calcified.
    """
    middle = composition.shape[1] // 2
    shades = Image.fromarray(grey(cut(vessel, 0)))
    size = (shades.width * ZOOM_SECTIONS, shades.height * ZOOM_ALONG)
    smooth = np.asarray(shades.resize(size, Image.Resampling.BICUBIC))
    picture = np.repeat(smooth[:, :, None], 3, axis=2).astype(np.float32)
    tint = composition[:, middle - 1 : middle + 1].max(1).T
    tint = tint.repeat(ZOOM_ALONG, axis=0).repeat(ZOOM_SECTIONS, axis=1)
    for code, colour in COMPOSITION.items():
        here = tint == code
        picture[here] = (1 - TINT) * picture[here] + TINT * np.array(colour, np.float32)
    return picture.astype(np.uint8)


def section(vessel: StraightenedVessel, read: VesselRead, number: int) -> np.ndarray:
    """Return one section with lumen and outer wall, (rows, columns, 3) uint8."""
    image = Image.fromarray(np.repeat(grey(vessel.hu[number])[:, :, None], 3, axis=2))
    image = image.resize((PIXELS * ZOOM_SECTION, PIXELS * ZOOM_SECTION), Image.Resampling.BICUBIC)
    contours = read.contours
    if number in contours.masks:
        return _masked(np.array(image), contours.masks[number])
    pen = ImageDraw.Draw(image)
    angle = np.arange(contours.lumen_radius.shape[1]) * (2 * np.pi / contours.lumen_radius.shape[1])
    for radius, colour in ((contours.lumen_radius[number], LUMEN), (contours.wall_radius[number], WALL)):
        x = (PIXELS / 2 + radius / SPACING_ACROSS * np.cos(angle)) * ZOOM_SECTION
        y = (PIXELS / 2 + radius / SPACING_ACROSS * np.sin(angle)) * ZOOM_SECTION
        points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        pen.line([*points, points[0]], fill=colour, width=2)
    return np.asarray(image)


def _masked(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw the edges of a section's label mask (64, 64), which overrules its radii."""
    for inside, colour in ((mask == 1, LUMEN), (mask > 0, WALL)):
        large = inside.repeat(ZOOM_SECTION, axis=0).repeat(ZOOM_SECTION, axis=1)
        picture[large & ~binary_erosion(large, iterations=2)] = np.array(colour, np.uint8)
    return picture
