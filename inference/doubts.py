"""What makes a number doubtful, in codes with words: of a scan, a vessel, a stretch of it, or a lesion.

A kind of doubt is added in ``DOUBTS`` and nowhere else: files, pages and reports read its sentence from there. Which doubts
a scan, a vessel or a lesion has is decided where it is measured; a doubt changes no number and takes none away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from inference.vocabulary import VESSELS

About = Literal["scan", "vessel", "lesion"]


@dataclass(frozen=True)
class DoubtKind:
    """A kind of doubt.

    Parameters
    ----------
    about : what it is told of; a doubt of a lesion may also be told of a stretch of its vessel.
    sentence : for people: what is doubtful, and what to do. unit : of ``Doubt.measure``, empty where there is none.
    """

    about: About
    sentence: str
    unit: str = ""


DOUBTS: Mapping[str, DoubtKind] = {
    # of lesions, and of stretches of a vessel
    "scales_disagree": DoubtKind(
        "lesion", "Seen smaller, the network draws another outer wall: compare both and correct it.", "%"
    ),
    "no_border_contrast": DoubtKind(
        "lesion", "Plaque and what lies behind it have the same HU: the outer wall cannot be seen there.", "%"
    ),
    "wall_assumed": DoubtKind(
        "lesion", "The outer wall could not be seen: it is assumed from the vessel beside. Correct it.", "%"
    ),
    "branch_inside": DoubtKind(
        "lesion", "A branch leaves here: its wall may be counted as plaque of this vessel."
    ),
    "calcium_hides_lumen": DoubtKind(
        "lesion", "Calcium hides the lumen: the stenosis may be told too severe.", "%"
    ),
    "size_outside_training": DoubtKind(
        "lesion", "The vessel is wider or the wall thicker than any that the network learned from.", "mm"
    ),
    "noise_outside_training": DoubtKind(
        "lesion", "The scan is noisier than any that the network learned from.", "HU"
    ),
    "stent_near": DoubtKind("lesion", "A stent lies near: its metal brightens what is beside it.", "mm"),
    "centreline_unsure": DoubtKind(
        "lesion", "The centreline is not sure to lie in the vessel: look at it before its numbers are used."
    ),
    # of vessels: what was found, and under which name
    "not_found": DoubtKind(
        "vessel", "Not found, hence not annotated: nothing is known of its plaque. Add it if it is there."
    ),
    "ends_early": DoubtKind("vessel", "It ends sooner than such a vessel does: extend it if it goes on.", "mm"),
    "leaves_scan": DoubtKind("vessel", "It leaves the scan: what lies beyond was not measured."),
    "name_unsure": DoubtKind("vessel", "Another name or way fits nearly as well: check which vessel it is.", "% speak for this one"),
    "unnamed_branch": DoubtKind(
        "vessel", "A branch without a name was found here and not measured: name it if it matters.", "mm"
    ),
    "widens": DoubtKind(
        "vessel", "The vessel widens along its way, as no artery does: the line may have changed vessels.", "mm"
    ),
    "brightens": DoubtKind(
        "vessel", "Contrast brightens along its way, as in no artery: the line may have changed vessels.", "HU"
    ),
    "unlikely_course": DoubtKind(
        "vessel", "Length or direction do not fit the rest of the tree: check the way and the name."
    ),
    # of vessels: centrelines that a person or another program gave
    "turned_round": DoubtKind("vessel", "The given line ended at the aorta: it was turned round."),
    "spur_cut": DoubtKind("vessel", "The given line ran a short way there and back: that was cut out.", "mm"),
    "given_gap": DoubtKind("vessel", "Two points of the given line lie far apart: what is between is a guess.", "mm"),
    "shared_start": DoubtKind(
        "vessel", "The given line began on another one: it was cut to begin where it leaves that one.", "mm"
    ),
    "too_wide": DoubtKind(
        "vessel", "Wider than a coronary artery: the aorta, a chamber or an aneurysm. Check it before use.", "mm"
    ),
    "off_ostium": DoubtKind("vessel", "The given line begins neither at the aorta nor at another vessel.", "mm"),
    "outside_lumen": DoubtKind("vessel", "Part of the given line lies outside any contrast-filled lumen.", "%"),
    # of the scan
    "heart_unusual": DoubtKind("scan", "The heart does not lie as hearts do: check orientation and names."),
    "unexplained_vessel": DoubtKind(
        "scan", "A contrast-filled vessel lies beside the tree that no line follows: add it if it is an artery.", "mm"
    ),
    "dominance_unknown": DoubtKind(
        "scan", "Which artery feeds the back of the heart is not known: posterior names may be wrong."
    ),
}  # fmt: skip
"""Every kind by its code; the codes are stored and stay."""


@dataclass(frozen=True)
class Doubt:
    """One doubt.

    Parameters
    ----------
    code : one of ``DOUBTS``. vessel : path name; empty for the scan.
    lesion : number along the vessel. start_mm, end_mm : the stretch that is meant, mm from the vessel's first point.
    measure : how much, in the kind's unit. detail : what the kind's sentence cannot know, a sentence of its own.
    place : (x, y, z) LPS mm, where no vessel's line tells it.

    Raises
    ------
    ValueError
        An unknown code or vessel, a lesion without a vessel, a stretch that ends before it begins.
    """

    code: str
    vessel: str = ""
    lesion: int | None = None
    start_mm: float | None = None
    end_mm: float | None = None
    measure: float | None = None
    detail: str = ""
    place: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.code not in DOUBTS:
            raise ValueError(f"“{self.code}” is not a code of a doubt.")
        if self.vessel and self.vessel not in VESSELS:
            raise ValueError(f"“{self.vessel}” is not one of {', '.join(VESSELS)}.")
        if self.lesion is not None and not self.vessel:
            raise ValueError(f"{self.code}: a lesion is one of a vessel.")
        if (self.start_mm is None) != (self.end_mm is None):
            raise ValueError(f"{self.code}: a stretch has both ends, or none.")
        if self.start_mm is not None and self.end_mm is not None and self.end_mm < self.start_mm:
            raise ValueError(f"{self.code}: {self.start_mm}–{self.end_mm} mm is not a stretch.")

    @property
    def kind(self) -> DoubtKind:
        """What is true of every doubt of this code."""
        return DOUBTS[self.code]

    @property
    def where(self) -> str:
        """``LAD, lesion 2, 12–24 mm``; empty for the whole scan."""
        parts = [self.vessel] if self.vessel else []
        if self.lesion is not None:
            parts.append(f"lesion {self.lesion}")
        if self.start_mm is not None:
            parts.append(f"{self.start_mm:.0f}–{self.end_mm:.0f} mm")
        if self.place is not None:
            parts.append("at x {:.0f}, y {:.0f}, z {:.0f} mm".format(*self.place))
        return ", ".join(parts)

    @property
    def message(self) -> str:
        """The whole sentence for a person, with the place and how much."""
        much = (
            f" ({self.measure:.3g} {self.kind.unit})" if self.measure is not None and self.kind.unit else ""
        )
        told = f"{self.kind.sentence[:-1]}{much}." + (f" {self.detail}" if self.detail else "")
        return f"{self.where}: {told}" if self.where else told

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON keeps: the fields, and the words as they were told."""
        fields = asdict(self)
        fields["place"] = None if self.place is None else [round(x, 2) for x in self.place]
        for name in ("start_mm", "end_mm", "measure"):
            fields[name] = None if fields[name] is None else round(float(fields[name]), 3)
        return {**fields, "message": self.message}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Doubt:
        """Return the doubt that ``to_dict`` wrote; the words are those of today."""
        place = fields.get("place")
        given = {name: value for name, value in fields.items() if name not in ("message", "place")}
        return cls(**given, place=None if place is None else (place[0], place[1], place[2]))


def told(doubts: Sequence[Doubt]) -> tuple[str, ...]:
    """Return what a person is told in lines: each doubt in words, branches without a name in one line together."""
    branches = [doubt for doubt in doubts if doubt.code == "unnamed_branch"]
    lines = [doubt.message for doubt in doubts if doubt.code != "unnamed_branch"]
    if len(branches) == 1:
        lines.append(branches[0].message)
    elif branches:
        places = ", ".join(
            f"{doubt.vessel or 'the aorta'} at {doubt.start_mm or 0.0:.0f} mm ({doubt.measure or 0.0:.0f} mm long)"
            for doubt in branches
        )
        lines.append(
            f"{len(branches)} branches without a name were found and not measured: {places}. Name those that matter."
        )
    return tuple(lines)
