"""``python -m inference analyse``: the whole way without a database."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from inference.analysis import Analysis, Settings
from inference.centreline import Centreline, trace, write_centrelines
from inference.centreline.automatic import find_centrelines
from inference.centreline.formats import import_files
from inference.centreline.given import Given, check_given
from inference.commands.choosing import add_scan
from inference.composition_profiles import profile_named
from inference.dicom.export import REPORT, SEGMENTATION, DicomObjects, export
from inference.doubts import Doubt, told
from inference.errors import CentrelineError, QuantificationError
from inference.quantification import Lesion, Measurement, calibration
from inference.report import report_page
from inference.scan import SourceSeries, Volume, read_source, read_volume
from inference.vocabulary import VESSELS

COLUMNS = (
    "exam",
    "level",
    "vessel",
    "segment",
    "lesion",
    "metric",
    "value",
    "unit",
    "low",
    "high",
    "profile",
    "interval_low",
    "interval_high",
)
DOUBT_COLUMNS = ("exam", "vessel", "lesion", "start_mm", "end_mm", "code", "measure", "unit", "message")
POINT_COLUMNS = ("vessel", "start_x_mm", "start_y_mm", "start_z_mm", "end_x_mm", "end_y_mm", "end_z_mm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's options."""
    add_scan(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for measurements.csv and the rest")
    lines = parser.add_mutually_exclusive_group()
    lines.add_argument(
        "--centrelines",
        type=Path,
        action="append",
        metavar="FILE",
        help="CSV vessel,segment,x_mm,y_mm,z_mm (LPS), .vtk, .vtp or CAT08 .txt; once for each file; found if not given",
    )
    lines.add_argument(
        "--points", type=Path, help=f"two points a vessel, traced: CSV {','.join(POINT_COLUMNS)}"
    )
    parser.add_argument(
        "--vessels",
        default="",
        metavar="NAMES",
        help="which vessels the lines of --centrelines are, where the file does not say: LM,LAD,-,RCA (- leaves one out)",
    )
    parser.add_argument("--lesions", type=Path, help="given extents: CSV vessel,lesion,start_mm,end_mm")
    parser.add_argument("--profile", default="corrected", help="composition profile (default: corrected)")
    parser.add_argument("--model", default="served", help="network (default: the served one)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument(
        "--arithmetic",
        default="auto",
        choices=("auto", "float32", "bfloat16"),
        help="of the network; auto is bfloat16 on a processor that has it",
    )
    parser.add_argument("--exam", default="", help="name of the exam in the table (default: the folder's)")
    parser.add_argument("--no-dicom", action="store_true", help="leave out segmentation.dcm and report.dcm")
    parser.add_argument("--json", action="store_true", help="print analysis.json on standard output")


def run(options: argparse.Namespace) -> int:
    """Read, analyse, write; nothing is written unless all of it succeeded."""
    started = time.perf_counter()
    profile_named(options.profile)  # a wrong name is told before anything takes long
    lesions = read_lesions(options.lesions) if options.lesions else None
    progress = _bar()
    progress("read", 0.0)
    volume, chosen = read_volume(options.dicom, series=options.series, phase=options.phase)
    source = None if options.no_dicom else read_source(chosen.files, volume)
    read = time.perf_counter()
    progress("centrelines", 0.0)
    found = None
    doubts: tuple[Doubt, ...] = ()
    if options.centrelines or options.points:
        given = given_lines(options, volume, lesions)
        lines, doubts = list(given.lines), given.doubts
    else:
        found = find_centrelines(volume, progress=lambda fraction: progress("centrelines", fraction))
        lines, doubts = list(found.lines), found.doubts
    traced = time.perf_counter()
    from inference.pipeline import analyse  # noqa: PLC0415 - torch loads for seconds: bad input is told before

    settings = Settings(
        model=options.model,
        profile=options.profile,
        device=options.device,
        arithmetic=options.arithmetic,
        lesions=lesions,
    )
    analysis = analyse(volume, lines, settings=settings, progress=progress, doubts=doubts)
    timings = {"read": round(read - started, 3), "centrelines": round(traced - read, 3), **analysis.timings}
    exam = options.exam or options.dicom.resolve().name
    summary = summarise(
        volume=volume, analysis=analysis, timings=timings, total=time.perf_counter() - started
    )
    if found is not None:
        summary["centrelines"] = found.summary()
    progress("write", 0.0)
    objects = make_objects(volume, analysis, source, summary) if source else None
    write(
        out=options.out,
        exam=exam,
        volume=volume,
        analysis=analysis,
        lines=lines,
        summary=summary,
        objects=objects,
    )
    progress("done", 1.0)
    if options.json:
        print(json.dumps(summary))
    else:
        for warning in (*analysis.warnings, *told(doubts)):
            print(f"warning: {warning}", file=sys.stderr)
        print(
            f"{len(analysis.measurements)} measurements of {len(analysis.vessels)} vessels → {options.out}",
            file=sys.stderr,
        )
    return 0


def given_lines(options: argparse.Namespace, volume: Volume, lesions: Mapping[str, object] | None) -> Given:
    """Read or trace the given centrelines and hold them against the scan.

    Raises
    ------
    CentrelineError
        What no number can come of; ``lesions-moved`` where a line had to be changed whose lesions are given by position.
    """
    if options.points:
        lines = trace_points(volume, options.points)
    else:
        names = [name.strip() for name in options.vessels.split(",")] if options.vessels else []
        lines = import_files(options.centrelines, vessels=names)
    given = check_given(volume, lines)
    moved = sorted(given.moved & set(lesions or ()))
    if moved:
        why = " ".join(doubt.message for doubt in given.doubts if doubt.vessel in moved)
        raise CentrelineError(
            "lesions-moved",
            f"The lesions of {', '.join(moved)} are given by their positions, but the line had to be changed. {why} Give lines from "
            "their origins on, with the lesions' positions along them.",
        )
    return given


def read_lesions(path: Path) -> dict[str, tuple[Lesion, ...]]:
    """Read given extents. Raises QuantificationError naming the row."""
    if not path.is_file():
        raise QuantificationError("no-such-file", f"There is no lesion file {path.name}.")
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    wanted = ("vessel", "lesion", "start_mm", "end_mm")
    missing = [c for c in wanted if c not in (reader.fieldnames or [])]
    if missing:
        raise QuantificationError("missing-columns", f"{path.name}: column {', '.join(missing)} is missing.")
    found: dict[str, list[Lesion]] = {}
    for number, row in enumerate(reader, start=2):
        vessel = (row["vessel"] or "").strip()
        if vessel not in VESSELS:
            raise QuantificationError(
                "unknown-vessel", f"{path.name}, row {number}: “{vessel}” is not a vessel."
            )
        try:
            lesion = Lesion(int(float(row["lesion"])), float(row["start_mm"]), float(row["end_mm"]))
        except (TypeError, ValueError):
            raise QuantificationError(
                "not-a-number", f"{path.name}, row {number}: lesion, start_mm and end_mm must be numbers."
            ) from None
        except QuantificationError as error:
            raise QuantificationError(error.code, f"{path.name}, row {number}: {error}") from None
        if any(x.number == lesion.number for x in found.setdefault(vessel, [])):
            raise QuantificationError(
                "duplicate-lesion", f"{path.name}, row {number}: {vessel} has lesion {lesion.number} twice."
            )
        found[vessel].append(lesion)
    return {vessel: tuple(x) for vessel, x in found.items()}


def trace_points(volume: Volume, path: Path) -> list[Centreline]:
    """Trace each vessel between its two points. Raises CentrelineError naming the row."""
    if not path.is_file():
        raise CentrelineError("no-such-file", f"There is no file {path.name}.")
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    missing = [c for c in POINT_COLUMNS if c not in (reader.fieldnames or [])]
    if missing:
        raise CentrelineError("missing-columns", f"{path.name}: column {', '.join(missing)} is missing.")
    lines = []
    for number, row in enumerate(reader, start=2):
        try:
            numbers = np.array([float(row[c]) for c in POINT_COLUMNS[1:]])
        except (TypeError, ValueError):
            raise CentrelineError(
                "not-a-number", f"{path.name}, row {number}: the coordinates must be numbers."
            ) from None
        lines.append(trace(volume, numbers[:3], numbers[3:], row["vessel"].strip()))
    return lines


def table_row(exam: str, row: Measurement) -> list[Any]:
    """Return one line of measurements.csv."""

    def number(x: float | str | None) -> str:
        return "" if x is None else x if isinstance(x, str) else f"{x:.6g}"

    lesion = "" if row.lesion is None else row.lesion
    values = [number(row.value), row.unit, number(row.low), number(row.high), row.profile]
    interval = [number(row.interval_low), number(row.interval_high)]
    return [exam, row.level, row.vessel, row.segment, lesion, row.metric, *values, *interval]


def doubt_row(exam: str, doubt: Doubt) -> list[Any]:
    """Return one line of doubts.csv."""
    told = doubt.to_dict()
    where = [told["vessel"], *("" if told[name] is None else told[name] for name in DOUBT_COLUMNS[2:5])]
    much = "" if told["measure"] is None else told["measure"]
    return [exam, *where, doubt.code, much, doubt.kind.unit, doubt.message]


def summarise(
    *, volume: Volume, analysis: Analysis, timings: dict[str, float], total: float
) -> dict[str, Any]:
    """Return what analysis.json says: timings, versions, hashes, quality, warnings."""
    return {
        "research_use_only": True,
        "timings_s": {**timings, "total": round(total, 3)},
        "versions": analysis.versions,
        "scan": dict(volume.metadata),
        "warnings": list(analysis.warnings),
        "doubts": [doubt.to_dict() for doubt in analysis.doubts],
        "cadrads2": None
        if analysis.cadrads2 is None
        else {"category": str(analysis.cadrads2), **asdict(analysis.cadrads2)},
        "image": _rounded(asdict(analysis.imaging)),
        "calcium_calibration": asdict(calibration(analysis.imaging.kvp)),
        "aortic_region": None if analysis.aorta is None else asdict(analysis.aorta),
        "vessels": [
            {
                "vessel": vessel.vessel,
                "sections": vessel.sections,
                "contours_sha256": read.contours.sha256,
                "lesions": len(read.lesions),
                "masked_sections": len(read.contours.masks),
                "expected_wrong_labels": round(float(analysis.uncertainty[vessel.vessel].mean()), 4),
                "references": {
                    number: _rounded(asdict(reference))
                    for number, reference in analysis.references.get(vessel.vessel, {}).items()
                },
            }
            for vessel, read in zip(analysis.vessels, analysis.reads, strict=True)
        ],
    }


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        k: round(float(v), 4) if v is not None and not isinstance(v, str) else v for k, v in fields.items()
    }


def make_objects(
    volume: Volume, analysis: Analysis, source: SourceSeries, summary: dict[str, Any]
) -> DicomObjects:
    """Make segmentation and report, and name them in the summary with the time that they took."""
    begin = time.perf_counter()
    made = export(analysis, volume, source)
    summary["timings_s"]["dicom"] = round(time.perf_counter() - begin, 3)
    summary["dicom"] = {
        "segmentation": {"file": SEGMENTATION, "sop_instance_uid": str(made.segmentation.SOPInstanceUID)},
        "report": {"file": REPORT, "sop_instance_uid": str(made.report.SOPInstanceUID)},
    }
    return made


def write(
    *,
    out: Path,
    exam: str,
    volume: Volume,
    analysis: Analysis,
    lines: list[Centreline],
    summary: dict[str, Any],
    objects: DicomObjects | None,
) -> None:
    """Write measurements.csv, doubts.csv, analysis.json, centrelines.csv, vessels.npz, the DICOM objects and report.html."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "measurements.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(table_row(exam, row) for row in analysis.measurements)
    with (out / "doubts.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(DOUBT_COLUMNS)
        writer.writerows(doubt_row(exam, doubt) for doubt in analysis.doubts)
    write_centrelines(out / "centrelines.csv", lines)
    arrays: dict[str, Any] = {}
    for vessel, read in zip(analysis.vessels, analysis.reads, strict=True):
        name = vessel.vessel
        arrays |= {
            f"{name}/hu": vessel.hu,
            f"{name}/centre": vessel.centre,
            f"{name}/axis_u": vessel.axis_u,
            f"{name}/axis_v": vessel.axis_v,
            f"{name}/lumen_radius": read.contours.lumen_radius,
            f"{name}/wall_radius": read.contours.wall_radius,
            f"{name}/plaque": read.contours.plaque,
            f"{name}/uncertainty": analysis.uncertainty[name],
        }
    np.savez_compressed(out / "vessels.npz", **arrays)
    if objects:
        begin = time.perf_counter()
        objects.save(out)
        summary["timings_s"]["dicom_files"] = round(time.perf_counter() - begin, 3)
    page = report_page(exam=exam, volume=volume, analysis=analysis, summary=summary)
    (out / "report.html").write_text(page, encoding="utf-8")
    (out / "analysis.json").write_text(json.dumps(summary, indent=1))


def _bar() -> Callable[[str, float], None]:
    """Return a progress report: a bar per stage on a terminal, a line per stage elsewhere."""
    last = {"stage": ""}
    terminal = sys.stderr.isatty()

    def bar(stage: str, fraction: float, end: str = "") -> None:
        filled = int(fraction * 30)
        print(f"\r{stage:12} [{'█' * filled}{'·' * (30 - filled)}]", end=end, file=sys.stderr, flush=True)

    def progress(stage: str, fraction: float) -> None:
        if stage == "contours":  # drawn vessel by vessel, between two reports of "segment"
            return
        before, last["stage"] = last["stage"], stage
        if terminal and before and before != stage:
            bar(before, 1.0, end="\n")
        if stage == "done":
            return
        if terminal:
            bar(stage, fraction)
        elif stage != before:
            print(stage, file=sys.stderr)

    return progress
