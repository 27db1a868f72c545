"""What a reader can do to one vessel, as pure functions: the same commands on the same base give the same bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.rounding import printed
from inference.section_grid import SPACING_ALONG
from plaquelab.reading.errors import EditError

if TYPE_CHECKING:
    from inference.contours import VesselContours
    from inference.quantification import Lesion, NormalWall, VesselRead

SMALLEST_LESION_MM = 0.6
LARGEST_DELTA_MM = 9.6
# Where a drag's Gaussian is felt; beyond it marks stay as they are (as masks do in ``move_contour``).
_FELT = 0.01


def _number(
    command: Mapping[str, Any], name: str, low: float, high: float, default: float | None = None
) -> float:
    value = command.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise EditError(f"“{name}” must be a number.")
    if not low <= value <= high:
        raise EditError(f"“{name}” is {value:g}: it must lie between {low:g} and {high:g}.")
    return float(value)


def _whole(command: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = command.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise EditError(f"“{name}” must be a whole number between {low} and {high}.")
    return value


def normalised(command: Mapping[str, Any], *, sections: int, length_mm: float) -> dict[str, Any]:
    """Check a person's command against the vessel and return it as it is stored.

    Parameters
    ----------
    command : as the viewer's API documents it; not ``undo``, ``redo``, ``mark_reviewed`` or ``replace``.
    sections, length_mm : of the vessel.

    Raises
    ------
    EditError
        The type is unknown, or a value is missing or out of range.
    """
    kind = command.get("type")
    if kind == "move_contour":
        which = command.get("which")
        if which not in ("lumen", "wall"):
            raise EditError("“which” must be “lumen” or “wall”.")
        return {
            "type": kind,
            "which": which,
            "section": _whole(command, "section", 0, sections - 1),
            "angle_rad": _number(command, "angle_rad", -20.0, 20.0),
            "delta_mm": _number(command, "delta_mm", -LARGEST_DELTA_MM, LARGEST_DELTA_MM),
            "width_sections": _number(command, "width_sections", 0.1, 100.0, 4.0),
            "width_rad": _number(command, "width_rad", 0.05, 20.0, 0.5),
        }
    if kind in ("add_lesion", "set_lesion"):
        start = _number(command, "start_mm", -1.0, length_mm + 1.0)
        end = _number(command, "end_mm", -1.0, length_mm + 1.0)
        start, end = max(start, 0.0), min(end, length_mm)
        if end - start < SMALLEST_LESION_MM:
            raise EditError(f"A lesion must end at least {SMALLEST_LESION_MM} mm after its start.")
        made = {"type": kind, "start_mm": start, "end_mm": end}
        if kind == "set_lesion":
            made["number"] = _whole(command, "number", 1, 999)
            for name in ("proximal_reference_mm", "distal_reference_mm"):
                if name in command:
                    given = command[name]
                    made[name] = None if given is None else _number(command, name, 0.0, length_mm)
        return made
    if kind == "remove_lesion":
        return {"type": kind, "number": _whole(command, "number", 1, 999)}
    raise EditError(f"There is no command “{kind}”.")


def apply(
    read: VesselRead,
    command: Mapping[str, Any],
    *,
    normal_wall: NormalWall,
    load_replacement: Callable[[int], VesselRead],
) -> VesselRead:
    """Return the vessel after one stored command.

    A drag judges the plaque marks anew where it is felt; a changed lesion, where its extent changed. Elsewhere
    the marks stay what they were.

    Raises
    ------
    EditError
        A lesion does not exist, or would overlap another.
    """
    from inference.contours import move_contour  # noqa: PLC0415  loads SciPy and numba, which few pages need

    kind = command["type"]
    if kind == "replace":
        return load_replacement(command["contour_set"])
    if kind == "move_contour":
        moved = move_contour(
            read.contours,
            which=command["which"],
            section=command["section"],
            angle_rad=command["angle_rad"],
            delta_mm=command["delta_mm"],
            width_sections=command["width_sections"],
            width_rad=command["width_rad"],
        )
        reach = command["width_sections"] * math.sqrt(-2 * math.log(_FELT))
        first, last = command["section"] - reach, command["section"] + reach
        return replace(read, contours=_marked(moved, read.lesions, normal_wall, [(first, last)]))
    lesions, changed = _lesions(read.lesions, command)

    # A lesion reaches half a section beyond its ends (``mark_plaque``).
    stretches = [(start / SPACING_ALONG - 0.5, end / SPACING_ALONG + 0.5) for start, end in changed]
    return replace(read, lesions=lesions, contours=_marked(read.contours, lesions, normal_wall, stretches))


def _marked(
    contours: VesselContours,
    lesions: tuple[Lesion, ...],
    normal_wall: NormalWall,
    stretches: list[tuple[float, float]],
) -> VesselContours:
    """Judge the plaque marks anew in the sections of ``stretches`` (section index, ends included)."""
    from inference.quantification import mark_plaque  # noqa: PLC0415  loads SciPy and numba, which few pages need

    index = np.arange(contours.sections)
    touched = np.zeros(contours.sections, bool)
    for first, last in stretches:
        touched |= (index >= first) & (index <= last)
    if not touched.any():
        return contours
    fresh = mark_plaque(contours, lesions, normal_wall)
    return replace(contours, plaque=np.where(touched[:, None], fresh.plaque, contours.plaque))


def _lesions(
    lesions: tuple[Lesion, ...], command: Mapping[str, Any]
) -> tuple[tuple[Lesion, ...], list[tuple[float, float]]]:
    """Return the lesions after a command, and the stretches (mm) whose membership in a lesion may have changed."""
    from inference.quantification import Lesion  # noqa: PLC0415  loads SciPy and numba, which few pages need

    kind = command["type"]
    by_number = {lesion.number: lesion for lesion in lesions}
    if kind == "add_lesion":
        made = Lesion(number=len(lesions) + 1, start_mm=command["start_mm"], end_mm=command["end_mm"])
        return _ordered([*lesions, made]), [(made.start_mm, made.end_mm)]
    old = by_number.pop(command["number"], None)
    if old is None:
        raise EditError(f"There is no lesion {command['number']} on this vessel.")
    if kind == "remove_lesion":
        return _ordered(list(by_number.values())), [(old.start_mm, old.end_mm)]
    new = replace(
        old,
        start_mm=command["start_mm"],
        end_mm=command["end_mm"],
        proximal_reference_mm=command.get("proximal_reference_mm", old.proximal_reference_mm),
        distal_reference_mm=command.get("distal_reference_mm", old.distal_reference_mm),
    )
    changed = [tuple(sorted(pair)) for pair in ((old.start_mm, new.start_mm), (old.end_mm, new.end_mm))]
    stretches = [(low, high) for low, high in changed if low < high]
    if new.start_mm > old.end_mm or new.end_mm < old.start_mm:
        stretches = [(old.start_mm, old.end_mm), (new.start_mm, new.end_mm)]
    return _ordered([*by_number.values(), new]), stretches


def _extent(lesion: Lesion) -> str:
    return f"{printed(lesion.start_mm, 1)}–{printed(lesion.end_mm, 1)} mm"


def _ordered(lesions: list[Lesion]) -> tuple[Lesion, ...]:
    """Number the lesions from 1 along the path; they must not overlap."""
    lesions = sorted(lesions, key=lambda lesion: lesion.start_mm)
    for before, after in pairwise(lesions):
        if after.start_mm < before.end_mm:
            raise EditError(
                f"The lesions {_extent(before)} and {_extent(after)} overlap: shorten or remove one of them."
            )
    return tuple(replace(lesion, number=n) for n, lesion in enumerate(lesions, start=1))
