"""De-identification of CT images by allow-list (PS3.15 Basic Profile with the options named in the table)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from plaquelab.imaging.deidentify_table import ACTIONS, METHOD_CODES, SAFE_PRIVATE, SAFE_PRIVATE_VRS, WORDS
from plaquelab.imaging.keys import date_offset_days, keyed_hash, mapped_uid

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement

_DONE = {
    "K": "kept",
    "U": "mapped",
    "D": "moved",
    "Z": "emptied",
    "P": "replaced",
    "C": "cleaned",
    "S": "searched",
}
_TEXT_VRS = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "CS", "PN"})
# Makers' names: a patient called Philips must not cost the scanner its name.
_MAKERS = frozenset({"Manufacturer", "ManufacturerModelName"})
# Classes and syntaxes of the standard itself say nothing of an instance; a maker's private class might.
_STANDARD_UIDS = "1.2.840.10008."
_TOKEN = re.compile(r"[A-Za-z0-9%.\-]+")
_NUMBER = re.compile(r"\d{1,3}([.,]\d{1,3})?(%|mm|ms|s|bpm|kv|ma|mas|ml|cm|hu)?", re.IGNORECASE)
_KERNEL = re.compile(r"[A-Z][a-z]?\d{2}[a-z]?")
_IDENTIFYING_TEXT = """
PatientID OtherPatientIDs OtherPatientNames AccessionNumber PatientBirthName PatientMotherBirthName
MedicalRecordLocator IssuerOfPatientID AdmissionID PatientAddress PatientTelephoneNumbers
RequestedProcedureID StudyID PlacerOrderNumberImagingServiceRequest
FillerOrderNumberImagingServiceRequest
"""
_IDENTIFYING = frozenset(_IDENTIFYING_TEXT.split())


class Deidentifier:
    """Turns source images of one subject into de-identified ones, and counts what it did.

    Parameters
    ----------
    key : the study's key; the same source UID gives the same new UID within a study.
    subject : stable name of the subject inside the study; decides the date offset.
    pseudonym : what stands in Patient's Name and Patient ID.
    """

    def __init__(self, *, key: bytes, subject: str, pseudonym: str) -> None:
        self._key = key
        self._pseudonym = pseudonym
        self.offset_days = date_offset_days(key, subject)
        self.offset_hash = keyed_hash(key, "offset", str(self.offset_days))
        self.actions: Counter[tuple[str, str]] = Counter()

    def apply(self, source: Dataset) -> Dataset:
        """Return a new data set that holds allowed elements only.

        Pixel data must be native already. No source UID, date, name, number or private text survives; text
        that is kept is dropped where it repeats an identifying value of the source.
        """
        found = _identifying_words(source)
        result = self._clean(source, found)
        for keyword in ("PatientName", "PatientID"):
            setattr(result, keyword, self._pseudonym)
        for keyword, action in ACTIONS.items():
            if action == "Z" and keyword not in result:
                setattr(result, keyword, None)
        result.SpecificCharacterSet = "ISO_IR 192"
        result.PatientIdentityRemoved = "YES"
        result.DeidentificationMethod = "PS3.15 basic profile by allow-list"
        codes = []
        for value, meaning in METHOD_CODES:
            code = Dataset()
            code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
            codes.append(code)
        result.DeidentificationMethodCodeSequence = codes
        result.LongitudinalTemporalInformationModified = "MODIFIED"
        return result

    def report(self) -> dict[str, dict[str, int]]:
        """Return tag → action → count; never a value."""
        table: dict[str, dict[str, int]] = {}
        for (tag, action), count in sorted(self.actions.items()):
            table.setdefault(tag, {})[action] = count
        return table

    def _clean(self, source: Dataset, found: frozenset[str]) -> Dataset:
        result = Dataset()
        for element in source:
            if element.tag.is_private:
                kept = self._private(source, element, found)
                if kept is not None:
                    block = result.private_block(element.tag.group, kept[0], create=True)
                    block.add_new(element.tag.element & 0xFF, element.VR, kept[1])
                continue
            action = ACTIONS.get(element.keyword, "X") if element.VR != "UN" else "X"
            value = self._value(element, action, found)
            self.actions[(str(element.tag), _DONE[action] if value is not None else "removed")] += 1
            if value is not None:
                result.add_new(element.tag, element.VR, value)
        return result

    def _value(self, element: DataElement, action: str, found: frozenset[str]) -> Any:
        """Return the new value, or None where the element goes."""
        if action == "X":
            return None
        if action == "S":
            items = [self._clean(item, found) for item in element.value or []]
            return [item for item in items if len(item)] or None
        if action == "Z":
            return ""
        if action == "P":
            return self._pseudonym
        if element.is_empty:
            return ""
        if action == "U":
            return _each(element.value, lambda uid: mapped_uid(self._key, str(uid)))
        if action == "D":
            return _each(element.value, self._moved)
        if action == "C":
            return _cleaned(element, found)
        return self._kept(element, found)

    def _kept(self, element: DataElement, found: frozenset[str]) -> Any:
        """Return the value of an element that stays, unless it names an object or repeats what identifies somebody."""
        if element.VR == "UI" and not all(uid.startswith(_STANDARD_UIDS) for uid in _strings(element.value)):
            return _each(element.value, lambda uid: mapped_uid(self._key, str(uid)))
        if element.VR in _TEXT_VRS and element.keyword not in _MAKERS and _repeats(element.value, found):
            return None
        return element.value

    def _private(
        self, source: Dataset, element: DataElement, found: frozenset[str]
    ) -> tuple[str, Any] | None:
        """Return (creator, value) of a private element known as safe, else None."""
        tag = element.tag
        if tag.is_private_creator:
            return None
        creator = source.get((tag.group, tag.element >> 8), None)
        name = str(creator.value).strip() if creator is not None else ""
        safe = tag.element & 0xFF in SAFE_PRIVATE.get((tag.group, name), frozenset())
        if not safe or element.VR not in SAFE_PRIVATE_VRS or _repeats(element.value, found):
            self.actions[("private", "removed")] += 1
            return None
        self.actions[(str(tag), "kept")] += 1
        return name, element.value

    def _moved(self, value: object) -> str:
        """Move a DA or DT value by the subject's offset; what is no date becomes empty."""
        text = str(value).strip()
        try:
            day = datetime.strptime(text.replace(".", "")[:8] if text[4:5] == "." else text[:8], "%Y%m%d")
            moved = day + timedelta(days=self.offset_days)
        except (ValueError, OverflowError):
            return ""
        rest = "" if text[4:5] == "." else text[8:]
        return f"{moved:%Y%m%d}" + (rest if re.fullmatch(r"[0-9.]*", rest) else "")


def clean_text(text: str) -> str:
    """Keep only known words, small numbers and kernel names of a description (Clean Descriptors)."""
    kept = []
    for token in _TOKEN.findall(text):
        bare = token.strip(".-")
        if bare.lower() in WORDS or _NUMBER.fullmatch(bare) or _KERNEL.fullmatch(bare):
            kept.append(bare)
    return " ".join(kept)[:64]


def _cleaned(element: DataElement, found: frozenset[str]) -> str:
    """Return what is known of a description; nothing where even that repeats an identifying value."""
    text = clean_text(str(element.value))
    if not text and element.keyword == "ContrastBolusAgent":
        text = "CONTRAST"  # That contrast was given is an acquisition fact; its brand is not needed.
    return "" if _repeats(text, found) else text


def _each(value: Any, change: Any) -> Any:
    """Apply ``change`` to one value or to each of several."""
    return [change(one) for one in value] if isinstance(value, MultiValue | list) else change(value)


def _strings(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, MultiValue | list) else [value]:
        yield str(one)


def _identifying_words(source: Dataset) -> frozenset[str]:
    """Collect words of names and numbers that identify the person, from every depth of the source."""
    found: set[str] = set()
    for element in source.iterall():
        if element.tag.is_private or element.is_empty:
            continue
        if element.VR == "PN" or element.keyword in _IDENTIFYING:
            for text in _strings(element.value):
                for word in re.findall(r"\w+", text):
                    if len(word) >= 4 or (len(word) == 3 and word.isalpha()):
                        found.add(word.lower())
    return frozenset(found)


def _repeats(value: Any, found: frozenset[str]) -> bool:
    """Tell whether a kept text repeats an identifying word of the source; common words identify nobody."""
    words = (word.lower() for text in _strings(value) for word in re.findall(r"\w+", text))
    return any(word in found and word not in WORDS for word in words)
