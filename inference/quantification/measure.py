"""``measure``: one vessel and one read of it → its measurements. Nothing else makes a number of a vessel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inference.composition_profiles import CompositionProfile
from inference.errors import QuantificationError
from inference.grading import cadrads
from inference.quantification.calcium import calibration
from inference.quantification.composition import Composition, measure_composition, prepare
from inference.quantification.fat import fat_attenuation
from inference.quantification.imaging import UNKNOWN, Imaging
from inference.quantification.lesions import lesion_weights, mark_whole_wall
from inference.quantification.records import LesionRecord, StretchRecord, Value, VesselRecord
from inference.quantification.roll_up import worst_of
from inference.quantification.sections import Sections, measure_sections
from inference.quantification.stenosis import Reference, reference
from inference.quantification.types import Lesion, Measurement, VesselRead
from inference.section_grid import SPACING_ALONG
from inference.straightening import StraightenedVessel

VARIANTS = ("plaque", "wall_minus_lumen")
# Definitions, but for the volume that counts as low attenuation and the sections of a napkin ring: those were chosen by
# hand, and no figure was kept.
SHIFTS_MM = (0.0, -0.1, 0.1)
POSITIVE_REMODELLING = 1.1
LEAST_LOW_ATTENUATION_MM3 = 1.0
SPOTTY_MM = 3.0
NAPKIN_SECTIONS = 3
COMPONENTS = ("total", "noncalcified", "calcified", "low_attenuation")
FOUR = (
    ("necrotic_core_volume", "necrotic_core"),
    ("fibrofatty_volume", "fibrofatty"),
    ("fibrous_volume", "fibrous"),
    ("dense_calcium_volume", "calcified"),
)


@dataclass(frozen=True)
class _View:
    """Sections and composition with both contours moved by one distance; HU of 1 mg/cc calcium."""

    sections: Sections
    composition: Composition
    hu_per_mg_cc: float


def quantify(
    vessel: StraightenedVessel,
    read: VesselRead,
    profile: CompositionProfile,
    *,
    variant: str = "plaque",
    imaging: Imaging = UNKNOWN,
) -> list[Measurement]:
    """Measure one vessel and return its rows of the long table: the record that ``measure`` makes, as rows.

    Rows of level ``lesion``, ``vessel`` and ``segment`` (where segments are known). Parameters and errors are those of
    ``measure``.
    """
    return measure(vessel, read, profile, variant=variant, imaging=imaging).rows()


def measure(
    vessel: StraightenedVessel,
    read: VesselRead,
    profile: CompositionProfile,
    *,
    variant: str = "plaque",
    imaging: Imaging = UNKNOWN,
) -> VesselRecord:
    """Measure one vessel.

    Parameters
    ----------
    vessel : the straightened vessel. read : contours, lesions and excluded stretches of that vessel.
    profile : composition profile.
    variant : ``plaque``, the marked wall; or ``wall_minus_lumen``, everything between the contours inside lesions, as
        intravascular ultrasound counts it. The record's profile then reads ``<profile>/wall_minus_lumen``.
    imaging : what is known of the image. Without the aorta's noise the proximal lumen's spread stands for it in profile
        ``adaptive``; without a point spread the usual one is taken, without a tube voltage 120 kVp.

    Returns
    -------
    VesselRecord
        Lesions, the vessel, and its segments (where they are known). ``low`` and ``high`` span the value as drawn, with
        both contours 0.1 mm inwards, and with both 0.1 mm outwards.

    Raises
    ------
    QuantificationError
        The read is of another vessel or has another number of sections, or there is no such variant.
    """
    if variant not in VARIANTS:
        raise QuantificationError(
            "unknown-variant", f"There is no plaque variant “{variant}”; there are {', '.join(VARIANTS)}."
        )
    if variant == "wall_minus_lumen":
        read = replace(read, contours=mark_whole_wall(read.contours))
    if read.vessel != vessel.vessel or read.contours.sections != vessel.sections:
        raise QuantificationError(
            "not-this-vessel",
            f"The read is of {read.vessel} with {read.contours.sections} sections, "
            f"the vessel is {vessel.vessel} with {vessel.sections}.",
        )
    prepared = prepare(vessel, read.contours, profile, imaging)
    hu_per_mg_cc = calibration(imaging.kvp).hu_per_mg_cc
    views = [
        _View(
            measure_sections(vessel, read.contours, by),
            measure_composition(vessel, read.contours, profile, prepared, by),
            hu_per_mg_cc,
        )
        for by in SHIFTS_MM
    ]
    kept = kept_sections(vessel, read)
    lesions = tuple(
        _lesion(vessel, read, lesion, views, kept, prepared.lumen_hu, profile) for lesion in read.lesions
    )
    whole, *segments = _stretches(vessel, read, views, kept, profile, lesions)
    return VesselRecord(
        vessel=vessel.vessel,
        profile=profile.name if variant == "plaque" else f"{profile.name}/{variant}",
        lesions=lesions,
        whole=whole,
        segments=tuple(segments),
        pericoronary_fat_attenuation=fat_attenuation(vessel, read),
    )


def lesion_references(vessel: StraightenedVessel, read: VesselRead) -> dict[int, Reference]:
    """Return what each lesion (by number) is compared with: method, positions and values, as ``quantify`` finds them."""
    sections = measure_sections(vessel, read.contours)
    usable = (sections.lumen_area > 0) & (kept_sections(vessel, read) > 0)
    return {
        lesion.number: reference(
            vessel.arc_length,
            sections.lumen_diameter,
            sections.minimum_feret,
            sections.wall_area,
            lesion,
            read.lesions,
            usable,
        )
        for lesion in read.lesions
    }


def kept_sections(vessel: StraightenedVessel, read: VesselRead) -> np.ndarray:
    """Return 1 for every section that counts, 0 for excluded ones (S,)."""
    kept = np.ones(vessel.sections)
    for start, end, _ in read.excluded:
        kept[(vessel.arc_length >= start) & (vessel.arc_length <= end)] = 0.0
    return kept


def _spanned(seen: list[dict[str, float | None]]) -> dict[str, Value]:
    """Each metric's value as drawn, with the least and the greatest of all; neither where one is missing."""
    out = {}
    for metric, value in seen[0].items():
        numbers = [x for one in seen if (x := one[metric]) is not None]
        low, high = (min(numbers), max(numbers)) if len(numbers) == len(seen) else (None, None)
        out[metric] = Value(value, low, high)
    return out


def _volumes(view: _View, weight: np.ndarray, profile: CompositionProfile) -> dict[str, float]:
    """Integrate along the path with mm weights (S,): mm³, and mg of calcium."""
    total = float((view.sections.plaque_volume * weight).sum())
    calcified = min(float((view.composition.calcified * weight).sum()), total)
    out = {
        "total_plaque_volume": total,
        "noncalcified_plaque_volume": total - calcified,
        "calcified_plaque_volume": calcified,
        "low_attenuation_plaque_volume": min(
            float((view.composition.low_attenuation * weight).sum()), total - calcified
        ),
        # HU·mm³ over HU per mg/cc are µg.
        "calcified_plaque_mass": float((view.composition.calcium.hu * weight).sum())
        / view.hu_per_mg_cc
        / 1000,
        "calcified_plaque_volume_integrated": float((view.composition.calcium.volume * weight).sum()),
    }
    if profile.four_classes:
        out |= {metric: float((getattr(view.composition, name) * weight).sum()) for metric, name in FOUR}
    return out


def _with_burdens(
    values: dict[str, float], vessel_volume: float, lumen_volume: float
) -> dict[str, float | None]:
    out: dict[str, float | None] = {**values, "vessel_volume": vessel_volume, "lumen_volume": lumen_volume}
    for component in COMPONENTS:
        out[f"{component}_plaque_burden"] = (
            100 * values[f"{component}_plaque_volume"] / vessel_volume if vessel_volume > 0 else None
        )
    return out


def _lesion_values(
    view: _View,
    vessel: StraightenedVessel,
    read: VesselRead,
    lesion: Lesion,
    weight: np.ndarray,
    kept: np.ndarray,
    profile: CompositionProfile,
) -> tuple[dict[str, float | None], Reference, int]:
    at = vessel.arc_length
    volumes = _volumes(view, weight, profile)
    sections = view.sections
    values = _with_burdens(
        volumes, float((sections.wall_volume * weight).sum()), float((sections.lumen_volume * weight).sum())
    )
    inside = np.flatnonzero(weight > 0)
    area = sections.smooth_lumen_area
    worst = int(inside[np.argmin(area[inside])]) if len(inside) else 0
    usable = (sections.lumen_area > 0) & (kept > 0)
    ref = reference(
        at, sections.lumen_diameter, sections.minimum_feret, sections.wall_area, lesion, read.lesions, usable
    )
    mla = float(area[worst])
    mld = float(2 * np.sqrt(mla / np.pi))
    values |= {
        "minimal_luminal_area": mla,
        "minimal_luminal_diameter": mld,
        "reference_luminal_area": ref.area,
        "reference_luminal_diameter": ref.diameter,
        "diameter_stenosis": _narrowing(mld, ref.diameter),
        "diameter_stenosis_feret": _narrowing(float(sections.minimum_feret[worst]), ref.feret),
        "area_stenosis": _narrowing(mla, ref.area),
        "remodelling_index": float(sections.wall_area[worst] / ref.wall_area) if ref.wall_area else None,
    }
    return values, ref, worst


def _narrowing(value: float, against: float | None) -> float | None:
    return None if not against else max(0.0, 100 * (1 - value / against))


def _lesion(
    vessel: StraightenedVessel,
    read: VesselRead,
    lesion: Lesion,
    views: list[_View],
    kept: np.ndarray,
    attenuation: np.ndarray,
    profile: CompositionProfile,
) -> LesionRecord:
    weight = lesion_weights(vessel, lesion, kept)
    measured = [_lesion_values(view, vessel, read, lesion, weight, kept, profile) for view in views]
    seen = [values for values, _, _ in measured]
    _, ref, worst = measured[0]
    drop = _density_drop(views[0].sections, attenuation, weight, ref, vessel)
    features: float | None = float(_high_risk(seen[0], views[0], weight))
    inside = weight > 0
    if not inside.any():  # all of it lies in an excluded stretch: nothing is known of it
        seen, drop, features = [dict.fromkeys(seen[0])] * len(views), None, None
    occluded = bool((views[0].sections.lumen_area[inside] <= 0).any())
    stenosis = seen[0]["diameter_stenosis"]
    known = stenosis is not None or occluded
    return LesionRecord(
        vessel=vessel.vessel,
        segment=vessel.segment[worst],
        number=lesion.number,
        lesion_start=Value(lesion.start_mm),
        lesion_end=Value(lesion.end_mm),
        lesion_length=Value(lesion.end_mm - lesion.start_mm),
        contrast_density_difference=Value(drop),
        cadrads=Value(cadrads(stenosis or 0.0, occluded=occluded) if known else None),
        high_risk_features=Value(features),
        **_spanned(seen),
    )


def _density_drop(
    sections: Sections,
    attenuation: np.ndarray,
    weight: np.ndarray,
    ref: Reference,
    vessel: StraightenedVessel,
) -> float | None:
    """Largest drop of lumen attenuation per area against the proximal reference, % (never below 0)."""
    centre = ref.proximal_mm
    if centre is None:
        return None
    window = np.abs(vessel.arc_length - centre) <= 1.5
    density = np.where(sections.lumen_area > 0.3, attenuation / np.maximum(sections.lumen_area, 0.3), np.nan)
    inside = density[weight > 0]
    if not np.isfinite(density[window]).any() or not np.isfinite(inside).any():
        return None
    before = float(np.nanmedian(density[window]))
    return max(0.0, 100 * (1 - float(np.nanmin(inside)) / before)) if before > 0 else None


def _high_risk(values: dict[str, float | None], view: _View, weight: np.ndarray) -> int:
    """Count positive remodelling, low attenuation, spotty calcification (< 3 mm) and napkin-ring."""
    inside = weight > 0
    remodelling = (values["remodelling_index"] or 0.0) >= POSITIVE_REMODELLING
    low = (values["low_attenuation_plaque_volume"] or 0.0) >= LEAST_LOW_ATTENUATION_MM3
    calcium = (view.composition.calcified > 0.05) & inside
    runs = np.flatnonzero(np.diff(np.r_[False, calcium, False].astype(int)))
    lengths = (runs[1::2] - runs[::2]) * SPACING_ALONG
    spotty = bool(len(lengths)) and bool((lengths < SPOTTY_MM).all())
    ring = view.composition.napkin_ring & inside
    edges = np.flatnonzero(np.diff(np.r_[False, ring, False].astype(int)))
    napkin = bool(((edges[1::2] - edges[::2]) >= NAPKIN_SECTIONS).any())
    return int(remodelling) + int(low) + int(spotty) + int(napkin)


def _stretches(
    vessel: StraightenedVessel,
    read: VesselRead,
    views: list[_View],
    kept: np.ndarray,
    profile: CompositionProfile,
    lesions: Sequence[LesionRecord],
) -> list[StretchRecord]:
    """The whole vessel and each known segment: plaque of lesions over all analysed vessel.

    Stenosis, minimal luminal area, CAD-RADS and high-risk features are those of the worst lesion; a lesion counts in
    the segment where it is narrowest.
    """
    step = np.full(vessel.sections, SPACING_ALONG)
    step[[0, -1]] = SPACING_ALONG / 2
    analysed = step * kept
    diseased = np.zeros(vessel.sections)
    for lesion in read.lesions:
        diseased = np.maximum(diseased, lesion_weights(vessel, lesion, kept))
    names = np.array(vessel.segment)
    stretches: list[tuple[str, str, np.ndarray]] = [("vessel", "", np.ones(vessel.sections, bool))]
    stretches += [("segment", str(s), names == s) for s in dict.fromkeys(names[names != ""])]
    out = []
    for level, segment, here in stretches:
        seen = []
        for view in views:
            values = _with_burdens(
                _volumes(view, diseased * here, profile),
                float((view.sections.wall_volume * analysed * here).sum()),
                float((view.sections.lumen_volume * analysed * here).sum()),
            )
            values["percent_atheroma_volume"] = values["total_plaque_burden"]
            seen.append(values)
        mine = [lesion for lesion in lesions if level == "vessel" or lesion.segment == segment]
        out.append(
            StretchRecord(
                level=level, vessel=vessel.vessel, segment=segment, **_spanned(seen), **worst_of(mine)
            )
        )
    return out
