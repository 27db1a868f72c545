"""Takes each phantom patient one small step further, through the services that people use.

Every step looks at the rows first, so that a run which was interrupted anywhere goes on from there, and a
finished demonstration has nothing left to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plaquelab.analysis import services as analysis
from plaquelab.analysis.models import AnalysisRun
from plaquelab.analysis.selectors import current_run
from plaquelab.demo import phantoms, reading_steps
from plaquelab.demo.plan import QUERY_TEXT, Fate, Patient
from plaquelab.imaging import services as imaging
from plaquelab.imaging.models import Exam, ImportJob
from plaquelab.imaging.transitions import IMPORT_ENDED
from plaquelab.studies.models import Cohort, Site

if TYPE_CHECKING:
    from plaquelab.demo.building import World


class DemonstrationError(Exception):
    """A step that should have worked did not. The text says which and what to do."""


@dataclass(frozen=True)
class Step:
    """What one look at a patient led to.

    Parameters
    ----------
    did : a line for the console, empty when nothing was done.
    waiting : somebody else (a worker) has to act first.
    """

    did: str = ""
    waiting: bool = False

    @property
    def done(self) -> bool:
        """Whether the patient is where it shall be."""
        return not self.did and not self.waiting


DONE = Step()
WAIT = Step(waiting=True)


def exam_of(world: World, patient: Patient) -> Exam | None:
    """Return the patient's exam, if the import has made it."""
    return (
        Exam.objects.filter(study=world.study, subject__pseudonym=patient.pseudonym)
        .select_related("study", "site", "subject")
        .first()
    )


def needs_sending(world: World, patient: Patient) -> bool:
    """Tell whether the patient's images still have to be made and sent (the long step)."""
    if exam_of(world, patient) is not None:
        return False
    return not _imports(world, patient).exclude(state__in=_LOST).exists()


_LOST = (ImportJob.State.FAILED, ImportJob.State.CANCELLED, ImportJob.State.REJECTED)


def _imports(world: World, patient: Patient):
    return ImportJob.objects.filter(study=world.study, session__pseudonym=patient.pseudonym)


def send(world: World, patient: Patient) -> Step:
    """Make the phantom and upload it as its site's coordinator."""
    lost = _imports(world, patient).filter(state__in=_LOST).order_by("-pk").first()
    if lost is not None and _imports(world, patient).filter(state__in=_LOST).count() >= 3:
        raise DemonstrationError(
            f"{patient.pseudonym}: the import ended as {lost.get_state_display()}: {lost.message}"
        )
    files = phantoms.make(patient)
    if not files.dicom.exists():
        phantoms.forget(patient)
        files = phantoms.make(patient)
    imaging.import_path(
        study=world.study,
        site=Site.objects.get(code=patient.site),
        subject_pseudonym=patient.pseudonym,
        cohort=Cohort.objects.get(study=world.study, name=patient.cohort),
        path=files.dicom,
        by=world.coordinator_of(patient.site),
        queue=True,
    )
    return Step(f"{patient.pseudonym}: sent from site {patient.site}")


def step(world: World, patient: Patient) -> Step:
    """Take a patient whose images were sent one step further."""
    exam = exam_of(world, patient)
    if exam is None:
        waiting = _imports(world, patient).exclude(state__in=IMPORT_ENDED).exists()
        return WAIT if waiting else DONE
    phantoms.forget_dicom(patient)
    if patient.fate is Fate.IN_QC:
        return DONE
    if patient.fate is Fate.QUERIED:
        return _query(world, patient, exam)
    if exam.state == Exam.State.QC_PENDING:
        return _accept(world, patient, exam)
    if exam.state != Exam.State.ACCEPTED:
        return DONE  # a person took it elsewhere: it is theirs now
    return _analyse(world, patient, exam)


def _query(world: World, patient: Patient, exam: Exam) -> Step:
    if exam.queries.exists() or exam.state != Exam.State.QC_PENDING:
        return DONE
    imaging.open_query(exam=exam, by=world.people["technician"], text=QUERY_TEXT)
    return Step(f"{patient.pseudonym}: the technician asked its site a question")


def _accept(world: World, patient: Patient, exam: Exam) -> Step:
    if not exam.centreline_sets.exists():
        lines = phantoms.centrelines(patient)
        analysis.add_centrelines(
            exam=exam, lines=lines, source="stored points", by=world.people["technician"]
        )
        return Step(f"{patient.pseudonym}: centrelines of {len(lines)} vessels stored")
    note = "All segments of at least 1.5 mm can be read. (simulated)"
    imaging.accept_exam(
        exam=exam, by=world.people["technician"], image_quality=patient.image_quality, note=note
    )
    return Step(f"{patient.pseudonym}: accepted in quality control, its analysis is queued")


def _analyse(world: World, patient: Patient, exam: Exam) -> Step:
    run = current_run(exam)
    if run is None:
        analysis.request_analysis(exam=exam, by=world.people["technician"])
        return Step(f"{patient.pseudonym}: its analysis is queued")
    states = AnalysisRun.State
    if run.state in (states.FAILED, states.TIMED_OUT):
        raise DemonstrationError(
            f"{patient.pseudonym}: the analysis {run.get_state_display()}: {run.message}"
        )
    if run.state == states.CANCELLED:
        return DONE
    if run.state != states.SUCCEEDED:
        return WAIT
    line = reading_steps.step(world, patient, exam)
    return Step(line) if line else DONE
