"""Header values → numbers, in one place: what a value representation promises and what files hold are two things.

A value is read where only one reading is possible (a decimal comma, a unit behind the number, one number written several
times). What cannot be read is refused by its tag where geometry or HU need it, and else left out and said.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32, format_number_as_ds

from inference.errors import VolumeError

LONGEST_DS = 16  # PS3.5, table 6.2-1
LARGEST_IS = 2**31  # PS3.5, table 6.2-1
LARGEST_US = 2**16  # PS3.5, table 6.2-1
_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")
# “1,024” may be a thousand and twenty-four: a comma before three digits is a decimal comma only where nothing else can be.
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_TEXT = ("DS", "IS")
_BINARY = ("US", "SS", "US or SS")
_KNOWN = frozenset(str(x) for x in EXPLICIT_VR_LENGTH_16 | EXPLICIT_VR_LENGTH_32)
_WORDS = frozenset(["AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"])


class Written(NamedTuple):
    """A number as a header writes it: its value, and half a unit of its last digit, which writing may have cost it."""

    value: float
    half_step: float


@dataclass(frozen=True)
class Need:
    """What geometry or HU need of one attribute: how many values, and between which numbers each must lie."""

    count: int
    low: float
    high: float


# No scanner's numbers lie outside: a table is 2 m long, a pixel of a field of 5 to 1,000 mm, Bits Allocated 16 or 32.
NEEDED = {
    "ImagePositionPatient": Need(3, -10_000, 10_000),
    "ImageOrientationPatient": Need(6, -1.01, 1.01),
    "PixelSpacing": Need(2, 0, 20),
    "RescaleSlope": Need(1, -100, 100),
    "RescaleIntercept": Need(1, -100_000, 100_000),
    "Rows": Need(1, 1, LARGEST_US - 1),
    "Columns": Need(1, 1, LARGEST_US - 1),
    "BitsAllocated": Need(1, 1, 64),
    "BitsStored": Need(1, 1, 64),
    "HighBit": Need(1, 0, 63),
    "PixelRepresentation": Need(1, 0, 1),
    "SamplesPerPixel": Need(1, 1, 4),
    "NumberOfFrames": Need(1, 0, 1_000_000),
}
# What else is read, and what it can be: enough to know a decimal comma from a thousand.
LIMITS = {
    "KVP": (20, 400),
    "SliceThickness": (0, 100),
    "SpacingBetweenSlices": (-100, 100),
    "SliceLocation": (-10_000, 10_000),
    "ReconstructionDiameter": (1, 2_000),
    "DataCollectionDiameter": (1, 2_000),
    "GantryDetectorTilt": (-90, 90),
    "NominalPercentageOfCardiacPhase": (-100, 200),
    "PatientWeight": (0, 600),
    "PatientSize": (0, 3),
    "HeartRate": (0, 400),
}
READ = (
    *NEEDED,
    *LIMITS,
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "PhotometricInterpretation", "RescaleType"),
    *("Modality", "SOPClassUID", "SOPInstanceUID", "ImageType", "LossyImageCompression"),
    *(
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
        "PatientID",
        "PatientName",
        "PatientBirthDate",
    ),
    *("SeriesNumber", "SeriesDescription", "DerivationDescription", "AcquisitionNumber", "AcquisitionTime"),
    *(
        "TriggerTime",
        "TemporalPositionIdentifier",
        "InstanceNumber",
        "ConvolutionKernel",
        "ContrastBolusAgent",
    ),
    *("Manufacturer", "ManufacturerModelName"),
)
"""Attributes that the library reads of a scan."""
# A number with its own unit behind it is that number.
_UNITS = re.compile(r"\s*(mm|kV|kVp|HU|%|kg|mA|ms|bpm)\s*$")


@dataclass
class Settled:
    """What was found in headers that is not as the standard has it, counted over the images of a series.

    ``refused`` : what geometry or HU need and cannot have, where ``settle`` was not to raise it.
    """

    read: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    refused: list[VolumeError] = field(default_factory=list)

    def add(self, other: Settled) -> None:
        """Count another image's findings too."""
        self.read.update(other.read)
        self.left_out.update(other.left_out)

    def sentences(self) -> list[str]:
        """Return one sentence an attribute; no value is quoted, since it may hold anything."""
        return [
            f"{name} is not written as a DICOM number in {_images(n)}; it was read, since only one reading is possible."
            for name, n in sorted(self.read.items())
        ] + [
            f"{name} holds no value that can be read in {_images(n)}; nothing needs it, and it was left out."
            for name, n in sorted(self.left_out.items())
        ]


def _images(n: int) -> str:
    return "1 image" if n == 1 else f"{n} images"


def tag_name(keyword: str) -> str:
    """Return an attribute's keyword with its tag, as messages name it."""
    tag = Tag(tag_for_keyword(keyword) or 0)
    return f"{keyword} ({tag.group:04X},{tag.element:04X})"


@lru_cache(maxsize=8192)
def read_number(text: str, *, low: float = -math.inf, high: float = math.inf) -> Written | None:
    """Read one number where one reading alone is possible; None where it is none, or could be two."""
    bare = _UNITS.sub("", text.strip().strip("\0").strip())
    if not _NUMBER.fullmatch(bare):
        return None
    value = float(bare.replace(",", "."))
    if not math.isfinite(value):
        return None
    if _THOUSANDS.fullmatch(bare):
        thousands = float(bare.replace(",", ""))
        if low <= thousands <= high or not low <= value <= high:
            return None
    return Written(value, _half_step(bare))


def _half_step(bare: str) -> float:
    digits, _, exponent = bare.lower().replace(",", ".").partition("e")
    decimals = len(digits.partition(".")[2]) - int(exponent or 0)
    return float(0.5 * 10.0 ** -max(-300, min(decimals, 300)))


def written(dataset: Dataset, keyword: str) -> tuple[Written, ...]:
    """Return the numbers of an attribute of a settled header; empty where it has none."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return ()
    values = value if isinstance(value, MultiValue | list | tuple) else [value]
    found = [read_number(_text_of(x)) for x in values]
    return tuple(x for x in found if x is not None) if None not in found else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return the one number of an attribute of a settled header; None where it has none, or several."""
    values = {x.value for x in written(dataset, keyword)}
    return values.pop() if len(values) == 1 else None


def _text_of(value: Any) -> str:
    """Return a value as it was written, where that is known; items of a sequence are no number."""
    if isinstance(value, Dataset):
        return "a sequence"
    return str(getattr(value, "original_string", None) or (repr(value) if type(value) is float else value))


def settle(
    dataset: Dataset, called: str, *, only: Iterable[str] | None = READ, refuse: bool = True
) -> Settled:
    """Make every value of a header what its value representation promises, in place.

    Parameters
    ----------
    dataset : of one image. called : how messages name it.
    only : the attributes that are looked at; None for all, in sequences too.
    refuse : whether what cannot be read and is needed is raised; else it is taken out of the header and returned.

    Returns
    -------
    what had to be read otherwise than the standard has it, and what was left out.

    Raises
    ------
    VolumeError
        ``not-a-number`` or ``wrong-count``: what geometry or HU need cannot be read.
    """
    found = Settled()
    tags = list(dataset.keys())
    if only is not None:
        tags = [x for x in _tags_of(tuple(only)) if x in dataset and not _is_text(dataset, x)]
    _settle(dataset, tags, called, found, top=True)
    if refuse and found.refused:
        raise found.refused[0]
    return found


@lru_cache
def _tags_of(keywords: tuple[str, ...]) -> tuple[BaseTag, ...]:
    return tuple(Tag(tag_for_keyword(x) or 0) for x in keywords)


def _is_text(dataset: Dataset, tag: BaseTag) -> bool:
    """Whether an element is text by the standard and by the file: it is read when it is asked for, and cannot fail."""
    kind = dictionary_VR(tag)
    if kind not in _WORDS or not _can_be_had(dataset, tag):
        return False
    element = dataset.get_item(tag)
    return element.VR in (None, kind) and isinstance(element.value, bytes | str | None)


def _settle(dataset: Dataset, tags: Sequence[BaseTag], called: str, found: Settled, *, top: bool) -> None:
    for tag in tags:
        keyword = keyword_for_tag(tag)
        kind = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
        if not _can_be_had(dataset, tag):
            del dataset[tag]
            found.left_out[tag_name(keyword) if keyword else "A private attribute"] += 1
            continue
        _give_own_kind(dataset, tag, kind)
        if top and keyword in NEEDED:
            try:
                _settle_needed(dataset, tag, keyword, called, found)
            except VolumeError as error:
                found.refused.append(error)
                del dataset[tag]
            continue
        texts = _texts(dataset.get_item(tag))
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                for item in element.value or []:
                    _settle(item, list(item.keys()), called, found, top=False)
                continue
            sound = kind not in (*_TEXT, *_BINARY) or _is_sound(element, kind)
        except Exception:  # noqa: BLE001 - pydicom raises what the value makes it raise; it is told below
            sound = False
        if not sound:
            _settle_other(dataset, tag, kind, texts, keyword, found)


def _can_be_had(dataset: Dataset, tag: BaseTag) -> bool:
    """Whether an element can be looked at as it is stored: one of no known kind cannot even be that."""
    try:
        dataset.get_item(tag)
    except NotImplementedError:
        return False
    return True


def _give_own_kind(dataset: Dataset, tag: BaseTag, kind: str) -> None:
    """Give text and pixels the value representation that they have in the standard, whatever the file calls them."""
    element = dataset.get_item(tag)
    if (
        not isinstance(element, RawDataElement)
        or element.VR in (None, kind)
        or not kind
        or not isinstance(element.value, bytes)
    ):
        return
    if (kind in _WORDS and (element.VR not in _WORDS or kind == "UI")) or element.VR not in _KNOWN:
        dataset[tag] = element._replace(VR="US" if kind == "US or SS" else kind)
    if kind == "OB or OW" and element.VR not in ("OB", "OW"):
        dataset[tag] = element._replace(VR="OW")


def _settle_needed(dataset: Dataset, tag: BaseTag, keyword: str, called: str, found: Settled) -> None:
    """Read one attribute that geometry or HU need; an empty one is another's to refuse."""
    need, kind = NEEDED[keyword], dictionary_VR(tag)
    texts = _texts(dataset.get_item(tag))
    if texts is None:
        try:
            element = dataset[tag]
        except Exception as error:
            raise VolumeError(
                "not-a-number",
                f"{called}: {tag_name(keyword)} holds no value of its kind; the image cannot be placed or read as HU "
                "without it. Export the series again.",
                called,
            ) from error
        values = _listed(element.value)
        texts = [_text_of(x) for x in values]
    if not any(x.strip(" \0") for x in texts):
        return
    numbers = [read_number(x, low=need.low, high=need.high) for x in texts]
    if None in numbers:
        raise VolumeError(
            "not-a-number",
            f"{called}: {tag_name(keyword)} holds a value that is not a number, or could be two; the image cannot be "
            "placed or read as HU without it. Export the series again.",
            called,
        )
    read = [x for x in numbers if x is not None]
    if need.count == 1 and len({x.value for x in read}) == 1:
        read, texts = read[:1], texts[:1]
    if len(read) != need.count:
        raise VolumeError(
            "wrong-count",
            f"{called}: {tag_name(keyword)} holds {len(read)} values where {need.count} are needed. Export the series again.",
            called,
        )
    if kind != "DS" and not all(x.value.is_integer() for x in read):
        raise VolumeError("not-a-number", f"{called}: {tag_name(keyword)} is no whole number.", called)
    if not _stands_as_written(dataset.get_item(tag), texts, kind):
        found.read[tag_name(keyword)] += not all(_is_plain(x) for x in texts)
        _put(dataset, tag, kind, read, texts)
    found.read += Counter()  # what was counted with 0 goes


def _settle_other(
    dataset: Dataset, tag: BaseTag, kind: str, texts: list[str] | None, keyword: str, found: Settled
) -> None:
    """Read what nothing needs where that is certain, else leave it out."""
    low, high = LIMITS.get(keyword, (-math.inf, math.inf))
    numbers = [read_number(x, low=low, high=high) for x in texts or []]
    name = tag_name(keyword) if keyword else "A private attribute"
    read = [x for x in numbers if x is not None]
    whole = kind == "DS" or all(
        x.value.is_integer() and abs(x.value) < (LARGEST_IS if kind == "IS" else LARGEST_US // 2)
        for x in read
    )
    if kind in (*_TEXT, *_BINARY) and read and len(read) == len(numbers) and whole:
        plain = all(_is_plain(x) for x in texts or [])
        _put(dataset, tag, kind, read, texts or [])
        if not plain:
            found.read[name] += 1
        return
    del dataset[tag]
    found.left_out[name] += 1


def _put(dataset: Dataset, tag: BaseTag, kind: str, read: Sequence[Written], texts: Sequence[str]) -> None:
    """Write numbers back as their value representation has them; digits stay as they were written where they fit."""
    if kind == "DS":
        values: list[Any] = [
            bare if len(bare := _bare(text)) <= LONGEST_DS else format_number_as_ds(x.value)
            for x, text in zip(read, texts, strict=True)
        ]
    else:
        values = [int(x.value) for x in read]
    if kind == "US or SS":
        kind = "US" if min(values) >= 0 else "SS"
    dataset[tag] = DataElement(tag, kind, values if len(values) > 1 else values[0])


def _bare(text: str) -> str:
    return _UNITS.sub("", text.strip().strip("\0").strip()).replace(",", ".")


def _is_plain(text: str) -> bool:
    """Whether a number is written as DICOM has it; that it is too long alone is told to nobody."""
    bare = text.strip(" \0")
    return "," not in bare and _NUMBER.fullmatch(bare) is not None


def _stands_as_written(element: Any, texts: Sequence[str], kind: str) -> bool:
    """Whether pydicom reads an element as it stands: of its own VR, plain, and no longer than the standard has it."""
    if kind in _BINARY:
        return str(element.VR or kind) in ("US", "SS", kind) and len(_listed(element.value)) <= 1
    own = element.VR is None or str(element.VR) == kind
    values = _listed(element.value) if isinstance(element, DataElement) else texts
    return (
        own
        and len(values) == len(texts)
        and all(_is_plain(x) and len(x.strip(" \0")) <= LONGEST_DS for x in texts)
    )


def _is_sound(element: DataElement, kind: str) -> bool:
    """Whether a number that pydicom converted is one: finite, and plainly written."""
    if element.is_empty:
        return True
    if kind in _BINARY:
        return element.VR in _BINARY and all(isinstance(x, int) for x in _listed(element.value))
    return element.VR in (kind, "FD", "FL") and all(
        (text := _text_of(x)) and _is_plain(text) and len(text.strip(" \0")) <= LONGEST_DS
        for x in _listed(element.value)
    )


def _listed(value: Any) -> list[Any]:
    if value is None or value == "" or value == b"":
        return []
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _texts(element: RawDataElement | DataElement) -> list[str] | None:
    """Return the values of an element as text where it is stored as text; None where it holds binary numbers."""
    if isinstance(element, DataElement):
        return [_text_of(x) for x in _listed(element.value)] if element.VR != "SQ" else None
    tag = Tag(element.tag)
    kind = element.VR
    if kind in (None, "UN"):
        kind = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
    if kind in (
        *_BINARY,
        "FD",
        "FL",
        "SL",
        "UL",
        "SQ",
        "OB",
        "OW",
        "AT",
        "UN",
        "OF",
        "OD",
        "OL",
        "OV",
        "SV",
        "UV",
    ):
        return None
    data = element.value
    if not isinstance(data, bytes):
        return []
    return data.decode("latin-1").split("\\") if data else []
