"""What may be seen of analysis, and how stored files become the library's objects again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from plaquelab.analysis import measuring_code
from plaquelab.analysis.models import AnalysisRun, ContourSet, Measurement, Vessel
from plaquelab.analysis.transitions import ENDED_WITHOUT_RESULT, HELD
from plaquelab.imaging.models import Exam
from plaquelab.storage import StorageError, store
from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, capabilities_of

if TYPE_CHECKING:
    from inference.contours import VesselContours
    from inference.quantification import VesselRead
    from inference.straightening import StraightenedVessel
    from plaquelab.accounts.models import User


def visible_runs(*, user: User, study: Study) -> QuerySet[AnalysisRun]:
    """Runs of a study that this user may see, newest first: none of an exam that waits for the user's own read.

    Runs that were given the lesions of a read are for those who see every read.
    """
    rows = AnalysisRun.objects.filter(study=study).select_related(
        "exam", "exam__subject", "model", "centrelines"
    )
    held = capabilities_of(user, study)
    if Capability.SEE_RUNS not in held:
        return rows.none()
    if Capability.SEE_EVERY_CASE not in held:
        rows = rows.exclude(purpose=AnalysisRun.Purpose.GIVEN_EXTENTS)
    return rows.exclude(exam__in=hidden_exams(user, study)).order_by("-pk")


def shows_numbers(*, user: User, study: Study) -> bool:
    """Tell whether a run's page shows this user its numbers.

    Who also reads or adjudicates in the study finds them in the viewer alone, where opening an exam is noted: who has
    seen them is not given that exam to read.
    """
    held = capabilities_of(user, study)
    return Capability.SEE_NETWORK in held and Capability.OPEN_OWN_CASES not in held


def to_run_again(runs: QuerySet[AnalysisRun]) -> QuerySet[AnalysisRun]:
    """Narrow to main runs with a result that older code than today's measured, of exams that today's has not run."""
    main = AnalysisRun.objects.filter(purpose=AnalysisRun.Purpose.MAIN)
    today = main.filter(code_version=measuring_code.today()).exclude(state__in=ENDED_WITHOUT_RESULT)
    return (
        runs.filter(purpose=AnalysisRun.Purpose.MAIN, state=AnalysisRun.State.SUCCEEDED)
        .exclude(code_version=measuring_code.today())
        .exclude(exam__in=today.values("exam"))
    )


def main_runs(exam: Exam) -> QuerySet[AnalysisRun]:
    """Return the runs of an exam that may be read on, newest first: neither given extents nor a second operator's."""
    return exam.runs.filter(purpose=AnalysisRun.Purpose.MAIN).order_by("-pk")


def latest_run(exam: Exam) -> AnalysisRun | None:
    """Return the newest main run of an exam that succeeded, or None."""
    return main_runs(exam).filter(state=AnalysisRun.State.SUCCEEDED).first()


def current_run(exam: Exam) -> AnalysisRun | None:
    """Return the newest main run of an exam in whatever state, or None."""
    return main_runs(exam).first()


def _checked(path: str, sha256: str) -> bytes:
    """Return a stored file after comparing its hash with the row's.

    Raises
    ------
    StorageError
        The file was altered or damaged.
    """
    data = store().get(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StorageError(f"{path} is not what was stored: its hash differs. Restore it from the backup.")
    return data


def load_vessel(vessel: Vessel) -> StraightenedVessel:
    """Return the straightened vessel of a row, checked by its hash."""
    from inference.straightening import StraightenedVessel  # noqa: PLC0415  loads SciPy and numba, which few pages need

    return StraightenedVessel.from_bytes(_checked(vessel.path, vessel.sha256))


def load_contours(contour_set: ContourSet) -> VesselContours:
    """Return the contours of a row, checked by their hash."""
    from inference.contours import VesselContours  # noqa: PLC0415  loads SciPy and numba, which few pages need

    return VesselContours.from_bytes(_checked(contour_set.path, contour_set.sha256))


def vessel_read(contour_set: ContourSet) -> VesselRead:
    """Return contours, lesions and excluded stretches of a row as the library's ``VesselRead``."""
    from inference.quantification import Lesion, VesselRead  # noqa: PLC0415  loads SciPy and numba, which few pages need

    return VesselRead(
        vessel=contour_set.vessel.name,
        contours=load_contours(contour_set),
        lesions=tuple(
            Lesion(
                number=row.number,
                start_mm=row.start_mm,
                end_mm=row.end_mm,
                proximal_reference_mm=row.proximal_reference_mm,
                distal_reference_mm=row.distal_reference_mm,
                flags=tuple(row.flags),
            )
            for row in contour_set.lesions.all()
        ),
        excluded=tuple((float(a), float(b), str(reason)) for a, b, reason in contour_set.excluded),
    )


def network_contours(vessel: Vessel) -> ContourSet:
    """Return the network's contour set of a vessel."""
    return vessel.contour_sets.get(source=ContourSet.Source.NETWORK)


def patient_rows(run: AnalysisRun) -> QuerySet[Measurement]:
    """Return the run's patient-level measurements."""
    return run.measurements.filter(level="patient").order_by("pk")


def lesion_doubts(run: AnalysisRun, *, vessel: str, start_mm: float, end_mm: float) -> list[dict[str, str]]:
    """Return what is doubtful of a network's lesions that share something with a stretch: code and words, once each.

    By place and not by number: a reader who began from the network's lesions may have moved, joined or renumbered them.
    """
    found = {
        doubt["code"]: {"code": doubt["code"], "message": doubt["message"]}
        for doubt in run.doubts
        if doubt["vessel"] == vessel
        and doubt["lesion"] is not None
        and doubt["start_mm"] is not None
        and doubt["start_mm"] < end_mm
        and doubt["end_mm"] > start_mm
    }
    return list(found.values())


STAGE_NAMES = {
    "load": "Load the volume and its centrelines",
    "straighten": "Straighten the vessels",
    "segment": "Segment with the network",
    "contours": "Draw the contours",
    "quantify": "Measure",
    "store": "Store the result",
}


def stage_list(run: AnalysisRun) -> list[dict[str, Any]]:
    """Return the run's stages for a page: name, state (``done``, ``now``, ``todo``), percent, seconds."""
    order = list(STAGE_NAMES)
    done_all = run.state == AnalysisRun.State.SUCCEEDED
    now = len(order) if done_all else order.index(run.stage) if run.stage in order else -1
    timing = {**run.timings, "store": run.timings.get("files")}
    return [
        {
            "key": key,
            "name": STAGE_NAMES[key],
            "state": "done" if i < now else "now" if i == now else "todo",
            "percent": 100 if i < now else round(100 * run.progress) if i == now else 0,
            "seconds": timing.get(key),
        }
        for i, key in enumerate(order)
    ]


def is_active(run: AnalysisRun) -> bool:
    """Tell whether the run waits or works."""
    return run.state in (AnalysisRun.State.PENDING, *HELD)
