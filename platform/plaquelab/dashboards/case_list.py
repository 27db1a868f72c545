"""The cases behind a selection: who they are, the values asked about, and where each opens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
from django.urls import reverse

from analytics.freeze import PAIRS
from analytics.metrics import METRICS, Metric
from analytics.rounding import printed
from inference.section_grid import SPACING_ALONG
from plaquelab.dashboards import selectors
from plaquelab.dashboards.asking import Asked
from plaquelab.studies.permissions import Capability, may

if TYPE_CHECKING:
    import pandas as pd

    from plaquelab.accounts.models import User

IDENTITIES = frozenset(
    [
        "row",
        "patient",
        "vessel",
        "territory",
        "segment",
        "first_lesion",
        "second_lesion",
        "position",
        "first_read",
        "second_read",
        "match",
        "exam",
        "site",
        "cohort",
    ]
)
PAIRS_OF_THE_FINAL_READ = ("network_expert", "assisted")
MOST_VALUES = 3
ABBREVIATIONS = frozenset(["assign", "hdl", "ica", "ivus", "ldl", "simd"])


@dataclass(frozen=True)
class CaseRow:
    """One case of a list.

    values : as printed, and whether each is a number.
    link : into the viewer where the person may open its images, else to its row of measurements.
    row_link : always to its row of measurements.
    """

    patient: str
    place: str
    site: str
    values: tuple[tuple[str, bool], ...]
    link: str
    row_link: str
    opens_images: bool

    @property
    def label(self) -> str:
        """Patient and place."""
        return f"{self.patient} · {self.place}" if self.place else self.patient


@dataclass(frozen=True)
class CaseList:
    """The first cases of a selection, how many there are, and the headings of their values."""

    total: int
    headings: tuple[tuple[str, bool], ...]
    rows: tuple[CaseRow, ...]


def frame(asked: Asked) -> pd.DataFrame:
    """Every case of the selection: the largest difference between two reads first, patients with an event first.

    Raises
    ------
    AnalyticsError
        The selection names what does not exist.
    """
    found = asked.question.cases(asked.freeze, asked.parameters, asked.address.selection)
    names = value_names(found)
    firsts = [name for name in names if name.endswith("_first")]
    if firsts and (second := firsts[0].removesuffix("_first") + "_second") in found:
        distance = (found[second].astype(float) - found[firsts[0]].astype(float)).abs()
        found = found.iloc[np.argsort(-distance.fillna(-1).to_numpy(), kind="stable")]
    elif "outcome" in found:
        found = found.iloc[np.argsort((found["outcome"] == "end of follow-up").to_numpy(), kind="stable")]
    return found


def value_names(found: pd.DataFrame) -> list[str]:
    """Columns that are values rather than identities."""
    return [str(name) for name in found.columns if name not in IDENTITIES]


def case_list(asked: Asked, found: pd.DataFrame, user: User, *, most: int) -> CaseList:
    """The first ``most`` cases with links."""
    shown = found.head(most)
    names = value_names(found)
    # Beside the figures there is room for one comparison; the download has every column.
    names = names[:2] if names and names[0].endswith("_first") else names[:MOST_VALUES]
    exams = [int(e) for e in shown["exam"].dropna().unique()] if "exam" in shown else []
    opened = selectors.exams_with_images(user, asked.study, exams) if exams else set()
    if not may(user, asked.study, Capability.SEE_EVERY_CASE) and _pair(asked) not in PAIRS_OF_THE_FINAL_READ:
        opened = set()
    rows = tuple(_row(asked, record, names, opened) for record in records(shown))
    headings = tuple((heading(asked, name), found[name].dtype.kind in "iuf") for name in names)
    return CaseList(len(found), headings, rows)


def records(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings of column to value."""
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]


def _pair(asked: Asked) -> str:
    if asked.question.key == "ivus":
        return "network_ivus"
    return str(asked.address.selection.get("pair") or getattr(asked.parameters, "pair", ""))


def heading(asked: Asked, name: str) -> str:
    """``expert (mm³)`` for a side of the chosen pair, else the column's name in words."""
    stem, _, side = name.rpartition("_")
    pair = PAIRS.get(_pair(asked))
    if side in ("first", "second") and pair is not None:
        who = pair.first if side == "first" else pair.second
        metric = METRICS.get(stem)
        if metric is not None and metric.name == asked_metric(asked, metric.name):
            return f"{who} ({metric.unit})" if metric.unit else who
        return f"{who}, {metric.heading if metric else words(stem)}"
    metric = METRICS.get(name)
    return metric.heading if metric else words(name)


def asked_metric(asked: Asked, default: str) -> str:
    """The metric that a page is about; CAD-RADS speaks of categories."""
    if asked.question.key == "cadrads":
        return "cadrads"
    return str(asked.address.selection.get("metric") or getattr(asked.parameters, "metric", default))


def words(name: str) -> str:
    """A column's name as a person reads it."""
    text = {"cadrads": "CAD-RADS", "seconds_gpu": "GPU time", "seconds_cpu": "CPU time"}.get(name)
    if text is None:
        text = " ".join(w.upper() if w in ABBREVIATIONS else w for w in name.split("_"))
    return text[:1].upper() + text[1:]


def _row(asked: Asked, record: dict[str, Any], names: Sequence[str], opened: set[int]) -> CaseRow:
    row_link = link_to_row(asked, record)
    number = _number(record.get("exam"))
    images = number is not None and int(number) in opened
    return CaseRow(
        patient=_text(record["patient"]),
        place=place(record),
        site=_text(record.get("site")),
        values=tuple(
            (shown(record[name], metric_of(name)), not isinstance(record[name], str | bool | np.bool_))
            for name in names
        ),
        link=link_to_images(asked.study.slug, int(number), record)
        if images and number is not None
        else row_link,
        row_link=row_link,
        opens_images=images,
    )


def label(record: dict[str, Any]) -> str:
    """``P-004 · LAD · lesion 2``."""
    return " · ".join(part for part in (_text(record["patient"]), place(record)) if part)


def place(record: dict[str, Any]) -> str:
    """``LAD · lesion 2``; a lesion without a counterpart in the first read carries the second's number."""
    where = _text(record.get("vessel")) or _text(record.get("territory"))
    first, second = _number(record.get("first_lesion")), _number(record.get("second_lesion"))
    lesion = f"lesion {int(first)}" if first is not None else ""
    if first is None and second is not None:
        lesion = f"lesion {int(second)} of the second read alone"
    return " · ".join(part for part in (where, lesion) if part)


def link_to_row(asked: Asked, record: dict[str, Any]) -> str:
    """The page of a case's measurements, at its row where it has one."""
    return row_address(
        asked.study.slug, asked.row.number, str(record["patient"]), table_of(record), record.get("row")
    )


def row_address(slug: str, freeze: int, patient: str, table: str = "", row: Any = None) -> str:
    """Address of a patient's measurements in a freeze; ``table`` and ``row`` name the row that is meant."""
    address = reverse("dashboards:case", kwargs={"study": slug, "number": freeze})
    place = {"patient": patient} | (
        {"table": table, "row": str(int(row))} if table and row is not None else {}
    )
    return f"{address}?{urlencode(place)}"


def table_of(record: dict[str, Any]) -> str:
    """The pair table that a row of cases comes from; empty where it is a patient."""
    if "first_read" not in record:
        return ""
    if "first_lesion" in record:
        return "lesion_pairs"
    if "vessel" in record:
        return "vessel_pairs"
    return "territory_pairs" if "territory" in record else "patient_pairs"


def link_to_images(slug: str, exam: int, record: dict[str, Any]) -> str:
    """Where the viewer opens: the lesion of a final read by its number, another by the section in its middle."""
    address = reverse("reading:exam_view", kwargs={"study": slug, "number": exam})
    place: dict[str, str] = {}
    if vessel := _text(record.get("vessel")) or _text(record.get("territory")):
        place["vessel"] = vessel
    lesion, middle = _number(record.get("first_lesion")), _number(record.get("position"))
    if lesion is not None and re.match(r"revision \d", _text(record.get("first_read"))):
        place["lesion"] = str(int(lesion))
    elif middle is not None:
        place["section"] = str(round(middle / SPACING_ALONG))
    return f"{address}?{urlencode(place)}" if place else address


def metric_of(name: str) -> Metric | None:
    """The metric of a column, or of one side of a pair; None where the column holds something else."""
    return METRICS.get(name) or METRICS.get(name.removesuffix("_first").removesuffix("_second"))


def shown(value: Any, metric: Metric | None = None) -> str:
    """A value as printed: a metric with its digits, another number with two unless it is whole; a dash where there is none."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if metric is not None:
            return printed(number, metric.digits, metric.borders)
        return str(int(number)) if number.is_integer() and abs(number) < 1e6 else printed(number, 2)
    return str(value).replace("_", " ")


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)
