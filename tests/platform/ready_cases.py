"""Cases ready to be read, without a phantom or a network: drawn vessels, stored through the real services.

Two short tubes with an eccentric plaque each, on a small CT; a run that has "succeeded" with them.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.composition_profiles import profile_named
from inference.contours import PIXEL_ANGLE, PIXEL_RADIUS, VesselContours, label_map
from inference.quantification import Lesion, VesselRead, quantify, roll_up
from inference.scan import Volume
from inference.straightening import StraightenedVessel

SECTIONS = 70
PASSWORD = "a long test password"
FORM = {"image_quality": 4, "remarks": "none"}


def drawn_contours(*, lumen: float = 1.5, wall: float = 0.4, thick: float = 1.2) -> VesselContours:
    """Return a tube with a plaque of thickness ``thick`` (mm) over sections 20–39 and a quarter of the turn."""
    lumen_radius = np.full((SECTIONS, 64), lumen, np.float32)
    thickness = np.full((SECTIONS, 64), wall, np.float32)
    thickness[20:40, :16] = thick
    lumen_radius[20:40, :16] -= np.float32(0.3)
    plaque = np.zeros((SECTIONS, 64), bool)
    plaque[20:40, :16] = True
    return VesselContours(
        lumen_radius=lumen_radius,
        wall_radius=lumen_radius + thickness,
        plaque=plaque,
        provenance={"by": "test"},
    )


def drawn_vessel(name: str, segment: str, *, seed: int = 0) -> StraightenedVessel:
    """Return HU of such a tube: lumen 400, wall 90, plaque 120, fat −80, with a little noise."""
    labels = label_map(drawn_contours())
    hu = np.choose(labels, [-80, 400, 90, 120]).astype(np.float64)
    hu += np.random.default_rng(seed).normal(0, 8, hu.shape)
    assert PIXEL_RADIUS.shape == PIXEL_ANGLE.shape == hu.shape[1:]
    along = np.arange(SECTIONS) * 0.3
    zeros = np.zeros(SECTIONS)
    return StraightenedVessel(
        vessel=name,
        hu=hu.astype(np.int16),
        centre=np.stack([zeros + 10 * seed, zeros, along], axis=1),
        axis_u=np.tile([1.0, 0.0, 0.0], (SECTIONS, 1)),
        axis_v=np.tile([0.0, 1.0, 0.0], (SECTIONS, 1)),
        curvature=np.zeros((SECTIONS, 2)),
        segment=(segment,) * SECTIONS,
    )


LESIONS = (Lesion(number=1, start_mm=6.0, end_mm=11.7),)


def drawn_read(name: str, **shape: float) -> VesselRead:
    """Return what the network "said" about a drawn vessel."""
    return VesselRead(vessel=name, contours=drawn_contours(**shape), lesions=LESIONS)


def store_run(world: SimpleNamespace, number: int) -> Any:
    """Store an accepted exam with a succeeded run of two drawn vessels, and tell who listens."""
    from plaquelab.analysis import measuring_code
    from plaquelab.analysis.models import (
        AnalysisRun,
        CentrelineSet,
        ContourSet,
        ModelVersion,
        Vessel,
    )
    from plaquelab.analysis.results import put_vessel, store_measurements, store_read
    from plaquelab.analysis.signals import run_succeeded
    from plaquelab.imaging.models import Exam, ImportJob
    from plaquelab.imaging.volumes import put_volume, write_volume
    from plaquelab.studies.models import Subject
    from plaquelab.uploads.models import UploadSession

    pseudonym = f"{world.study.slug}-subject-{number}"
    subject = Subject.objects.create(
        study=world.study, site=world.site, pseudonym=pseudonym, cohort=world.cohort
    )
    session = UploadSession.objects.create(
        study=world.study, site=world.site, subject=subject, pseudonym=pseudonym, by=world.manager
    )
    job = ImportJob.objects.create(study=world.study, session=session, state="succeeded")
    exam = Exam.objects.create(
        study=world.study, subject=subject, site=world.site, number=number, state="accepted",
        study_uid=f"2.25.{number}", import_job=job,
    )  # fmt: skip
    hu = (np.arange(30 * 8 * 8) % 700 - 100).astype(np.int16).reshape(30, 8, 8)
    scan = Volume(hu=hu, affine=np.diag([0.5, 0.5, 0.5, 1.0]), metadata={})
    write_volume(exam=exam, stored=put_volume(scan, study_id=world.study.pk, tick=lambda _: None))
    model, _ = ModelVersion.objects.get_or_create(
        weights_sha256="a" * 64, defaults={"name": "drawn", "card": {}}
    )
    lines = CentrelineSet.objects.create(exam=exam, source="file", path=f"x/{exam.pk}", sha256="1" * 64)
    run = AnalysisRun.objects.create(
        study=world.study, exam=exam, model=model, centrelines=lines, profile="corrected",
        parameters_sha256="2" * 64, state="succeeded", code_version=measuring_code.today(),
    )  # fmt: skip
    tables = []
    profile = profile_named("corrected")
    for order, (name, segment) in enumerate((("LAD", "pLAD"), ("RCA", "pRCA"))):
        image = drawn_vessel(name, segment, seed=order)
        file = put_vessel(folder=f"runs/{run.pk}/vessels", vessel=image)
        row = Vessel.objects.create(
            run=run, name=name, order=order, path=file.path, sha256=file.sha256, sections=SECTIONS
        )
        read = drawn_read(name)
        store_read(vessel=row, read=read, source=ContourSet.Source.NETWORK)
        tables.append(quantify(image, read, profile))
    rows = [row for table in tables for row in table] + roll_up(tables, profile)
    store_measurements(exam=exam, rows=rows, run=run)
    run_succeeded.send(sender=AnalysisRun, run=run)
    return exam.case


def read_as(read: Any, person: Any, *, thick: float = 1.2, lumen: float = 1.5) -> None:
    """Let a reader put drawn contours on every vessel of a read."""
    from plaquelab.reading.services import replace_contours

    for vessel in read.case.run.vessels.all():
        made = drawn_read(vessel.name, thick=thick, lumen=lumen)
        replace_contours(
            read=read,
            vessel=vessel,
            contours=made.contours,
            lesions=made.lesions,
            by=person,
            note="drawn by the test",
        )


def sign_as(read: Any, person: Any, **shape: float) -> Any:
    """Let a reader draw, submit and sign."""
    from plaquelab.reading.services import submit_and_sign

    read_as(read, person, **shape)
    return submit_and_sign(read=read, by=person, password=PASSWORD, form=FORM)


@pytest.fixture
def ready_case(two_studies: SimpleNamespace) -> SimpleNamespace:
    """A case of study A that waits for readers, with the study's people."""
    return SimpleNamespace(
        **{**vars(two_studies.a), "case": store_run(two_studies.a, 7), "other": two_studies.b}
    )


@pytest.fixture
def assigned(ready_case: SimpleNamespace) -> SimpleNamespace:
    """The same case, assigned to both readers: ``reads[0]`` is ``reader``'s, ``reads[1]`` is ``reader2``'s."""
    from plaquelab.reading.services import assign

    reads = assign(
        case=ready_case.case, readers=[ready_case.reader, ready_case.reader2], by=ready_case.manager
    )
    return SimpleNamespace(**{**vars(ready_case), "reads": reads})


@pytest.fixture
def discordant(assigned: SimpleNamespace) -> SimpleNamespace:
    """The same case read so differently that it waits for the adjudicator, who has it."""
    from plaquelab.reading.services import assign_adjudicator

    sign_as(assigned.reads[0], assigned.reader, thick=1.2)
    sign_as(assigned.reads[1], assigned.reader2, thick=6.0)
    assigned.case.refresh_from_db()
    made = assign_adjudicator(case=assigned.case, adjudicator=assigned.adjudicator, by=assigned.manager)
    return SimpleNamespace(**{**vars(assigned), "adjudication": made})


__all__ = [
    "assigned",
    "discordant",
    "drawn_contours",
    "drawn_read",
    "drawn_vessel",
    "read_as",
    "ready_case",
    "sign_as",
    "store_run",
]
