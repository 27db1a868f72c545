"""The simulated readers' and adjudicator's part of the demonstration: one read, one signature, at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from inference.composition_profiles import profile_named
from inference.quantification import measure, roll_up_records, value_of
from plaquelab.analysis.models import Vessel
from plaquelab.analysis.selectors import load_vessel
from plaquelab.demo import phantoms
from plaquelab.demo.plan import ADJUDICATION_REASON, Fate, Patient
from plaquelab.demo.simulated_reader import Hand, draw
from plaquelab.imaging.models import Exam
from plaquelab.reading import services as reading
from plaquelab.reading.charter import DiscordanceRule, read_design
from plaquelab.reading.discordance import ReadSummary, compare
from plaquelab.reading.models import Assignment, Read, ReadCase

if TYPE_CHECKING:
    from inference.quantification import VesselRead
    from inference.straightening import StraightenedVessel
    from plaquelab.demo.building import World

READERS = ("reader-1", "reader-2")
NOTE = "simulated reader: the phantom's truth, smoothly perturbed; not the network's output"
REMARKS = "Simulated read, made by a script."
MOST_TRIES = 12


class NoSuchDrawError(Exception):
    """No pair of simulated reads agrees or differs as the plan asks."""


@dataclass(frozen=True)
class Case:
    """The truth of one case on the run's own vessels."""

    rows: tuple[Vessel, ...]
    vessels: tuple[StraightenedVessel, ...]
    truths: tuple[VesselRead, ...]
    profile: str


def step(world: World, patient: Patient, exam: Exam) -> str:
    """Do the next thing that a person would do about an analysed exam; return what was done, or nothing."""
    case = ReadCase.objects.filter(exam=exam).first()
    if case is None:
        reading.open_case(exam=exam, by=world.people["manager"])
        return f"{patient.pseudonym}: its case is open"
    if case.state == ReadCase.State.WAITING:
        readers = [world.people[name] for name in READERS]
        simulated = patient.fate is not Fate.UNREAD
        reading.assign(case=case, readers=readers, by=world.people["manager"], is_simulated=simulated)
        return f"{patient.pseudonym}: assigned to two readers"
    if patient.fate is Fate.UNREAD:
        return ""
    if case.state == ReadCase.State.READING:
        return _read(patient, case)
    if case.state == ReadCase.State.DISCORDANT:
        return _adjudicate(world, patient, case)
    return ""


def _read(patient: Patient, case: ReadCase) -> str:
    reads = Read.objects.filter(case=case, is_simulated=True, assignment__round=1).select_related(
        "assignment__reader", "case", "study"
    )
    for read in reads.order_by("assignment__slot"):
        if read.state not in (Read.State.ASSIGNED, Read.State.IN_PROGRESS):
            continue
        slot = read.assignment.slot
        drawn = drawn_reads(patient, case)[slot]
        person = read.assignment.reader
        for row, vessel_read in zip(_case(patient, case.pk).rows, drawn, strict=True):
            reading.replace_contours(
                read=read,
                vessel=row,
                contours=vessel_read.contours,
                lesions=vessel_read.lesions,
                by=person,
                note=NOTE,
            )
        form = {"image_quality": patient.image_quality, "remarks": REMARKS}
        reading.submit_and_sign(read=read, by=person, password=settings.DEMONSTRATION_PASSWORD, form=form)
        case.refresh_from_db()
        return f"{patient.pseudonym}: read and signed by {person.username}; the case is {case.state}"
    return ""


def _adjudicate(world: World, patient: Patient, case: ReadCase) -> str:
    person = world.people["adjudicator"]
    if not case.assignments.filter(purpose=Assignment.Purpose.ADJUDICATE).exists():
        reading.assign_adjudicator(case=case, adjudicator=person, by=world.people["manager"])
        return f"{patient.pseudonym}: discordant, given to the adjudicator"
    if patient.fate is not Fate.ADJUDICATED:
        return ""
    # The second reader drew the outer wall too far out: the first is right.
    reading.adjudicate(
        case=case,
        by=person,
        chosen_slot=0,
        reason=ADJUDICATION_REASON,
        password=settings.DEMONSTRATION_PASSWORD,
    )
    return f"{patient.pseudonym}: adjudicated"


@lru_cache(maxsize=1)
def _case(patient: Patient, case_pk: int) -> Case:
    case = ReadCase.objects.get(pk=case_pk)
    rows = tuple(case.run.vessels.order_by("order"))
    vessels = tuple(load_vessel(row) for row in rows)
    truths = tuple(phantoms.truth_read(patient, vessel) for vessel in vessels)
    return Case(rows, vessels, truths, read_design(case.charter).profile)


def true_case(patient: Patient, case: ReadCase) -> Case:
    """Return the truth of a case on the run's own vessels."""
    return _case(patient, case.pk)


@lru_cache(maxsize=1)
def _drawn(patient: Patient, case_pk: int) -> tuple[tuple[VesselRead, ...], tuple[VesselRead, ...]]:
    case = ReadCase.objects.get(pk=case_pk)
    rule = read_design(case.charter).discordance
    return draw_pair(
        _case(patient, case_pk), seed=patient.seed, discordant=patient.fate is not Fate.FINAL, rule=rule
    )


def drawn_reads(patient: Patient, case: ReadCase) -> tuple[tuple[VesselRead, ...], tuple[VesselRead, ...]]:
    """Return what the two simulated readers draw of a case, vessel by vessel; always the same."""
    return _drawn(patient, case.pk)


def draw_pair(
    case: Case, *, seed: int, discordant: bool, rule: DiscordanceRule
) -> tuple[tuple[VesselRead, ...], tuple[VesselRead, ...]]:
    """Draw two reads that the charter's rule finds concordant, or discordant, as the plan asks.

    Both hands are perturbed truths. For concordance they get steadier until the rule agrees; for discordance
    the second draws the outer wall of lesions further out until it does not.

    Raises
    ------
    NoSuchDrawError
        Twelve tries did not get there.
    """
    first, second = Hand(seed=seed * 10 + 1), Hand(seed=seed * 10 + 2)
    for _ in range(MOST_TRIES):
        pair = (_all_vessels(case, first), _all_vessels(case, second))
        differs = bool(compare(_summary(case, pair[0]), _summary(case, pair[1]), rule))
        if differs == discordant:
            return pair
        if discordant:
            second = second.bolder()
        else:
            first, second = first.steadier(), second.steadier()
    raise NoSuchDrawError(
        f"No {'discordant' if discordant else 'concordant'} pair of reads in {MOST_TRIES} tries."
    )


def _all_vessels(case: Case, hand: Hand) -> tuple[VesselRead, ...]:
    return tuple(
        draw(truth, hand, arc_length_mm=vessel.arc_length, stream=number)
        for number, (truth, vessel) in enumerate(zip(case.truths, case.vessels, strict=True))
    )


def _summary(case: Case, reads: tuple[VesselRead, ...]) -> ReadSummary:
    profile = profile_named(case.profile)
    records = [measure(vessel, read, profile) for vessel, read in zip(case.vessels, reads, strict=True)]
    volume, stage, grades = 0.0, 0.0, {}
    for rolled in roll_up_records(records):
        grades[rolled.vessel] = str(value_of(rolled, "cadrads").value)
        if rolled.level == "patient":
            volume = value_of(rolled, "total_plaque_volume").number or 0.0
            stage = value_of(rolled, "plaque_stage").number or 0.0
    return ReadSummary(total_plaque_volume=volume, cadrads=grades, plaque_stage=f"{stage:g}")
