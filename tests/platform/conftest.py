"""Two tenants with every role each, and clients for their people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.test import Client, TransactionTestCase

PASSWORD = "a long test password"
ROLES = (
    "manager",
    "coordinator",
    "technician",
    "reader",
    "reader2",
    "adjudicator",
    "investigator",
    "auditor",
)

_flush = TransactionTestCase._fixture_teardown


def _flush_without_triggers(self: TransactionTestCase) -> None:
    """Empty the test database between transactional tests: audit triggers would refuse that."""
    from plaquelab.audit import append_only

    append_only.remove(connections["default"])
    _flush(self)
    append_only.install(connections["default"])


TransactionTestCase._fixture_teardown = _flush_without_triggers  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def private_folders(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Give each test its own folders for files, keys, staging and audit heads."""
    settings.DATA_DIR = tmp_path
    settings.FILES_DIR = tmp_path / "files"
    settings.KEYS_DIR = tmp_path / "keys"
    settings.STAGING_DIR = tmp_path / "staging"
    settings.QUARANTINE_DIR = tmp_path / "quarantine"
    settings.AUDIT_HEADS_FILE = tmp_path / "audit" / "heads.jsonl"
    return


@pytest.fixture(autouse=True)
def no_remembered_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what earlier tests edited: rows of rolled-back tests have the same numbers as this test's."""
    from plaquelab.reading import measuring, replay

    monkeypatch.setattr(replay, "_states", measuring.Recent(128))


def make_study(slug: str, *, rules: dict[str, Any] | None = None) -> SimpleNamespace:
    """Make a study with a site and one person for each role (two readers, two sites)."""
    from plaquelab.accounts.models import User
    from plaquelab.studies.models import CharterVersion, Cohort, Membership, Site, Study, StudySite

    study = Study.objects.create(slug=slug, title=f"Study {slug}", is_simulated=True)
    site = Site.objects.create(code=f"{slug}-north", name=f"{slug} North")
    other_site = Site.objects.create(code=f"{slug}-south", name=f"{slug} South")
    for s in (site, other_site):
        StudySite.objects.create(study=study, site=s)
    cohort = Cohort.objects.create(study=study, name="Test", purpose="test")
    charter = CharterVersion.objects.create(
        study=study,
        number=1,
        rules=rules
        or {
            "profile": "corrected",
            "start_from": "threshold",
            "readers": 2,
            "readers_see_network": False,
            "discordance": {
                "volume_percent": 25,
                "volume_mm3": 90,
                "cadrads_limits": [50, 70],
                "plaque_stage": True,
            },
            "seed": 1,
        },
    )
    users = {}
    for name in ROLES:
        user = User.objects.create_user(f"{slug}-{name}", password=PASSWORD, printed_name=f"{slug} {name}")
        role = "reader" if name == "reader2" else name
        Membership.objects.create(
            user=user, study=study, role=role, site=site if name == "coordinator" else None
        )
        users[name] = user
    return SimpleNamespace(
        study=study, site=site, other_site=other_site, cohort=cohort, charter=charter, **users, users=users
    )


@pytest.fixture
def two_studies(db: None) -> SimpleNamespace:
    """Two studies that must never see each other."""
    return SimpleNamespace(a=make_study("alpha"), b=make_study("beta"))


@pytest.fixture
def client_for(settings: Any) -> Callable[[Any], Client]:
    """Return a logged-in client; the second factor has its own tests."""
    settings.DEMONSTRATION = True

    def make(user: Any) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


# A tiny phantom that has gone through the real services. Its contours are the truth: quick, with real lesions.


@pytest.fixture(scope="session")
def tiny_phantom() -> Any:
    """Two short vessels on a small grid."""
    from inference.phantom import generate

    return generate(seed=5, scenario="tiny")


@pytest.fixture(scope="session")
def stored_points(tiny_phantom: Any) -> Any:
    """The tiny phantom's centrelines, displaced by 1 mm."""
    return tiny_phantom.stored_points(1.0)


@pytest.fixture(scope="session")
def tiny_analysis(tiny_phantom: Any, stored_points: Any) -> Any:
    """What the pipeline would return for the tiny phantom if its network were perfect."""
    from inference.analysis import Analysis
    from inference.composition_profiles import profile_named
    from inference.doubts import Doubt
    from inference.quantification import measure, roll_up_records
    from inference.straightening import straighten

    profile = profile_named("corrected")
    vessels = tuple(straighten(tiny_phantom.volume, line) for line in stored_points)
    reads = tuple(tiny_phantom.truth_read(vessel) for vessel in vessels)
    records = [measure(vessel, read, profile) for vessel, read in zip(vessels, reads, strict=True)]
    n, lesion = next((n, record.lesions[0]) for n, record in enumerate(records) if record.lesions)
    total = replace(lesion.total_plaque_volume, interval_low=1.0, interval_high=900.0)
    records[n] = replace(
        records[n], lesions=(replace(lesion, total_plaque_volume=total), *records[n].lesions[1:])
    )
    extent = reads[n].lesions[0]
    doubt = Doubt(
        "no_border_contrast", lesion.vessel, lesion.number, extent.start_mm, extent.end_mm, measure=40.0
    )
    return Analysis(
        vessels=vessels,
        reads=reads,
        records=tuple(records),
        doubts=(doubt,),
        rolled=tuple(roll_up_records(records)),
        timings={"straighten": 0.1, "segment": 0.2, "contours": 0.1, "quantify": 0.1},
        versions={"model": "truth", "profile": "corrected"},
        warnings=("Simulated.",),
        uncertainty={},
    )


@pytest.fixture
def served_model(settings: Any, tmp_path: Path) -> Path:
    """Serve an empty weights file that is only named, hashed and described; nothing here loads it."""
    path = tmp_path / "model" / "small.safetensors"
    path.parent.mkdir()
    header = b'{"__metadata__": {"trained": "never"}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    settings.INFERENCE_MODEL = str(path)
    return path


@pytest.fixture
def make_exam(two_studies: SimpleNamespace, tiny_phantom: Any) -> Callable[..., Any]:
    """Make an exam (of study A, accepted, unless told otherwise) whose stored volume is the tiny phantom's."""
    from plaquelab.imaging.models import Exam, ImportJob
    from plaquelab.imaging.volumes import put_volume, write_volume
    from plaquelab.studies.models import Subject
    from plaquelab.uploads.models import UploadSession

    counter = iter(range(1, 1000))

    def make(world: SimpleNamespace | None = None, state: str = "accepted") -> Exam:
        world = world or two_studies.a
        number = next(counter)
        subject = Subject.objects.create(study=world.study, site=world.site, pseudonym=f"tiny-{number}")
        session = UploadSession.objects.create(
            study=world.study,
            site=world.site,
            subject=subject,
            pseudonym=subject.pseudonym,
            by=world.users["coordinator"],
            state="consumed",
        )
        exam = Exam.objects.create(
            study=world.study,
            subject=subject,
            site=world.site,
            number=number,
            state=state,
            study_uid=f"2.25.{world.study.pk}{number}",
            import_job=ImportJob.objects.create(study=world.study, session=session, state="succeeded"),
        )
        stored = put_volume(tiny_phantom.volume, study_id=world.study.pk, tick=lambda _: None)
        write_volume(exam=exam, stored=stored)
        return exam

    return make


@pytest.fixture
def analyse(
    monkeypatch: pytest.MonkeyPatch, tiny_analysis: Any, stored_points: Any, served_model: Path
) -> Callable[..., Any]:
    """Give an exam centrelines and run its analysis here and now, with the tiny phantom's truth as the network."""
    from plaquelab.analysis import execution, services

    def run(exam: Any) -> Any:
        import inference.pipeline

        def quick(volume: Any, lines: Any, *, settings: Any, progress: Any, doubts: Any) -> Any:
            for stage in inference.pipeline.STAGES:
                progress(stage, 1.0)
            return tiny_analysis

        monkeypatch.setattr(inference.pipeline, "analyse", quick)
        services.add_centrelines(exam=exam, lines=stored_points, source="stored points", by=None)
        return execution.execute(exam.runs.get().pk)

    return run


@pytest.fixture
def analysed_exam(make_exam: Callable[..., Any], analyse: Callable[..., Any]) -> Any:
    """An accepted exam of study A whose run has succeeded."""
    exam = make_exam()
    run = analyse(exam)
    assert run.state == "succeeded", run.message
    return exam
