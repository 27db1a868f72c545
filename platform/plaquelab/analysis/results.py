"""Storing what was measured: vessels, contours, lesions, measurement rows, artefacts.

Files are written first, under paths that hold their hash; rows follow in the caller's transaction. A worker
killed between the two leaves files that the next attempt writes again, and no row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder

from plaquelab.analysis import measuring_code
from plaquelab.analysis.models import AnalysisRun, Artefact, ContourSet, Lesion, Measurement, Vessel
from plaquelab.imaging.models import Exam
from plaquelab.storage.content import StoredFile, put_file, put_made

if TYPE_CHECKING:
    from inference.analysis import Analysis
    from inference.contours import VesselContours
    from inference.quantification import Measurement as Measured
    from inference.quantification import VesselRead
    from inference.straightening import StraightenedVessel


def vessel_folder(vessel: Vessel) -> str:
    """Return the storage folder of a vessel's contours."""
    return f"runs/{vessel.run_id}/contours"


def put_contours(*, folder: str, name: str, contours: VesselContours) -> StoredFile:
    """Store one vessel's contours, with where they come from, as a file (no row yet)."""
    said = json.dumps([contours.sha256, sorted(contours.provenance.items())])
    content = hashlib.sha256(said.encode()).hexdigest()
    return put_made(folder=folder, kind=name, suffix=".npz", content=content, make=contours.to_bytes)


def put_vessel(*, folder: str, vessel: StraightenedVessel) -> StoredFile:
    """Store a straightened vessel as a file (no row yet)."""
    digest = hashlib.sha256(json.dumps([vessel.vessel, *vessel.segment]).encode())
    for array in (vessel.hu, vessel.centre, vessel.axis_u, vessel.axis_v, vessel.curvature):
        digest.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    content = digest.hexdigest()
    return put_made(folder=folder, kind=vessel.vessel, suffix=".npz", content=content, make=vessel.to_bytes)


def store_read(
    *, vessel: Vessel, read: VesselRead, source: str, file: StoredFile | None = None
) -> ContourSet:
    """Store one read of one vessel: the contours' file, its row, and its lesions.

    Parameters
    ----------
    vessel : the straightened vessel that the read speaks of.
    read : contours and lesions (mm along the path).
    source : ``network``, ``reader`` or ``adjudicator``.
    file : the contours' file when it was stored before.

    Raises
    ------
    ValueError
        The read is of another vessel, or has another number of sections.
    """
    if read.vessel != vessel.name:
        raise ValueError(f"A read of {read.vessel} cannot be stored for {vessel.name}.")
    sections = read.contours.lumen_radius.shape[0]
    if sections != vessel.sections:
        raise ValueError(f"{vessel.name} has {vessel.sections} sections, the read {sections}.")
    file = file or put_contours(folder=vessel_folder(vessel), name=vessel.name, contours=read.contours)
    contour_set = ContourSet.objects.create(
        vessel=vessel,
        source=source,
        path=file.path,
        sha256=file.sha256,
        excluded=[[start, end, reason] for start, end, reason in read.excluded],
        code_version=measuring_code.today(),
    )
    Lesion.objects.bulk_create(
        Lesion(
            contour_set=contour_set,
            number=lesion.number,
            start_mm=lesion.start_mm,
            end_mm=lesion.end_mm,
            proximal_reference_mm=lesion.proximal_reference_mm,
            distal_reference_mm=lesion.distal_reference_mm,
            flags=list(lesion.flags),
        )
        for lesion in read.lesions
    )
    return contour_set


def store_measurements(
    *,
    exam: Exam,
    rows: Iterable[Measured],
    run: AnalysisRun | None = None,
    revision: Any = None,
    imported: Any = None,
) -> int:
    """Store rows of the long table for a run, for a read's revision or for an outside read; return how many."""
    made = Measurement.objects.bulk_create(
        (
            Measurement(
                run=run,
                revision=revision,
                imported=imported,
                exam=exam,
                level=row.level,
                vessel=row.vessel or "",
                segment=row.segment or "",
                lesion=row.lesion,
                metric=row.metric,
                value=None if row.value is None or isinstance(row.value, str) else float(row.value),
                text=row.value if isinstance(row.value, str) else "",
                unit=row.unit or "",
                low=None if row.low is None else float(row.low),
                high=None if row.high is None else float(row.high),
                interval_low=row.interval_low,
                interval_high=row.interval_high,
                profile=row.profile,
            )
            for row in rows
        ),
        batch_size=200,
    )
    return len(made)


@dataclass(frozen=True)
class StoredAnalysis:
    """An analysis whose files lie in the store and whose rows are still to be written."""

    analysis: Analysis
    vessels: tuple[StoredFile, ...]
    contours: tuple[StoredFile, ...]
    artefacts: tuple[StoredFile, ...]


def put_files(*, run: AnalysisRun, analysis: Analysis, extra: Iterable[StoredFile] = ()) -> StoredAnalysis:
    """Write every file of an analysis: vessels, contours, the record."""
    folder = f"runs/{run.pk}"
    vessels = tuple(put_vessel(folder=f"{folder}/vessels", vessel=vessel) for vessel in analysis.vessels)
    contours = tuple(
        put_contours(folder=f"{folder}/contours", name=read.vessel, contours=read.contours)
        for read in analysis.reads
    )
    text = json.dumps(summary(analysis), cls=_Encoder, sort_keys=True, indent=1, allow_nan=False)
    told = put_file(folder=folder, kind=Artefact.RECORD, suffix=".json", data=text.encode())
    return StoredAnalysis(analysis, vessels, contours, (told, *extra))


def write_rows(*, run: AnalysisRun, stored: StoredAnalysis) -> None:
    """Write every row of an analysis; call it in the transaction that ends the run."""
    analysis = stored.analysis
    reads = {read.vessel: (read, file) for read, file in zip(analysis.reads, stored.contours, strict=True)}
    for order, (vessel, file) in enumerate(zip(analysis.vessels, stored.vessels, strict=True)):
        row = Vessel.objects.create(
            run=run,
            name=vessel.vessel,
            order=order,
            path=file.path,
            sha256=file.sha256,
            sections=vessel.hu.shape[0],
        )
        read, contours = reads[vessel.vessel]
        store_read(vessel=row, read=read, source=ContourSet.Source.NETWORK, file=contours)
    Artefact.objects.bulk_create(
        Artefact(run=run, kind=file.kind, path=file.path, sha256=file.sha256, size=file.size)
        for file in stored.artefacts
    )
    store_measurements(exam=run.exam, rows=analysis.measurements, run=run)


def summary(analysis: Analysis) -> dict[str, Any]:
    """Return what the record holds: everything but the pictures and the contours."""
    return {
        "vessels": [_vessel_summary(vessel) for vessel in analysis.vessels],
        "lesions": {read.vessel: [asdict(lesion) for lesion in read.lesions] for read in analysis.reads},
        "measurements": [asdict(row) for row in analysis.measurements],
        "timings": dict(analysis.timings),
        "versions": dict(analysis.versions),
        "warnings": list(analysis.warnings),
        "doubts": [doubt.to_dict() for doubt in analysis.doubts],
        "uncertainty": analysis.uncertainty,
    }


def _vessel_summary(vessel: StraightenedVessel) -> dict[str, Any]:
    return {
        "vessel": vessel.vessel,
        "sections": int(vessel.hu.shape[0]),
        "length_mm": float(vessel.arc_length[-1]),
    }


class _Encoder(DjangoJSONEncoder):
    """JSON of numpy numbers and of value objects."""

    def default(self, o: Any) -> Any:
        if is_dataclass(o) and not isinstance(o, type):
            return asdict(o)
        if hasattr(o, "tolist"):
            return o.tolist()
        if isinstance(o, (tuple, set, frozenset)) or hasattr(o, "items"):
            return dict(o) if hasattr(o, "items") else list(o)
        return super().default(o)
