"""A study with final, discordant and assisted cases, as rows only, and a freeze of it."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

NETWORK, READER_A, READER_B = "network", "a", "b"
REASON = "agreed by the steering committee"


def lesion_rows(
    vessel: str, number: int, start: float, end: float, volume: float, stenosis: float
) -> list[dict]:
    values = {
        "lesion_start": start,
        "lesion_end": end,
        "total_plaque_volume": volume,
        "diameter_stenosis": stenosis,
    }
    return [
        {"level": "lesion", "vessel": vessel, "lesion": number, "metric": name, "value": value}
        for name, value in values.items()
    ]


def territory_rows(stenosis: dict[str, float], grade: dict[str, str], patient_volume: float) -> list[dict]:
    rows = []
    for territory in ("LAD", "LCx", "RCA"):
        rows.append(
            {
                "level": "territory",
                "vessel": territory,
                "metric": "diameter_stenosis",
                "value": stenosis[territory],
            }
        )
        rows.append(
            {"level": "territory", "vessel": territory, "metric": "cadrads", "text": grade[territory]}
        )
    worst = max(stenosis, key=lambda t: stenosis[t])
    rows.append({"level": "patient", "metric": "diameter_stenosis", "value": stenosis[worst]})
    rows.append({"level": "patient", "metric": "cadrads", "text": grade[worst]})
    rows.append({"level": "patient", "metric": "total_plaque_volume", "value": patient_volume})
    return rows


def make_case(
    world: SimpleNamespace,
    number: int,
    *,
    state: str = "final",
    saw_network: bool = False,
    signed: tuple = (0, 1),
    tables: dict[str, list[dict]] | None = None,
) -> Any:
    """An exam with its run, its case, two reads (``signed`` slots are signed) and their measurement rows."""
    from plaquelab.analysis.models import AnalysisRun, CentrelineSet, Measurement, ModelVersion
    from plaquelab.imaging.models import Exam, ImportJob
    from plaquelab.reading.models import Assignment, Read, ReadCase, ReadRevision, Signature
    from plaquelab.studies.models import Subject
    from plaquelab.uploads.models import UploadSession

    study, site = world.study, world.site if number % 2 else world.other_site
    subject = Subject.objects.create(study=study, site=site, cohort=world.cohort, pseudonym=f"P-{number:03d}")
    session = UploadSession.objects.create(
        study=study, site=site, subject=subject, pseudonym=subject.pseudonym, by=world.coordinator
    )
    exam = Exam.objects.create(
        study=study,
        subject=subject,
        site=site,
        number=number,
        state="accepted",
        study_uid=f"1.2.{study.pk}.{number}",
        import_job=ImportJob.objects.create(study=study, session=session, state="succeeded"),
    )
    model, _ = ModelVersion.objects.get_or_create(name="unet", weights_sha256="w" * 64, defaults={"card": {}})
    lines = CentrelineSet.objects.create(exam=exam, source="file", path="x", sha256="c" * 64)
    run = AnalysisRun.objects.create(
        study=study,
        exam=exam,
        model=model,
        centrelines=lines,
        profile="corrected",
        parameters_sha256="p" * 64,
        state="succeeded",
    )
    case = ReadCase.objects.create(
        study=study, exam=exam, run=run, charter=world.charter, state=state, first_reader_draw=0
    )
    reads = {}
    for slot, reader in ((0, world.reader), (1, world.users["reader2"])):
        assignment = Assignment.objects.create(
            study=study, case=case, reader=reader, slot=slot, order_index=number, seed=1
        )
        read = Read.objects.create(
            study=study,
            case=case,
            assignment=assignment,
            charter=world.charter,
            saw_network=saw_network,
            state="signed" if slot in signed else "in_progress",
            is_simulated=True,
        )
        revision = ReadRevision.objects.create(
            read=read, number=1, content_sha256=hashlib.sha256(b"%d" % slot).hexdigest(), by=reader
        )
        if slot in signed:
            Signature.objects.create(
                study=study,
                revision=revision,
                by=reader,
                printed_name=reader.printed_name,
                meaning="authorship",
                at=timezone.now(),
                content_sha256=revision.content_sha256,
            )
        reads[slot] = (read, revision)
    if state == "final":
        case.final_read = reads[0][0]
        case.save()
    owners = {NETWORK: {"run": run}, READER_A: {"revision": reads[0][1]}, READER_B: {"revision": reads[1][1]}}
    for owner, rows in (tables or {}).items():
        Measurement.objects.bulk_create(
            Measurement(exam=exam, profile="corrected", unit="", **owners[owner], **row) for row in rows
        )
    return case


def tables(number: int) -> dict[str, list[dict]]:
    """Case tables: LAD lesion found by all; the network has an extra RCA lesion, reader A alone one in LCx."""
    shift = float(number)
    grades = {"LAD": "3", "LCx": "1", "RCA": "0"}
    stenosis = {"LAD": 55 + shift, "LCx": 20.0, "RCA": 0.0}
    return {
        READER_A: lesion_rows("LAD", 1, 10, 20, 100 + 10 * shift, 55 + shift)
        + lesion_rows("LCx", 1, 5, 9, 30, 20)
        + territory_rows(stenosis, grades, 130 + 10 * shift),
        READER_B: lesion_rows("LAD", 1, 11, 22, 110 + 10 * shift, 50 + shift)
        + territory_rows(stenosis | {"LAD": 50 + shift}, grades | {"LCx": "0"}, 110 + 10 * shift),
        NETWORK: lesion_rows("LAD", 1, 2, 6, 8, 10)
        + lesion_rows("LAD", 2, 12, 21, 104 + 12 * shift, 60 + shift)
        + lesion_rows("RCA", 1, 0, 4, 12, 15)
        + territory_rows(stenosis | {"LAD": 68 + shift}, grades | {"LAD": "4"}, 124 + 12 * shift),
    }


@pytest.fixture
def filled(two_studies: SimpleNamespace) -> SimpleNamespace:
    """Study alpha: four final cases, one read with the network in sight, one discordant, one half read."""
    world = two_studies.a
    for number in (1, 2, 3, 4):
        make_case(world, number, tables=tables(number))
    make_case(world, 5, saw_network=True, tables=tables(5))
    make_case(world, 6, state="discordant", tables=tables(6))
    make_case(world, 7, state="reading", signed=(0,), tables=tables(7))
    return two_studies


def ask(world: SimpleNamespace, **more: Any) -> Any:
    """Ask for a freeze of a study as it stands."""
    from plaquelab.freezes import services

    return services.request_freeze(study=world.study, by=world.manager, leave_out_waiting=True, **more)


@pytest.fixture
def frozen(filled: SimpleNamespace) -> Any:
    """A freeze of study alpha, not released."""
    from plaquelab.freezes import freezing

    freeze = freezing.execute(ask(filled.a, note="Interim").pk)
    assert freeze.state == "frozen", freeze.message
    return freeze


@pytest.fixture
def released(frozen: Any, filled: SimpleNamespace) -> Any:
    """The same, released."""
    from plaquelab.freezes import services

    services.release_freeze(freeze=frozen, by=filled.a.manager, reason=REASON)
    return frozen
