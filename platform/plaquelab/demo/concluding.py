"""What follows once the phantom patients are where they shall be: references come in, and freezes are made and released.

Every step looks at the rows first, as the director's do: an interrupted demonstration goes on, a finished one rests.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command

from plaquelab.analysis import services as analysis
from plaquelab.demo import phantoms, reading_steps, reference_tables
from plaquelab.demo.director import DONE, WAIT, DemonstrationError, Step, exam_of
from plaquelab.demo.plan import PATIENTS, Fate, Patient
from plaquelab.freezes import comparison_runs
from plaquelab.freezes import services as freezes
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.reading.models import ReadCase
from plaquelab.references.models import ReferenceImport

if TYPE_CHECKING:
    from plaquelab.demo.building import World

COMPARED = (Fate.FINAL, Fate.ADJUDICATED)
ANALYSED = (*COMPARED, Fate.DISCORDANT, Fate.UNREAD)
TWO_OPERATORS, IMAGED, REPEATED = 1, 2, 2
"""So many of the compared patients have a second operator's centrelines, ultrasound, and an outside expert's two reads."""
RELEASE_REASON = "Demonstration: released by its script."
NOTES = {
    DatasetFreeze.Source.STUDY: "Phantom patients, really analysed; simulated readers and references.",
    DatasetFreeze.Source.SIMULATION: "Simulated cohort and reader studies at the publication's scale.",
}
S, Source = DatasetFreeze.State, DatasetFreeze.Source


def begin(world: World) -> Step:
    """Make and release the simulated cohort, so that the dashboards are alive while phantoms are still analysed."""
    return _freeze(world, Source.SIMULATION)


def conclude(world: World) -> Step:
    """Take the next step after the last patient: a second operator, references, freeze, release."""
    for patient in _present(world, COMPARED)[:TWO_OPERATORS]:
        exam = exam_of(world, patient)
        if exam is not None and not exam.centreline_sets.filter(is_second_operator=True).exists():
            analysis.add_centrelines(
                exam=exam,
                lines=phantoms.second_operator(patient),
                source="stored points",
                by=world.people["technician"],
                is_second_operator=True,
            )
            return Step(f"{patient.pseudonym}: a second operator's centrelines stored")
    for kind in ("covariates", "outcomes", "ica", "ivus", "expert"):
        committed = ReferenceImport.objects.filter(
            study=world.study, kind=kind, state=ReferenceImport.State.COMMITTED
        )
        if not committed.exists():
            return _import(world, kind)
    if not _freezes(world, Source.STUDY).filter(state__in=(S.FROZEN, S.RELEASED)).exists():
        comparison_runs.request_missing(study=world.study, by=world.people["manager"])
        if comparison_runs.waiting(world.study):
            return WAIT
    return _freeze(world, Source.STUDY)


def _freezes(world: World, source: str):
    return DatasetFreeze.objects.filter(study=world.study, source=source).exclude(state=S.DISCARDED)


def _freeze(world: World, source: str) -> Step:
    manager = world.people["manager"]
    freeze = _freezes(world, source).order_by("-number").first()
    what = "the simulated cohort" if source == Source.SIMULATION else "the study"
    if freeze is None:
        freezes.request_freeze(study=world.study, by=manager, source=source, note=NOTES[Source(source)])
        return Step(f"a freeze of {what} is queued")
    if freeze.state == S.FAILED:
        raise DemonstrationError(f"The freeze of {what} failed: {freeze.message}")
    if freeze.state == S.FROZEN:
        freezes.release_freeze(freeze=freeze, by=manager, reason=RELEASE_REASON)
        return Step(f"freeze {freeze.number} ({what}) is released to the investigators")
    return DONE if freeze.state == S.RELEASED else WAIT


def _import(world: World, kind: str) -> Step:
    data = reference_tables.as_csv(kind, _rows(world, kind))
    folder = Path(settings.DATA_DIR) / "demo" / "references"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{kind}.csv"
    path.write_bytes(data)
    call_command(
        "import_reads", world.study.slug, kind, str(path), by="manager", verbosity=0, stdout=_Nowhere()
    )
    return Step(f"simulated references imported: {kind}")


class _Nowhere:
    """Swallows the command's own lines: the demonstration prints one of its own."""

    def write(self, text: str) -> int:
        """Take a text."""
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


def _rows(world: World, kind: str) -> list[list[object]]:
    if kind == "outcomes":
        return reference_tables.outcome_rows(_present(world, ANALYSED))
    if kind == "covariates":
        return [
            row for patient in _present(world, ANALYSED) for row in reference_tables.covariate_rows(patient)
        ]
    draw = {
        "ica": reference_tables.ica_rows,
        "ivus": reference_tables.ivus_rows,
        "expert": reference_tables.expert_rows,
    }[kind]
    patients = _present(world, COMPARED)
    rows: list[list[object]] = []
    for patient in patients[: {"expert": REPEATED, "ivus": IMAGED}.get(kind)]:
        case = ReadCase.objects.get(exam=exam_of(world, patient))
        rows += draw(patient, reading_steps.true_case(patient, case))
    return rows


def _present(world: World, fates: tuple[Fate, ...]) -> list[Patient]:
    return [p for p in PATIENTS if p.fate in fates and exam_of(world, p) is not None]
