"""The whole way on one page: volume and centrelines in, Analysis out."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np

from inference import __version__
from inference.analysis import Analysis, Settings
from inference.centreline import Centreline
from inference.certainty.assess import Drawing, assess
from inference.certainty.intervals import calibration_of
from inference.certainty.least_wall import assume_least_wall
from inference.certainty.second_look import look_again
from inference.code_version import code_version
from inference.composition_profiles import profile_named
from inference.contours import VesselContours
from inference.contours.from_probabilities import contours_from_probabilities
from inference.doubts import Doubt
from inference.errors import CentrelineError, QuantificationError, RefusedScan
from inference.networks import VIEWS, arithmetic_of, load_network, segment, segment_smaller
from inference.networks.uncertainty import section_uncertainty
from inference.quantification import (
    AorticRegion,
    Imaging,
    Lesion,
    VesselRead,
    aortic_region,
    cadrads2_of_patient,
    find_lesions,
    lesion_references,
    lumen_attenuation,
    measure,
    outside,
    roll_up_records,
    sections_inside,
)
from inference.quantification.image_quality import image_quality
from inference.quantification.stents import REASON as STENT
from inference.quantification.stents import find_stents
from inference.scan import Volume
from inference.straightening import StraightenedVessel, straighten
from inference.vocabulary import TERRITORIES

STAGES = ("straighten", "segment", "contours", "quantify")
# Below the first no number would mean anything, below the second borders are uncertain: by hand, no figure was kept.
# Composition limits hold from 100 to 120 kVp (definitions).
LEAST_CONTRAST_HU = 180.0
WEAK_CONTRAST_HU = 250.0
USUAL_KVP = (100.0, 120.0)
NO_CALIBRATION = (
    "These weights were never calibrated: no number has an interval, and no lesion is told to be larger than those that the "
    "network learned from. `python -m inference calibrate` makes one."
)

Progress = Callable[[str, float], None]


def silent(stage: str, fraction: float) -> None:
    """Tell nobody."""


def analyse(
    volume: Volume,
    centrelines: Sequence[Centreline],
    *,
    settings: Settings | None = None,
    progress: Progress = silent,
    network: Any = None,
    doubts: Sequence[Doubt] = (),
) -> Analysis:
    """Segment and measure a scan along given centrelines.

    Parameters
    ----------
    volume : HU and geometry. centrelines : at least one path, LPS mm.
    settings : by default the served network, profile ``corrected``, lesions found.
    progress : called with (stage, 0…1); may raise to cancel.
    network : a loaded network with its card, (module, card); by default ``settings.model`` is loaded.
    doubts : of the centrelines, told before those of lesions. Where a main vessel was not found, the patient's CAD-RADS
        cannot be told below 50 %.

    Raises
    ------
    RefusedScan
        ``no-contrast``: the vessels are not filled with contrast; no number would mean anything.
    CentrelineError, StraighteningError
        No centreline, or one that leaves the scan.
    """
    if not centrelines:
        raise CentrelineError("no-centreline", "No centreline was given: nothing can be straightened.")
    settings = settings or Settings()
    profile = profile_named(settings.profile)
    timings: dict[str, float] = {}
    lap = _stopwatch(timings)
    vessels = []
    for i, line in enumerate(centrelines):
        progress("straighten", i / len(centrelines))
        vessels.append(straighten(volume, line))
    lap("straighten")
    warnings = list(volume.warnings) + _check_contrast(vessels) + _check_exposure(volume)

    module, card = network if network is not None else load_network(settings.model, device=settings.device)
    lap("load_network")
    arithmetic = arithmetic_of(settings.arithmetic, card.device)
    provenance = {
        "source": "network",
        "network": card.name,
        "weights_sha256": card.sha256,
        "views": str(len(VIEWS)),
        "arithmetic": arithmetic,
    }
    drawings = []
    for i, vessel in enumerate(vessels):
        progress("segment", i / len(vessels))
        known = None if settings.lesions is None else settings.lesions.get(vessel.vessel, ())
        drawings.append(_draw(vessel, known, module, provenance, lap))
        progress("contours", (i + 1) / len(vessels))
    contours = [drawing.contours for drawing in drawings]
    aorta = _aortic_region(volume, vessels, contours, warnings) if profile.adaptive else None
    imaging = _imaging(volume, vessels, contours, aorta, warnings)
    stents = find_stents(vessels)
    warnings += [_stent_warning(name, stretches) for name, stretches in stents.items()]
    reads, records = [], []
    for i, (vessel, drawn) in enumerate(zip(vessels, contours, strict=True)):
        progress("quantify", i / len(vessels))
        metal = tuple((start, end, STENT) for start, end in stents.get(vessel.vessel, ()))
        lesions = (
            outside(find_lesions(vessel, drawn), metal)
            if settings.lesions is None
            else tuple(settings.lesions.get(vessel.vessel, ()))
        )
        reads.append(VesselRead(vessel.vessel, drawn, lesions, metal))
        records.append(measure(vessel, reads[-1], profile, imaging=imaging))
    calibration = calibration_of(card.sha256)
    warnings += [] if calibration else [NO_CALIBRATION]
    how = "found" if settings.lesions is None else "given"
    assessed = assess(vessels, reads, records, drawings, calibration=calibration, how=how)
    rolled = roll_up_records(assessed.records)
    lap("quantify")
    progress("quantify", 1.0)
    return Analysis(
        vessels=tuple(vessels),
        reads=tuple(reads),
        records=assessed.records,
        rolled=tuple(rolled),
        timings=timings,
        versions={
            "inference": __version__,
            "code_version": code_version(),
            "model": card.name,
            "weights_sha256": card.sha256,
            "arithmetic": arithmetic,
            "device": str(card.device),
            "backend": card.backend,
            "profile": f"{profile.name}/{profile.version}",
            "volume_sha256": volume.content_sha256,
            "settings_sha256": settings.sha256,
            "python": platform.python_version(),
            **({"calibration": calibration.name} if calibration else {}),
            **imaging.as_versions(),
            **{name: metadata.version(name) for name in ("torch", "numpy", "scipy", "numba", "pydicom")},
        },
        warnings=tuple(warnings),
        uncertainty={v.vessel: drawing.uncertainty for v, drawing in zip(vessels, drawings, strict=True)},
        references={
            read.vessel: lesion_references(vessel, read) for vessel, read in zip(vessels, reads, strict=True)
        },
        aorta=aorta,
        imaging=imaging,
        cadrads2=cadrads2_of_patient(
            assessed.records,
            stent=bool(stents),
            nondiagnostic=any(d.code == "not_found" and d.vessel in TERRITORIES for d in doubts),
        ),
        signs=assessed.signs,
        doubts=(*doubts, *assessed.doubts),
    )


def _draw(
    vessel: StraightenedVessel,
    known: Sequence[Lesion] | None,
    module: Any,
    provenance: dict[str, str],
    lap: Callable[[str], None],
) -> Drawing:
    """Draw a vessel's contours at two scales, and assume the walls that can be seen at neither.

    known : lesions that somebody marked, None where they are to be found.
    """
    arithmetic = provenance["arithmetic"]
    extents = None if known is None else [(x.start_mm, x.end_mm) for x in known]
    maps = segment(vessel, module, extents=extents, arithmetic=arithmetic)
    lap("segment")
    given = sections_inside(vessel.sections, known or ())
    first = contours_from_probabilities(*maps, provenance, given_lesions=given)
    lap("contours")
    see = partial(segment_smaller, vessel, module, extents=extents, arithmetic=arithmetic)
    look, maps = look_again(vessel, maps, first, known, see)
    lap("segment")
    lesions = find_lesions(vessel, look.contours) if known is None else known
    contours, assumed = assume_least_wall(look.contours, lesions)
    lap("contours")
    return Drawing(contours, look, assumed, section_uncertainty(*maps))


def _stopwatch(timings: dict[str, float]) -> Callable[[str], None]:
    """Return what adds the seconds since it was last called to a stage's."""
    clock = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        timings[stage] = round(timings.get(stage, 0.0) + now - clock, 4)
        clock = now

    return lap


def _imaging(
    volume: Volume,
    vessels: Sequence[StraightenedVessel],
    contours: Sequence[VesselContours],
    aorta: AorticRegion | None,
    warnings: list[str],
) -> Imaging:
    """What is known of the image beside its HU; a warning where blur or noise could not be estimated."""
    quality = image_quality(volume, vessels, contours)
    warnings += quality.warnings
    kvp = volume.metadata.get("kvp")
    return Imaging(
        aortic_sd_hu=aorta.sd_hu if aorta else None,
        psf_plane_mm=quality.psf_plane_mm,
        psf_along_mm=quality.psf_along_mm,
        noise_sd_hu=quality.noise_sd_hu,
        noise_grain_mm=quality.noise_grain_mm,
        kvp=None if kvp is None else float(kvp),
    )


def _stent_warning(vessel: str, stretches: tuple[tuple[float, float], ...]) -> str:
    where = " and ".join(f"{start:.0f}–{end:.0f} mm" for start, end in stretches)
    return f"{vessel}: a stent at {where}. Its metal is not plaque: the stretch is left out of every measurement."


def _aortic_region(
    volume: Volume,
    vessels: Sequence[StraightenedVessel],
    contours: Sequence[VesselContours],
    warnings: list[str],
) -> AorticRegion | None:
    """The aortic region at the left-main ostium; None, with a warning, where it is not found."""
    instead = "the lumen's own spread stands for the aorta's noise in profile adaptive."
    for vessel, drawn in zip(vessels, contours, strict=True):
        if vessel.vessel != "LM":
            continue
        level = lumen_attenuation(vessel, drawn)[:33]
        if not np.isfinite(level).any():
            warnings.append(f"The left main is closed at its ostium: {instead}")
            return None
        try:
            return aortic_region(volume, vessel.centre[0], float(np.nanmedian(level)))
        except QuantificationError as error:
            warnings.append(f"{error} Therefore {instead}")
            return None
    warnings.append(f"There is no left main: {instead}")
    return None


def _check_contrast(vessels: Sequence[StraightenedVessel]) -> list[str]:
    """Refuse a scan whose vessels are not filled, and warn of weak filling. Returns warnings."""
    # Per section the brightest 3 % within 1.9 mm of the centre: a centreline that is 1 mm off still sees the lumen.
    levels = [
        np.percentile(v.hu[:: max(1, v.sections // 100), 26:38, 26:38], 97, axis=(1, 2)) for v in vessels
    ]
    level = float(np.median(np.concatenate(levels)))
    if level < LEAST_CONTRAST_HU:
        raise RefusedScan(
            "no-contrast",
            f"The median peak along the centrelines is {level:.0f} HU (at least {LEAST_CONTRAST_HU:.0f} HU is needed): the scan has "
            "no arterial contrast, or the centrelines do not lie in the vessels of this series. No numbers were made.",
        )
    if level < WEAK_CONTRAST_HU:
        return [
            f"Weak contrast: the median peak along the centrelines is {level:.0f} HU; plaque borders are uncertain."
        ]
    return []


def _check_exposure(volume: Volume) -> list[str]:
    kvp = volume.metadata.get("kvp")
    if kvp is None:
        return ["The tube voltage is not stated: composition limits are made for 100–120 kVp."]
    if not USUAL_KVP[0] <= float(kvp) <= USUAL_KVP[1]:
        return [
            f"{float(kvp):.0f} kVp: composition limits are made for 100–120 kVp; every composition is uncertain."
        ]
    return []
