"""Pairs of the live tables for the present pages: signed and final reads beside the network's run.

One query (:func:`measurement_rows`) reads every number that a dashboard shows. What enters is decided here:

* ``network-expert``: the final read of every final case, if its reader worked without sight of the network,
  beside the run that the case was opened on. Reads made with the network in sight are counted, never pooled.
* ``reader-reader``: the two readers' signed reads of every case that both have signed.

Both reads of a case lie on the same straightened vessels, so that positions along a vessel are comparable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from plaquelab.analysis.models import Measurement
from plaquelab.dashboards.matching import Extent, match
from plaquelab.dashboards.metrics import METRICS, Metric
from plaquelab.dashboards.pairs import PAIRS, PairedRows, Row
from plaquelab.reading.models import Assignment, Read, ReadCase, Signature
from plaquelab.studies.models import Study

SECTION_SPACING_MM = 0.3
Owner = tuple[str, int]
"""Who owns a measurement: ("run", id) or ("revision", id)."""
Cell = tuple[Owner, str, int | None, str]
"""Owner, vessel, lesion, metric."""


@dataclass(frozen=True)
class Comparison:
    """One case with the owners of its two reads' measurements."""

    case: int
    exam: int
    number: int
    subject: str
    site: str
    cohort: str
    first: Owner
    second: Owner


@dataclass(frozen=True)
class Comparisons:
    """The comparisons of a pair, and what did not enter with the reason."""

    entries: tuple[Comparison, ...]
    left_out: tuple[tuple[str, int], ...]


def signed_revisions(reads: Iterable[int]) -> dict[int, int]:
    """Read id → id of the revision that was signed last."""
    signed = Signature.objects.filter(revision__read__in=list(reads)).order_by("at", "pk")
    return dict(signed.values_list("revision__read_id", "revision_id"))


def comparisons(*, study: Study, pair: str, site: str = "", cohort: str = "") -> Comparisons:
    """Return what of a study may be compared, restricted to a site's code or a cohort's name when given."""
    cases = ReadCase.objects.filter(study=study).select_related(
        "exam__subject__cohort", "exam__site", "final_read"
    )
    if site:
        cases = cases.filter(exam__site__code=site)
    if cohort:
        cases = cases.filter(exam__subject__cohort__name=cohort)
    return _network_expert(cases) if pair == "network-expert" else _reader_reader(cases)


def _network_expert(cases: Any) -> Comparisons:
    final = list(cases.filter(state=ReadCase.State.FINAL, final_read__isnull=False).order_by("exam__number"))
    unfinished = cases.count() - len(final)
    unaided = [case for case in final if not case.final_read.saw_network]
    revisions = signed_revisions(case.final_read_id for case in unaided)
    entries = tuple(
        _comparison(case, ("revision", revisions[case.final_read_id]), ("run", case.run_id))
        for case in unaided
        if case.final_read_id in revisions
    )
    left_out = (
        ("cases not final yet", unfinished),
        ("final reads made with the network in sight", len(final) - len(unaided)),
    )
    return Comparisons(entries, tuple(item for item in left_out if item[1]))


def _reader_reader(cases: Any) -> Comparisons:
    reads = Read.objects.filter(
        case__in=cases, state=Read.State.SIGNED, assignment__purpose=Assignment.Purpose.READ
    ).values_list("pk", "case_id", "assignment__slot")
    by_case: dict[int, dict[int, int]] = defaultdict(dict)
    for pk, case_id, slot in reads:
        by_case[case_id][slot] = pk
    both = {case: slots for case, slots in by_case.items() if {0, 1} <= set(slots)}
    revisions = signed_revisions(pk for slots in both.values() for pk in slots.values())
    entries = tuple(
        _comparison(
            case, ("revision", revisions[both[case.pk][0]]), ("revision", revisions[both[case.pk][1]])
        )
        for case in cases.filter(pk__in=both).order_by("exam__number")
        if both[case.pk][0] in revisions and both[case.pk][1] in revisions
    )
    waiting = cases.count() - len(entries)
    return Comparisons(
        entries, (("cases that two readers have not both signed", waiting),) if waiting else ()
    )


def _comparison(case: ReadCase, first: Owner, second: Owner) -> Comparison:
    subject = case.exam.subject
    return Comparison(
        case=case.pk,
        exam=case.exam_id,
        number=case.exam.number,
        subject=subject.pseudonym,
        site=case.exam.site.code,
        cohort=subject.cohort.name if subject.cohort else "",
        first=first,
        second=second,
    )


def measurement_rows(
    *, study: Study, entries: Sequence[Comparison], level: str, metrics: Sequence[str]
) -> dict[Cell, tuple[float | None, str]]:
    """THE query: value and text of every measurement of the compared reads at one level.

    Joins ``Measurement`` to a run (network) or a read's revision (expert) by the owners in ``entries``.
    """
    owners = [owner for entry in entries for owner in (entry.first, entry.second)]
    runs = [pk for kind, pk in owners if kind == "run"]
    revisions = [pk for kind, pk in owners if kind == "revision"]
    found = Measurement.objects.filter(
        Q(run_id__in=runs) | Q(revision_id__in=revisions),
        exam__study=study,
        level=level,
        metric__in=list(metrics),
    ).values_list("run_id", "revision_id", "vessel", "lesion", "metric", "value", "text")
    return {
        (("run", run) if run is not None else ("revision", revision), vessel, lesion, metric): (value, text)
        for run, revision, vessel, lesion, metric, value, text in found
    }


def paired_rows(
    *,
    study: Study,
    pair: str,
    metric: str,
    level: str,
    site: str = "",
    cohort: str = "",
    images: bool = False,
) -> PairedRows:
    """Paired values of one metric at one level, with a link per row.

    ``images`` says whether the links may lead into the viewer; otherwise they lead to the row's page.
    """
    chosen = METRICS[metric]
    found = comparisons(study=study, pair=pair, site=site, cohort=cohort)
    wanted = [metric, "lesion_start", "lesion_end"] if level == "lesion" else [metric]
    cells = measurement_rows(study=study, entries=found.entries, level=level, metrics=wanted)
    rows: list[Row] = []
    counts, extents = list(found.left_out), ""
    if level == "lesion":
        rows, own = _lesions(study, found.entries, cells, chosen, pair, images)
        counts += own
        extents = "own extents, matched by overlap"
        if chosen.zero_when_absent:
            extents += "; a lesion that one read does not have counts 0 there"
    else:
        for entry in found.entries:
            places = {vessel for owner, vessel, _, _ in cells if owner in (entry.first, entry.second)}
            for vessel in sorted(places):
                first, second = (
                    cells.get((owner, vessel, None, metric), (None, ""))[0]
                    for owner in (entry.first, entry.second)
                )
                link = row_link(study, entry, pair, vessel, None, images)
                rows.append(_row(entry, vessel, None, None, first, second, link))
    return PairedRows(
        pair=PAIRS[pair],
        metric=metric,
        level=level,
        unit=chosen.unit,
        rows=tuple(rows),
        is_simulated=study.is_simulated,
        source="the study's signed reads",
        extents=extents,
        counts=tuple(counts),
    )


def _lesions(
    study: Study,
    entries: Sequence[Comparison],
    cells: dict[Cell, tuple[float | None, str]],
    metric: Metric,
    pair: str,
    images: bool,
) -> tuple[list[Row], list[tuple[str, int]]]:
    extents: dict[tuple[Owner, str], list[Extent]] = defaultdict(list)
    for (owner, vessel, lesion, name), (value, _) in cells.items():
        if name == "lesion_start" and lesion is not None and value is not None:
            end = cells.get((owner, vessel, lesion, "lesion_end"), (None, ""))[0]
            if end is not None:
                extents[owner, vessel].append(Extent(lesion, value, end))
    rows: list[Row] = []
    only_first = only_second = 0
    absent = 0.0 if metric.zero_when_absent else None
    for entry in entries:
        vessels = sorted({v for owner, v in extents if owner in (entry.first, entry.second)})
        for vessel in vessels:
            for a, b in match(extents[entry.first, vessel], extents[entry.second, vessel]):
                only_first += b is None
                only_second += a is None
                first = (
                    absent
                    if a is None
                    else cells.get((entry.first, vessel, a.number, metric.name), (None, ""))[0]
                )
                second = (
                    absent
                    if b is None
                    else cells.get((entry.second, vessel, b.number, metric.name), (None, ""))[0]
                )
                lesion = a.number if a is not None else b.number if b is not None else None
                shown = a or b
                is_final = a is not None and pair == "network-expert"
                middle = None if is_final or shown is None else (shown.start_mm + shown.end_mm) / 2
                link = row_link(study, entry, pair, vessel, lesion, images, middle)
                numbers = (None if a is None else a.number, None if b is None else b.number)
                rows.append(_row(entry, vessel, *numbers, first, second, link))
    names = PAIRS[pair]
    counted = [
        (f"lesions of the {names.first} alone", only_first),
        (f"lesions of the {names.second} alone", only_second),
    ]
    return rows, [item for item in counted if item[1]]


def _row(
    entry: Comparison,
    vessel: str,
    lesion_first: int | None,
    lesion_second: int | None,
    first: float | None,
    second: float | None,
    link: str,
) -> Row:
    return Row(
        entry.subject, entry.number, entry.site, vessel, lesion_first, lesion_second, first, second, link
    )


@lru_cache(maxsize=4096)
def _address(name: str, slug: str, number: int) -> str:
    return reverse(name, kwargs={"study": slug, "number": number})


def row_link(
    study: Study,
    entry: Comparison,
    pair: str,
    vessel: str,
    lesion: int | None,
    images: bool,
    middle_mm: float | None = None,
) -> str:
    """Where a click on a row leads: its place in the viewer, or its page of measurements.

    The viewer opens on the final read, whose lesion numbers are the expert's; a lesion of another read is
    opened at the section in its middle, which means the same in every read.
    """
    place = {"vessel": vessel} if vessel else {}
    if images:
        if middle_mm is not None:
            place["section"] = str(round(middle_mm / SECTION_SPACING_MM))
        elif lesion is not None:
            place["lesion"] = str(lesion)
        address = _address("reading:exam_view", study.slug, entry.number)
        return f"{address}?{urlencode(place)}" if place else address
    if lesion is not None:
        place["lesion"] = str(lesion)
    return (
        f"{_address('dashboards:exam_rows', study.slug, entry.number)}?{urlencode({'pair': pair, **place})}"
    )


def paired_categories(
    *, study: Study, pair: str, level: str, site: str = "", cohort: str = "", images: bool = False
) -> PairedRows:
    """CAD-RADS category (0 to 5) of both reads per territory or patient; None where it is no such category."""
    found = comparisons(study=study, pair=pair, site=site, cohort=cohort)
    cells = measurement_rows(study=study, entries=found.entries, level=level, metrics=["cadrads"])
    rows = []
    for entry in found.entries:
        for vessel in sorted({v for owner, v, _, _ in cells if owner in (entry.first, entry.second)}):
            first, second = (
                category(*cells.get((owner, vessel, None, "cadrads"), (None, "")))
                for owner in (entry.first, entry.second)
            )
            rows.append(
                _row(
                    entry,
                    vessel,
                    None,
                    None,
                    first,
                    second,
                    row_link(study, entry, pair, vessel, None, images),
                )
            )
    return PairedRows(
        pair=PAIRS[pair],
        metric="cadrads",
        level=level,
        unit="",
        rows=tuple(rows),
        is_simulated=study.is_simulated,
        source="the study's signed reads",
        counts=found.left_out,
    )


def category(value: float | None, text: str) -> int | None:
    """A stored CAD-RADS as 0 … 5: ``4A`` and ``4B`` are 4; N (non-diagnostic) and unknown texts are None."""
    if value is not None:
        return int(value) if 0 <= value <= 5 else None
    head = text.strip().upper().removeprefix("CAD-RADS").strip().split("/")[0].rstrip("AB")
    return int(head) if head in {"0", "1", "2", "3", "4", "5"} else None


def exam_table(
    *, study: Study, entry: Comparison, pair: str, vessel: str, lesion: int | None
) -> list[dict[str, Any]]:
    """Both reads' values of every metric at one place: a lesion (with its match), a vessel, or the patient.

    ``lesion`` is the first read's number; when that read has none of it, the second's.
    """
    if lesion is None:
        levels = ("vessel", "territory") if vessel else ("patient",)
        found: dict[Cell, tuple[float | None, str]] = {}
        for level in levels:
            found |= measurement_rows(
                study=study, entries=[entry], level=level, metrics=[*METRICS, "cadrads"]
            )
        return _beside(found, entry, vessel, None, None)
    found = measurement_rows(
        study=study, entries=[entry], level="lesion", metrics=[*METRICS, "lesion_start", "lesion_end"]
    )
    sides = []
    for owner in (entry.first, entry.second):
        starts = {
            n: v[0] for (o, p, n, m), v in found.items() if (o, p, m) == (owner, vessel, "lesion_start")
        }
        ends = {n: v[0] for (o, p, n, m), v in found.items() if (o, p, m) == (owner, vessel, "lesion_end")}
        sides.append(
            [
                Extent(n, start, ends[n])  # type: ignore[arg-type]
                for n, start in starts.items()
                if n is not None and start is not None and ends.get(n) is not None
            ]
        )
    pairs = match(*sides)
    chosen = [pair for pair in pairs if pair[0] is not None and pair[0].number == lesion]
    chosen = chosen or [p for p in pairs if p[0] is None and p[1] is not None and p[1].number == lesion]
    if not chosen:
        return []
    a, b = chosen[0]
    return _beside(found, entry, vessel, None if a is None else a.number, None if b is None else b.number)


def _beside(
    cells: dict[Cell, tuple[float | None, str]],
    entry: Comparison,
    vessel: str,
    first: int | None,
    second: int | None,
) -> list[dict[str, Any]]:
    labels = {name: (metric.label, metric.unit) for name, metric in METRICS.items()} | {
        "cadrads": ("CAD-RADS", ""),
        "lesion_start": ("Lesion start", "mm"),
        "lesion_end": ("Lesion end", "mm"),
    }
    rows = []
    for name, (label, unit) in labels.items():
        a = cells.get((entry.first, vessel, first, name))
        b = cells.get((entry.second, vessel, second, name))
        if a is None and b is None:
            continue
        rows.append({"label": label, "unit": unit, "first": _shown(a), "second": _shown(b)})
    return rows


def _shown(cell: tuple[float | None, str] | None) -> float | str | None:
    if cell is None:
        return None
    value, text = cell
    return text or value
