"""How far the demonstration has come, for its start page."""

from __future__ import annotations

from dataclasses import dataclass

from plaquelab.demo.plan import PATIENTS, STUDY, Fate, Patient
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.imaging.models import Exam, ImportJob
from plaquelab.references.models import ReferenceImport


@dataclass(frozen=True)
class PatientProgress:
    """One phantom patient on the start page.

    Parameters
    ----------
    label : the pseudonym.
    text : what is happening, in words.
    fraction : 0 to 1 of its way.
    done : whether it is where it shall be.
    exam_number : None before the import has ended.
    """

    label: str
    text: str
    fraction: float
    done: bool
    exam_number: int | None = None


@dataclass(frozen=True)
class Progress:
    """The whole demonstration.

    Parameters
    ----------
    freeze : what becomes of the freeze of the study's own data, in words.
    """

    patients: tuple[PatientProgress, ...]
    freeze: str

    @property
    def done(self) -> int:
        """How many patients are where they shall be."""
        return sum(patient.done for patient in self.patients)

    @property
    def total(self) -> int:
        """How many patients there are."""
        return len(self.patients)

    @property
    def finished(self) -> bool:
        """Whether all are."""
        return self.done == self.total

    @property
    def percent(self) -> int:
        """The whole way so far."""
        return round(100 * sum(patient.fraction for patient in self.patients) / max(1, self.total))


FINAL_STATES = {
    Fate.FINAL: {"final"},
    Fate.ADJUDICATED: {"final"},
    Fate.DISCORDANT: {"discordant", "adjudicating", "final"},
    Fate.UNREAD: {"reading", "concordant", "discordant", "adjudicating", "final"},
}


def progress() -> Progress:
    """Return how far each phantom patient has come."""
    exams = {
        exam.subject.pseudonym: exam
        for exam in Exam.objects.filter(study__slug=STUDY)
        .select_related("subject", "case")
        .prefetch_related("runs")
    }
    imports = {
        job.session.pseudonym: job
        for job in ImportJob.objects.filter(study__slug=STUDY).select_related("session").order_by("pk")
    }
    patients = tuple(
        _patient(patient, exams.get(patient.pseudonym), imports.get(patient.pseudonym))
        for patient in PATIENTS
    )
    return Progress(patients, _freeze(all(patient.done for patient in patients)))


def _freeze(all_there: bool) -> str:
    """Say how far the study's freeze is; it follows the last patient."""
    freeze = DatasetFreeze.objects.filter(study__slug=STUDY, source="study").order_by("-number").first()
    if freeze is not None:
        return str(freeze.get_state_display()).lower()
    if not all_there:
        return "waits for the patients"
    imported = ReferenceImport.objects.filter(study__slug=STUDY, state="committed").count()
    return (
        "references come in"
        if imported < len(ReferenceImport.Kind)
        else "waits for runs inside given lesions"
    )


def _patient(patient: Patient, exam: Exam | None, job: ImportJob | None) -> PatientProgress:
    def at(text: str, fraction: float, done: bool = False) -> PatientProgress:
        return PatientProgress(patient.pseudonym, text, fraction, done, exam.number if exam else None)

    if exam is None:
        if job is None:
            return at("waits to be sent", 0.0)
        return at(f"import: {job.stage or job.get_state_display()}", 0.1 + 0.1 * job.progress)
    if patient.fate in (Fate.IN_QC, Fate.QUERIED) or exam.state != Exam.State.ACCEPTED:
        there = {Fate.IN_QC: True, Fate.QUERIED: exam.queries.exists()}.get(patient.fate, False)
        text = "waits for quality control" if exam.state == "qc_pending" else exam.get_state_display()
        return at("has an open query" if exam.state == "queried" else text, 1.0 if there else 0.3, there)
    case = getattr(exam, "case", None)
    if case is None:
        main = (run for run in exam.runs.all() if run.purpose == "main")
        run = max(main, key=lambda r: r.pk, default=None)
        if run is None:
            return at("waits for centrelines", 0.35)
        if run.state in ("failed", "timed_out", "cancelled"):
            return at(f"analysis {run.get_state_display()}: {run.message}", 0.4)
        return at(f"analysis: {run.stage or 'waits for a worker'}", 0.4 + 0.3 * run.progress)
    done = case.state in FINAL_STATES.get(patient.fate, set())
    words = {
        "waiting": "waits for readers",
        "reading": "with its readers",
        "discordant": "discordant: waits for the adjudicator",
        "adjudicating": "with the adjudicator",
        "final": "final",
    }
    return at(words.get(case.state, case.get_state_display()), 1.0 if done else 0.8, done)
