"""Tables of the work itself: reads and their time, segment grades, disagreement, ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from inference.grading import cadrads
from inference.vocabulary import SEGMENTS, TERRITORIES
from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes.gathering import Case, SourceRead, network_read
from plaquelab.freezes.measured import (
    NON_DIAGNOSTIC,
    Owner,
    Values,
    category,
    graded_by_segment,
    segment_number,
)
from plaquelab.imaging.models import Exam
from plaquelab.reading.discordance import describe
from plaquelab.reading.models import Adjudication, Discordance
from plaquelab.studies.models import Study

Rows = list[dict[str, Any]]
OBSTRUCTIVE_PERCENT = 50.0
TERRITORY_OF_SEGMENT = {segment.short: segment.territory for segment in SEGMENTS}


class Days:
    """Days since the study's first exam was received: freezes hold no calendar date."""

    def __init__(self, study: Study) -> None:
        first = Exam.objects.filter(study=study).order_by("received_at").first()
        self._origin = first.received_at if first else None

    def __call__(self, at: datetime | None) -> int | None:
        """Return whole days, or None where the moment is not known."""
        if at is None or self._origin is None:
            return None
        return max((at - self._origin).days, 0)


def reads(*, cases: Sequence[Case], values: Mapping[Owner, Values], days: Days) -> Rows:
    """Return every main run, second operator's run, signed read and imported read."""
    rows: Rows = []
    for case in cases:
        if case.subject.cohort is None:
            continue
        if case.run is not None:
            rows.append(_run_row(case.run, network_read(case.run, case.patient), days))
        if case.second_operator is not None:
            again = network_read(case.second_operator, case.patient, "centreline_b")
            rows.append(_run_row(case.second_operator, again, days))
        for slot, read in sorted(case.readers.items()):
            row = _read_row(read, days)
            first_slot = min(case.readers) if case.final is None else None
            is_first = slot == first_slot if case.final is None else read.key == case.final.key
            if read.kind == "expert" and not is_first:
                row["kind"] = "second_expert"
            if read.kind == "assisted" and case.run is not None:
                row["share_changed"] = share_changed(values[("run", case.run.pk)], values[read.owner])
            rows.append(row)
        rows += [_read_row(read, days) for _, read in sorted(case.repeats.items())]
        has_expert = bool(case.readers)
        for (kind, _, occasion), read in sorted(case.imported.items()):
            row = _read_row(read, days)
            if kind == "expert" and occasion == 1:
                row["kind"] = "second_expert" if has_expert else "expert"
                has_expert = True
            rows.append(row)
    return rows


def _run_row(run: AnalysisRun, read: SourceRead, days: Days) -> dict[str, Any]:
    seconds = run.timings.get("total")
    on_gpu = str(run.versions.get("device", "cpu")).startswith("cuda")
    return {
        "read": read.key,
        "patient": read.patient,
        "kind": read.kind,
        "reader": read.reader,
        "saw_network": None,
        "share_changed": None,
        "minutes": None,
        "seconds_gpu": float(seconds) if seconds is not None and on_gpu else None,
        "seconds_cpu": float(seconds) if seconds is not None and not on_gpu else None,
        "order": None,
        "day": days(read.at),
    }


def _read_row(read: SourceRead, days: Days) -> dict[str, Any]:
    return {
        "read": read.key,
        "patient": read.patient,
        "kind": read.kind,
        "reader": read.reader,
        "saw_network": read.saw_network,
        "share_changed": None,
        "minutes": read.minutes,
        "seconds_gpu": None,
        "seconds_cpu": None,
        "order": read.order,
        "day": days(read.at),
    }


def share_changed(network: Values, assisted: Values) -> float | None:
    """Return how much plaque an assisted reader changed: Σ |ΔV| over the vessels, in % of the network's volume."""
    metric = "total_plaque_volume"
    vessels = network.vessels.keys() & assisted.vessels.keys()
    before = sum(network.vessels[v].get(metric) or 0.0 for v in vessels)
    if before <= 0:
        return None
    changed = sum(
        abs((assisted.vessels[v].get(metric) or 0.0) - (network.vessels[v].get(metric) or 0.0))
        for v in vessels
    )
    return 100.0 * changed / before


def segment_grades(*, cases: Sequence[Case], values: Mapping[Owner, Values]) -> Rows:
    """Return the diameter stenosis of every graded segment: network, final read and invasive reads."""
    rows: Rows = []
    for case in cases:
        if case.subject.cohort is None:
            continue
        sources = [network_read(case.run, case.patient)] if case.run is not None else []
        sources += [case.final] if case.final is not None else []
        sources += case.imports("ica")
        for read in sources:
            found = values[read.owner]
            for short, row in sorted(found.segments.items()):
                number = segment_number(short)
                if number is None or "diameter_stenosis" not in row:
                    continue
                text = found.grades.get(("segment", short), "")
                rows.append(
                    {
                        "patient": case.patient,
                        "segment": number,
                        "kind": read.kind,
                        "reader": read.reader,
                        "territory": TERRITORY_OF_SEGMENT[short],
                        "diameter_stenosis": row["diameter_stenosis"],
                        "cadrads": category(text) if text else _grade(row["diameter_stenosis"]),
                        "nondiagnostic": text == NON_DIAGNOSTIC,
                    }
                )
    kept = _once(rows, ("patient", "segment", "kind", "reader"))
    return sorted(kept, key=lambda row: (row["patient"], row["kind"], row["reader"], row["segment"]))


def _once(rows: Rows, key: Sequence[str]) -> Rows:
    """Keep the worst grade where two vessels share a segment's name."""
    worst: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        name = tuple(row[part] for part in key)
        known = worst.get(name)
        if known is None or (row["diameter_stenosis"] or 0.0) > (known["diameter_stenosis"] or 0.0):
            worst[name] = row
    return list(worst.values())


def _grade(stenosis: float | None) -> int | None:
    return None if stenosis is None else int(cadrads(stenosis, has_lesion=stenosis > 0))


def disagreement(*, cases: Sequence[Case], days: Days) -> Rows:
    """Return every case that two readers have both signed, with what differed and who was right."""
    by_case = {case.case.pk: case for case in cases if case.case is not None and case.subject.cohort}
    decided = dict(
        Adjudication.objects.filter(case__in=by_case, chosen__isnull=False).values_list(
            "case_id", "chosen__assignment__slot"
        )
    )
    rows: Rows = []
    for found in Discordance.objects.filter(case__in=by_case).order_by("case__exam__number"):
        case = by_case[found.case_id]
        if not {0, 1} <= case.readers.keys():
            continue
        texts = [describe(item, swapped=False)["text"] for item in found.items]
        chosen = decided.get(found.case_id)
        rows.append(
            {
                "patient": case.patient,
                "reader_1": case.readers[0].reader,
                "reader_2": case.readers[1].reader,
                "discordant": found.is_discordant,
                "reason": "; ".join(texts) or None,
                "adjudicated": chosen is not None,
                "chosen": None if chosen is None else chosen + 1,
                "day": days(found.at),
            }
        )
    return rows


def ratings(*, cases: Sequence[Case], values: Mapping[Owner, Values]) -> Rows:
    """Return every reader's worst stenosis a territory, where angiography says whether it is obstructed."""
    rows: Rows = []
    for case in cases:
        reference = next(iter(case.imports("ica")), None)
        if reference is None or case.subject.cohort is None:
            continue
        truth = graded_by_segment(values[reference.owner])
        for read in case.readers.values():
            for territory in TERRITORIES:
                score = values[read.owner].territories.get(territory, {}).get("diameter_stenosis")
                stenosis = truth.territories.get(territory, {}).get("diameter_stenosis")
                if score is None or stenosis is None:
                    continue
                rows.append(
                    {
                        "patient": case.patient,
                        "territory": territory,
                        "reader": read.reader,
                        "modality": "aided" if read.saw_network else "unaided",
                        "score": score,
                        "diseased": stenosis >= OBSTRUCTIVE_PERCENT,
                    }
                )
    return rows
