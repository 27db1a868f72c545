"""A report that ``report`` wrote → the table of measurements, to the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import Comprehensive3DSRStorage

from inference.dicom.codes import (
    CADRADS,
    DERIVATION,
    HIGHEST,
    LEVEL,
    LEVELS,
    LOWEST,
    METHOD,
    METHODS,
    METRICS,
    NUMBER,
    PATH,
    PATHS,
    SCCT,
    SCHEME,
    SITES,
)
from inference.dicom.segments import RowKey
from inference.errors import DicomObjectError
from inference.quantification import Measurement
from inference.vocabulary import UNITS

_IMAGING_MEASUREMENTS, _GROUP = "126010", "125007"
_TRACKING_ID, _TRACKING_UID = "112039", "112040"
_ALGORITHM = {"name": "111001", "version": "111003", "parameters": "111002"}
_SEGMENT, _SERIES = "121191", "121232"


@dataclass(frozen=True)
class Report:
    """What a report says.

    Parameters
    ----------
    measurements : the table.
    tracking : row → tracking identifier and UID. segments : lesion's row → number of its segment.
    algorithm : name and version. parameters : what it ran with; ``weights_sha256`` among them.
    segmentation_uid : SOP Instance UID of the segmentation, empty where nothing refers to one.
    series_uid : the CT series. simulated : whether the report says that no patient was scanned.
    """

    measurements: tuple[Measurement, ...]
    tracking: Mapping[RowKey, tuple[str, str]]
    segments: Mapping[RowKey, int]
    algorithm: tuple[str, str]
    parameters: Mapping[str, str]
    segmentation_uid: str
    series_uid: str
    simulated: bool


def read_report(path: Path | str) -> Report:
    """Read a report.

    Raises
    ------
    DicomObjectError
        ``not-dicom``, ``not-a-report``: the file is no DICOM file, or no report of this scheme.
        ``unknown-code``: a concept, a level or a path is not in the dictionary.
    """
    path = Path(path)
    try:
        dataset = pydicom.dcmread(path)
    except (InvalidDicomError, EOFError, OSError) as error:
        raise DicomObjectError("not-dicom", f"{path.name} is not a DICOM file.", path.name) from error
    schemes = {x.get("CodingSchemeDesignator") for x in dataset.get("CodingSchemeIdentificationSequence", [])}
    if dataset.get("SOPClassUID") != Comprehensive3DSRStorage or SCHEME not in schemes:
        raise DicomObjectError(
            "not-a-report",
            f"{path.name} is not a Comprehensive 3D SR with codes of {SCHEME}: give the report.dcm of an analysis.",
            path.name,
        )
    groups = [
        _read_group(group)
        for container in _children(dataset, _IMAGING_MEASUREMENTS)
        for group in _children(container, _GROUP)
    ]
    rows = {row: group for row, _, group in groups}
    algorithm = _algorithm(groups[0][2]) if groups else {}
    images = [image for _, _, group in groups for image in _references(group)]
    evidence = dataset.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    return Report(
        measurements=tuple(m for _, measurements, _ in groups for m in measurements),
        tracking={row: (_text(g, _TRACKING_ID), _uid(g, _TRACKING_UID)) for row, g in rows.items()},
        segments={row: int(_number_of_segment(g)) for row, g in rows.items() if any(_children(g, _SEGMENT))},
        algorithm=(algorithm.get("name", [""])[0], algorithm.get("version", [""])[0]),
        parameters=dict(x.split("=", 1) for x in algorithm.get("parameters", [])),
        segmentation_uid=str(images[0]) if images else "",
        series_uid=str(evidence[0].SeriesInstanceUID),
        simulated=str(dataset.get("SeriesDescription", "")).startswith("SIMULATED"),
    )


def _value(code: Dataset) -> str:
    return str(code.get("CodeValue") or code.get("LongCodeValue") or "")


def _children(item: Dataset, concept: str = "") -> Iterator[Dataset]:
    """Content items below one, all or those of one concept."""
    for child in item.get("ContentSequence", []):
        if not concept or _value(child.ConceptNameCodeSequence[0]) == concept:
            yield child


def _code(item: Dataset, concept: str) -> str:
    """Value of the coded child of a concept, empty where there is none."""
    return next((_value(x.ConceptCodeSequence[0]) for x in _children(item, concept)), "")


def _text(item: Dataset, concept: str) -> str:
    return next((str(x.TextValue) for x in _children(item, concept)), "")


def _uid(item: Dataset, concept: str) -> str:
    return next((str(x.UID) for x in _children(item, concept)), "")


def _algorithm(group: Dataset) -> dict[str, list[str]]:
    return {name: [str(x.TextValue) for x in _children(group, code)] for name, code in _ALGORITHM.items()}


def _references(group: Dataset) -> list[str]:
    """SOP Instance UIDs of the segmentation that a group names."""
    return [
        str(x.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for x in _children(group)
        if x.ValueType == "IMAGE"
    ]


def _number_of_segment(group: Dataset) -> int:
    return int(next(_children(group, _SEGMENT)).ReferencedSOPSequence[0].ReferencedSegmentNumber)


def _name(codes: Mapping[str, object], value: str, what: str) -> str:
    """Return the name that a code stands for."""
    for name, code in codes.items():
        if getattr(code, "value", None) == value:
            return name
    raise DicomObjectError(
        "unknown-code", f"“{value}” is not the code of any {what}: another version wrote it."
    )


def _read_group(group: Dataset) -> tuple[RowKey, list[Measurement], Dataset]:
    """Row key, measurements and the group itself."""
    level = _name(LEVELS, _code(group, LEVEL.value), "level")
    path = _code(group, PATH.value)
    vessel = _name(PATHS, path, "coronary path") if path else ""
    shown = _code(group, SCCT.value)
    segment = next((name for name, code in SITES.items() if code.value == shown), shown)
    lesion = next((int(_number(x)) for x in _children(group, NUMBER.value)), None)
    profile = _name(METHODS, _code(group, METHOD.value), "composition profile")
    found = []
    for item in _children(group):
        key = (
            _value(item.ConceptNameCodeSequence[0]),
            _code(item, DERIVATION.value),
            _code(item, METHOD.value),
        )
        if item.ValueType not in ("NUM", "CODE") or (item.ValueType == "CODE" and key not in METRICS):
            continue
        if key == (NUMBER.value, "", ""):
            continue
        if key not in METRICS:
            raise DicomObjectError(
                "unknown-code",
                f"“{' / '.join(key)}” is not the code of any metric: another version wrote it.",
            )
        metric = METRICS[key]
        low, high = (next((_number(x) for x in _children(item, c.value)), None) for c in (LOWEST, HIGHEST))
        value = _number(item) if item.ValueType == "NUM" else _category(item)
        found.append(
            Measurement(level, vessel, segment, lesion, metric, value, UNITS[metric], low, high, profile)
        )
    return (level, vessel, segment, lesion), found, group


def _number(item: Dataset) -> float:
    """Value of a NUM item in full precision."""
    measured = item.MeasuredValueSequence[0]
    return float(measured.get("FloatingPointValue", measured.NumericValue))


def _category(item: Dataset) -> str | None:
    """Grade of a CODE item; None where it says that the metric could not be measured."""
    value = _value(item.ConceptCodeSequence[0])
    return next((grade for grade, code in CADRADS.items() if code.value == value), None)
