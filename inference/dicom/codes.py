"""Coded concepts: DICOM (DCM), SNOMED CT (SCT) and UCUM where they have one, else our own scheme ``99PLAQUELAB``.

``docs/dicom.md`` publishes the scheme's dictionary. Code values are never used again for another meaning; a change of a
meaning raises ``SCHEME_VERSION``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.sr.coding import Code

from inference.composition_profiles import PROFILES
from inference.vocabulary import METRICS as VOCABULARY
from inference.vocabulary import OWN_SCHEME, SEGMENTS, VESSELS, Coded

SCHEME = OWN_SCHEME
SCHEME_NAME = "Plaquelab coronary plaque codes"
SCHEME_VERSION = "1"


def own(value: str, meaning: str) -> Code:
    """Return a code of our own scheme."""
    return Code(value, SCHEME, meaning)


@dataclass(frozen=True)
class Concept:
    """What a metric is called in a report: a name, and where the name alone does not say it a modifier.

    ``derivation`` says which of many values is meant (minimum), ``method`` how it was measured.
    """

    name: Code
    derivation: Code | None = None
    method: Code | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What identifies the concept: values of name, derivation and method."""
        return tuple(code.value if code else "" for code in (self.name, self.derivation, self.method))


def _code(coded: Coded | None) -> Code | None:
    return None if coded is None else Code(coded.value, coded.scheme, coded.meaning)


CONCEPTS: Mapping[str, Concept] = {
    metric.name: Concept(
        Code(metric.code.value, metric.code.scheme, metric.code.meaning),
        derivation=_code(metric.derivation),
        method=_code(metric.method),
    )
    for metric in VOCABULARY.values()
}
METRICS = {concept.key: metric for metric, concept in CONCEPTS.items()}

UNITS: Mapping[str, Code] = {
    "mm³": Code("mm3", "UCUM", "cubic millimeter"),
    "mm²": Code("mm2", "UCUM", "square millimeter"),
    "mm": Code("mm", "UCUM", "mm"),
    "mg": Code("mg", "UCUM", "milligram"),
    "%": Code("%", "UCUM", "Percent"),
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "1": Code("1", "UCUM", "no units"),
    "stage": Code("{stage}", "UCUM", "stage"),
    "count": Code("{count}", "UCUM", "count"),
}

CADRADS: Mapping[str, Code] = {
    "0": Code("130723", "DCM", "0 - Documented absence of CAD"),
    "1": Code("130724", "DCM", "1 - Minimal non-obstructive CAD"),
    "2": Code("130725", "DCM", "2 - Mild non-obstructive CAD"),
    "3": Code("130726", "DCM", "3 - Moderate stenosis"),
    "4": Code("130727", "DCM", "4 - Severe stenosis"),
    "4A": Code("130728", "DCM", "4A - Severe stenosis"),
    "4B": Code("130729", "DCM", "4B - Severe stenosis"),
    "5": Code("130730", "DCM", "5 - Total coronary occlusion"),
    "N": Code("130731", "DCM", "N - Non-diagnostic study"),
}
DERIVATION = Code("121401", "DCM", "Derivation")
METHOD = Code("370129005", "SCT", "Measurement Method")
NOT_MEASURABLE = Code("114006", "DCM", "Measurement failure")

# Which row of the table a group of measurements is.
LEVEL = own("LEVEL", "Level of measurement")
PATH = own("PATH", "Coronary path")
SCCT = own("SCCT", "SCCT coronary segment")
NUMBER = own("NUMBER", "Lesion number along the path")
LOWEST = own("LOW", "Lowest value with both contours moved by 0.1 mm")
HIGHEST = own("HIGH", "Highest value with both contours moved by 0.1 mm")
LEVELS: Mapping[str, Code] = {
    level: own(level.upper(), f"{level.capitalize()} level")
    for level in ("lesion", "segment", "vessel", "territory", "patient")
}

CORONARY = Code("41801008", "SCT", "Coronary artery")
_ARTERIES = {
    "LM": Code("3227004", "SCT", "Left Main Coronary Artery"),
    "LAD": Code("59438005", "SCT", "Left anterior descending artery"),
    "LCx": Code("57396003", "SCT", "Left circumflex artery"),
    "RCA": Code("13647002", "SCT", "Right coronary artery"),
    "AM": Code("22765000", "SCT", "Acute marginal branch of right coronary artery"),
}
SITES: Mapping[str, Code] = {segment.short: Code(segment.snomed, "SCT", segment.name) for segment in SEGMENTS}
PATHS: Mapping[str, Code] = {name: _ARTERIES.get(name) or SITES[name] for name in VESSELS}
METHODS: Mapping[str, Code] = {
    name + variant: own(name + short, f"Composition profile {name}{said}")
    for name in PROFILES
    for variant, short, said in (("", "", ""), ("/wall_minus_lumen", "/wml", ", wall minus lumen"))
}

_ANATOMY = Code("91723000", "SCT", "Anatomical Structure")
_MORPHOLOGY = Code("49755003", "SCT", "Morphologically Abnormal Structure")
PLAQUE = Code("1522000", "SCT", "plaque")


@dataclass(frozen=True)
class Label:
    """What a segment shows: its name, coded category and type with a modifier, and a colour (CIELab)."""

    name: str
    category: Code
    kind: Code
    modifier: Code | None
    colour: tuple[float, float, float]


LABELS: Mapping[str, Label] = {
    "lumen": Label(
        "Lumen", _ANATOMY, Code("91747007", "SCT", "Lumen of blood vessel"), None, (55.0, 60.0, 40.0)
    ),
    "wall": Label(
        "Vessel wall",
        _ANATOMY,
        own("WALL", "Wall of coronary artery, with plaque"),
        None,
        (70.0, -10.0, -35.0),
    ),
    "calcified": Label(
        "Calcified plaque", _MORPHOLOGY, PLAQUE, Code("18115005", "SCT", "Calcified"), (95.0, 0.0, 0.0)
    ),
    "noncalcified": Label(
        "Non-calcified plaque",
        _MORPHOLOGY,
        PLAQUE,
        Code("17589002", "SCT", "non-calcified"),
        (80.0, 5.0, 75.0),
    ),
    "low_attenuation": Label(
        "Low-attenuation plaque", _MORPHOLOGY, PLAQUE, own("LOWATT", "Low-attenuation"), (50.0, -50.0, 40.0)
    ),
    "lesion": Label("Lesion", _MORPHOLOGY, PLAQUE, None, (60.0, 60.0, -40.0)),
}


def site(vessel: str, segment: str = "") -> Code:
    """Return the anatomical code of a segment, else of a path, else of the coronary arteries."""
    return SITES.get(segment) or PATHS.get(vessel) or CORONARY


def segment_code(segment: str) -> Code:
    """Return an SCCT segment's code; a name outside the scheme becomes one of our own."""
    return SITES.get(segment) or own(segment, segment)


def dictionary() -> list[Code]:
    """Return every code of our own scheme, as ``docs/dicom.md`` publishes it."""
    concepts = [c for x in CONCEPTS.values() for c in (x.name, x.derivation, x.method)]
    shown = [c for label in LABELS.values() for c in (label.kind, label.modifier)]
    rows = [LEVEL, PATH, SCCT, NUMBER, LOWEST, HIGHEST, *LEVELS.values(), *METHODS.values()]
    every = [*concepts, *shown, *rows]
    return list(dict.fromkeys(c for c in every if c is not None and c.scheme_designator == SCHEME))
