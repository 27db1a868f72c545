"""The demonstration is built once, step by step, and goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from plaquelab.accounts.models import User
from plaquelab.analysis import execution
from plaquelab.audit.models import AuditEvent
from plaquelab.demo import director, phantoms, reading_steps
from plaquelab.demo.building import NotDemonstrationError, World, build
from plaquelab.demo.plan import PATIENTS, PERSONS, Fate, Patient
from plaquelab.demo.selectors import progress
from plaquelab.imaging.importing import run_import
from plaquelab.imaging.models import Exam, ImportJob
from plaquelab.reading.models import Read, ReadCase, Signature
from plaquelab.studies.models import Membership, Study

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def world(settings: Any) -> World:
    settings.DEMONSTRATION = True
    return build()


@pytest.fixture
def tiny(settings: Any) -> None:
    """Make the demonstration's patients tiny phantoms."""
    settings.DEMONSTRATION_SCENARIO = "tiny"


def test_the_plan_is_what_was_asked_for() -> None:
    fates = [patient.fate for patient in PATIENTS]
    assert len(PATIENTS) == 8
    assert len({p.site for p in PATIENTS}) == 3
    assert len({p.cohort for p in PATIENTS}) == 2
    assert len({p.seed for p in PATIENTS}) == 8
    counted = {fate: fates.count(fate) for fate in Fate}
    assert counted == {
        Fate.FINAL: 3, Fate.ADJUDICATED: 1, Fate.DISCORDANT: 1, Fate.UNREAD: 1, Fate.IN_QC: 1, Fate.QUERIED: 1,
    }  # fmt: skip


def test_building_twice_changes_nothing(world: World) -> None:
    before = (
        Study.objects.count(),
        User.objects.count(),
        Membership.objects.count(),
        AuditEvent.objects.count(),
    )
    build()
    assert before == (
        Study.objects.count(), User.objects.count(), Membership.objects.count(), AuditEvent.objects.count()
    )  # fmt: skip
    assert world.study.is_simulated
    assert {user.username for user in User.objects.filter(is_demonstration=True)} == {
        p.username for p in PERSONS
    }


def test_nothing_is_built_where_it_is_no_demonstration(settings: Any) -> None:
    settings.DEMONSTRATION = False
    with pytest.raises(NotDemonstrationError):
        build()
    with pytest.raises(CommandError, match="PLAQUELAB_DEMONSTRATION"):
        call_command("demo")
    assert not User.objects.exists()


def test_a_real_account_is_never_taken_over(settings: Any) -> None:
    settings.DEMONSTRATION = True
    User.objects.create_user("manager", password="a real person's password")
    with pytest.raises(NotDemonstrationError, match="real account"):
        build()
    assert not Study.objects.exists()


def work_off(analyse_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what the worker would do: every queued import and run, here and now."""
    import inference.pipeline

    monkeypatch.setattr(inference.pipeline, "analyse", analyse_with)
    for job in ImportJob.objects.filter(state="queued"):
        run_import(job.pk)
    for exam in Exam.objects.all():
        for run in exam.runs.filter(state="pending"):
            execution.execute(run.pk)


@pytest.fixture
def perfect() -> Callable[..., Any]:
    """A pipeline whose network knows the truth of whichever tiny patient it is given."""

    def analyse(volume: Any, lines: Any, *, settings: Any, progress: Any, doubts: Any) -> Any:
        from inference.analysis import Analysis
        from inference.composition_profiles import profile_named
        from inference.phantom import generate
        from inference.quantification import measure, roll_up_records
        from inference.straightening import straighten

        patient = next(
            p
            for p in PATIENTS
            for known in (phantoms.centrelines(p), phantoms.second_operator(p))
            if np.allclose(known[0].points[0], lines[0].points[0], atol=0.01)
        )
        phantom = generate(patient.seed, "tiny")
        vessels = tuple(straighten(volume, line) for line in lines)
        reads = tuple(phantom.truth_read(vessel) for vessel in vessels)
        if settings.lesions is not None:
            reads = tuple(replace(read, lesions=settings.lesions.get(read.vessel, ())) for read in reads)
        profile = profile_named(settings.profile)
        records = tuple(measure(v, r, profile) for v, r in zip(vessels, reads, strict=True))
        rolled = tuple(roll_up_records(records))
        return Analysis(vessels, reads, records, rolled, {"segment": 0.1}, {"model": "truth"})

    return analyse


def patient_with(fate: Fate) -> Patient:
    return next(patient for patient in PATIENTS if patient.fate is fate)


def test_a_patient_goes_its_whole_way_and_then_rests(
    world: World, tiny: None, perfect: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = patient_with(Fate.FINAL)
    assert director.needs_sending(world, patient)
    director.send(world, patient)
    assert not director.needs_sending(world, patient)
    assert director.step(world, patient).waiting
    said = []
    for _ in range(20):
        work_off(perfect, monkeypatch)
        step = director.step(world, patient)
        if step.done:
            break
        said.append(step.did)
    case = ReadCase.objects.get(exam__subject__pseudonym=patient.pseudonym)
    assert case.state == "final", said
    assert case.final_read is not None
    assert Signature.objects.count() == 2
    assert all(read.is_simulated and read.state == "signed" for read in Read.objects.all())
    assert not phantoms.files_of(patient).dicom.exists()
    events = AuditEvent.objects.count()
    assert director.step(world, patient).done
    assert AuditEvent.objects.count() == events
    shown = next(p for p in progress().patients if p.label == patient.pseudonym)
    assert (shown.text, shown.done, shown.fraction) == ("final", True, 1.0)
    assert progress().done == 1

    # Never the network's output: the read's contours are neither those nor the truth itself.
    stored = {c.source: c.sha256 for c in case.run.vessels.get(name="LAD").contour_sets.order_by("pk")}
    assert stored["reader"] != stored["network"]


def test_an_interrupted_read_is_finished(
    world: World, tiny: None, perfect: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = patient_with(Fate.FINAL)
    director.send(world, patient)
    work_off(perfect, monkeypatch)
    while director.step(world, patient).did:
        work_off(perfect, monkeypatch)
        if ReadCase.objects.filter(state="reading").exists():
            break

    def killed(**_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(reading_steps.reading, "submit_and_sign", killed)
        with pytest.raises(KeyboardInterrupt):
            director.step(world, patient)
    assert Read.objects.filter(state="in_progress").count() == 1
    while director.step(world, patient).did:
        pass
    assert ReadCase.objects.get().state == "final"


def test_the_queried_and_the_waiting_exam(
    world: World, tiny: None, perfect: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fate, state in ((Fate.QUERIED, "queried"), (Fate.IN_QC, "qc_pending")):
        patient = patient_with(fate)
        director.send(world, patient)
        work_off(perfect, monkeypatch)
        while director.step(world, patient).did:
            pass
        exam = Exam.objects.get(subject__pseudonym=patient.pseudonym)
        assert exam.state == state
        assert exam.queries.count() == (fate is Fate.QUERIED)
    assert progress().done == 2


def test_a_failed_analysis_is_said(
    world: World, tiny: None, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.errors import RefusedScan

    def refuse(*_: Any, **__: Any) -> Any:
        raise RefusedScan("no-contrast", "No contrast.")

    patient = patient_with(Fate.FINAL)
    director.send(world, patient)

    def go_on() -> None:
        for _ in range(6):
            work_off(refuse, monkeypatch)
            director.step(world, patient)

    with pytest.raises(director.DemonstrationError, match="No contrast"):
        go_on()
    shown = next(p for p in progress().patients if p.label == patient.pseudonym)
    assert "No contrast." in shown.text
    assert not shown.done


def test_references_come_in_and_one_freeze_of_each_kind_is_released(
    world: World, tiny: None, perfect: Any, served_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last steps on one patient: everything goes through the same services, and then it rests."""
    import analytics.simulation.freeze as simulation
    from plaquelab.analysis.models import AnalysisRun
    from plaquelab.demo import concluding
    from plaquelab.freezes import freezing
    from plaquelab.freezes.frozen import open_freeze
    from plaquelab.freezes.models import DatasetFreeze
    from plaquelab.freezes.selectors import visible_freezes

    patient = patient_with(Fate.FINAL)
    monkeypatch.setattr(concluding, "PATIENTS", (patient,))
    small = simulation.simulate_freeze
    monkeypatch.setattr(freezing, "simulate_freeze", lambda out: small(out, seed=3, patients=60))

    def work() -> None:
        work_off(perfect, monkeypatch)
        for freeze in DatasetFreeze.objects.filter(state="draft"):
            freezing.execute(freeze.pk)

    def until_done(step: Any) -> list[str]:
        said = []
        for _ in range(60):
            found = step(world)
            if found.done:
                return said
            said += [found.did] if found.did else []
            work()
        raise AssertionError(said)

    assert until_done(concluding.begin) == [
        "a freeze of the simulated cohort is queued",
        "freeze 1 (the simulated cohort) is released to the investigators",
    ]
    director.send(world, patient)
    work()
    until_done(lambda w: director.step(w, patient))
    said = until_done(concluding.conclude)
    assert said[0] == f"{patient.pseudonym}: a second operator's centrelines stored"
    assert [line for line in said if "imported" in line] == [
        f"simulated references imported: {kind}"
        for kind in ("covariates", "outcomes", "ica", "ivus", "expert")
    ]
    assert said[-1] == "freeze 2 (the study) is released to the investigators"
    runs = AnalysisRun.objects.filter(purpose="given_extents")
    assert sorted(runs.values_list("variant", flat=True)) == ["plaque", "wall_minus_lumen"]

    freeze = DatasetFreeze.objects.get(number=2)
    opened = open_freeze(freeze)
    pairs = opened.table("lesion_pairs").groupby(["pair", "extents"], observed=True).size()
    kinds = {(pair, extents) for pair, extents in pairs.index}
    assert {
        ("network_expert", "given"), ("network_expert", "own"), ("expert_expert", "own"), ("repeat", "own"),
        ("network_ivus", "given"), ("network_ivus", "own"), ("centreline", "own"),
    } <= kinds  # fmt: skip
    assert len(opened.table("panels")) == 3
    assert opened.simulated
    investigator = world.people["investigator"]
    assert [f.number for f in visible_freezes(investigator, world.study)] == [2, 1]
    assert progress().freeze == "released"
    events = AuditEvent.objects.count()
    assert concluding.conclude(world).done
    assert concluding.begin(world).done
    assert AuditEvent.objects.count() == events
