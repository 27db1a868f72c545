"""The filters that every question shares: site, cohort, vendor, place, image quality, stratum.

They are texts, so that they live in a page's address; an empty text filters nothing. :func:`choices` lists what a
freeze offers, :func:`read_parameters` turns the texts of an address into a question's parameters.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import AnalyticsError
from analytics.freeze import Freeze
from analytics.metrics import TERRITORIES

Flags = NDArray[np.bool_]
P = TypeVar("P")
Allowed = Mapping[str, tuple[tuple[str, str], ...]]
"""What each parameter may be: name → (value, label)."""

STRATA: dict[str, tuple[str, Callable[[pd.DataFrame], Any]]] = {
    "women": ("Women", lambda p: p["sex"] == "female"),
    "men": ("Men", lambda p: p["sex"] == "male"),
    "under60": ("Age under 60", lambda p: p["age"] < 60),
    "from60": ("Age 60 and over", lambda p: p["age"] >= 60),
    "kv_up_to_100": ("Tube voltage up to 100 kV", lambda p: p["tube_voltage"] <= 100),
    "kv_above_100": ("Tube voltage above 100 kV", lambda p: p["tube_voltage"] > 100),
    "thin": ("Slices up to 0.625 mm", lambda p: p["slice_thickness"] <= 0.625),
    "thick": ("Slices above 0.625 mm", lambda p: p["slice_thickness"] > 0.625),
}
QUALITY_LEVELS = ("2", "3", "4", "5")


@dataclass(frozen=True)
class Filters:
    """Which patients are asked about; empty texts ask about all.

    site, cohort, purpose, vendor : as in the table of patients · place : a territory, or an SCCT segment's number
    quality : least image quality · stratum : one of ``STRATA``
    """

    site: str = ""
    cohort: str = ""
    purpose: str = ""
    vendor: str = ""
    place: str = ""
    quality: str = ""
    stratum: str = ""

    def patients(self, freeze: Freeze) -> Flags:
        """Which rows of the table of patients are in: (patients,); excluded patients are not."""
        table = freeze.table("patients")
        keep = ~table["excluded"].to_numpy(bool)
        for name in ("site", "cohort", "purpose", "vendor"):
            wanted = getattr(self, name)
            if wanted:
                keep &= (table[name] == wanted).to_numpy(bool)
        if self.quality:
            keep &= table["image_quality"].to_numpy(float) >= float(self.quality)
        if self.stratum:
            if self.stratum not in STRATA:
                raise AnalyticsError(f"There is no stratum {self.stratum!r}; there are {', '.join(STRATA)}.")
            keep &= np.asarray(STRATA[self.stratum][1](table), bool)
        return keep

    def rows(self, freeze: Freeze, name: str) -> Flags:
        """Which rows of another table belong to those patients and to the place."""
        table = freeze.table(name)
        keep = self.patients(freeze)[patient_index(freeze, name)]
        if self.place in TERRITORIES:
            if "territory" in table:
                keep &= (table["territory"] == self.place).to_numpy(bool)
        elif self.place and "segment" in table:
            keep &= table["segment"].to_numpy(float) == float(self.place)
        return keep

    def words(self) -> str:
        """The filters in words; empty where there is none."""
        parts = [
            f"{name} {getattr(self, name)}"
            for name in ("site", "cohort", "purpose", "vendor")
            if getattr(self, name)
        ]
        if self.place:
            parts.append(self.place if self.place in TERRITORIES else f"segment {self.place}")
        if self.quality:
            parts.append(f"image quality {self.quality} or better")
        if self.stratum:
            parts.append(STRATA[self.stratum][0].lower())
        return ", ".join(parts)


NO_FILTERS = Filters()


def patient_index(freeze: Freeze, name: str) -> NDArray[np.int64]:
    """For each row of a table, the row of its patient in the table of patients."""
    return freeze.derived(("patient index", name), lambda: _patient_index(freeze, name))


def _patient_index(freeze: Freeze, name: str) -> NDArray[np.int64]:
    patients = freeze.table("patients")["patient"]
    column = freeze.table(name)["patient"]
    if not len(column):
        return np.empty(0, np.int64)
    # Codes of the two categoricals differ; the few distinct names are looked up once.
    row_of_code = np.empty(len(patients.cat.categories), np.int64)
    row_of_code[patients.cat.codes.to_numpy()] = np.arange(len(patients))
    known = patients.cat.categories.get_indexer(column.cat.categories)
    if (known < 0).any():
        missing = column.cat.categories[int(np.flatnonzero(known < 0)[0])]
        raise AnalyticsError(f"Table {name}: {missing!r} is not in the table patients.")
    result: NDArray[np.int64] = row_of_code[known[column.cat.codes.to_numpy()]]
    return result


def choices(freeze: Freeze) -> dict[str, tuple[tuple[str, str], ...]]:
    """What the filters may be in this freeze: name → (value, label) of each choice, without the empty one."""
    table = freeze.table("patients")
    kept = table[~table["excluded"].to_numpy(bool)]
    found = {
        name: tuple((str(v), str(v)) for v in sorted(kept[name].dropna().unique()))
        for name in ("site", "cohort", "purpose", "vendor")
    }
    places = tuple((t, t) for t in TERRITORIES) + tuple((str(s), f"segment {s}") for s in range(1, 19))
    strata = tuple(
        (name, label) for name, (label, test) in STRATA.items() if np.asarray(test(kept), bool).any()
    )
    return found | {
        "place": places,
        "quality": tuple((q, f"{q} or better") for q in QUALITY_LEVELS),
        "stratum": strata,
    }


def read_parameters(kind: type[P], given: Mapping[str, str], allowed: Allowed) -> tuple[P, tuple[str, ...]]:
    """Parameters from the texts of an address, and what was wrong with them.

    An unknown choice is replaced by the default and named; numbers that cannot be read likewise. ``allowed`` is what
    the question's ``choices`` returned. Names that the question does not know are left alone.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name == "filters":
            values["filters"] = _read_filters(given, allowed, problems)
        elif text := given.get(field.name, ""):
            value = _read(field, text, allowed, problems)
            if value is not None:
                values[field.name] = value
    return kind(**values), tuple(problems)


def _read_filters(given: Mapping[str, str], allowed: Allowed, problems: list[str]) -> Filters:
    """Filters from the texts of an address; what was wrong is added to ``problems``."""
    filters: dict[str, str] = {}
    for name in (f.name for f in dataclasses.fields(Filters)):
        text = given.get(name, "")
        if text and text not in {value for value, _ in allowed.get(name, ())}:
            problems.append(f"There is no {name} “{text[:40]}” here: showing all.")
        elif text:
            filters[name] = text
    return Filters(**filters)


def _read(field: dataclasses.Field[Any], text: str, allowed: Allowed, problems: list[str]) -> Any:
    """One parameter from its text, None where it cannot be read; what was wrong is added to ``problems``."""
    named, known = field.name.replace("_", " "), {value for value, _ in allowed.get(field.name, ())}
    if field.type in ("float", "int", "float | None"):
        number = _finite(text)
        if number is None:
            problems.append(f"The {named} “{text[:20]}” is not a number: showing the default.")
            return None
        return int(number) if field.type == "int" else number
    if field.type == "bool":
        return text in ("1", "true", "on", "yes")
    if field.type == "tuple[str, ...]":
        wanted = tuple(part for part in text.split(",") if part)
        problems += [f"There is no {field.name} “{p[:40]}” here." for p in wanted if p not in known]
        return tuple(part for part in wanted if part in known)
    if field.name in allowed and text not in known:
        problems.append(f"There is no {named} “{text[:40]}” here: showing the default.")
        return None
    return text


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def query_of(parameters: Any) -> dict[str, str]:
    """The texts of an address that give these parameters back; defaults are left out."""
    found: dict[str, str] = {}
    for field in dataclasses.fields(parameters):
        value = getattr(parameters, field.name)
        if field.name == "filters":
            found |= {k: v for k, v in vars(value).items() if v}
        elif value != field.default:
            found[field.name] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)
