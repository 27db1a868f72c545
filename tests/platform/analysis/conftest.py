"""Accepted exams of a tiny phantom, and a tiny network to analyse them with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from plaquelab.imaging.models import Exam, ImportJob, Volume
from plaquelab.storage import store
from plaquelab.studies.models import Subject
from plaquelab.uploads.models import UploadSession


@pytest.fixture(scope="session")
def tiny_phantom() -> Any:
    """Two short vessels on a small grid."""
    from inference.phantom import generate

    return generate(seed=5, scenario="tiny")


@pytest.fixture
def make_exam(two_studies: SimpleNamespace, tiny_phantom: Any) -> Callable[..., Exam]:
    """Make an exam whose stored volume is the tiny phantom's."""
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
        job = ImportJob.objects.create(study=world.study, session=session, state="succeeded")
        exam = Exam.objects.create(
            study=world.study,
            subject=subject,
            site=world.site,
            number=number,
            state=state,
            study_uid=f"2.25.{world.study.pk}{number}",
            import_job=job,
        )
        data = tiny_phantom.volume.to_bytes()
        path = f"exams/{exam.pk}/volume-{tiny_phantom.volume.sha256[:12]}.npz"
        store().put(path, data)
        geometry = {"shape": list(tiny_phantom.volume.hu.shape)}
        Volume.objects.create(
            exam=exam, path=path, sha256=hashlib.sha256(data).hexdigest(), geometry=geometry
        )
        return exam

    return make


@pytest.fixture
def served_model(settings: Any, tmp_path: Path) -> Path:
    """Serve a weights file that is only named, hashed and described; nothing here loads it."""
    path = tmp_path / "model" / "small.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    path.with_suffix(".json").write_text('{"name": "small"}')
    settings.INFERENCE_MODEL = str(path)
    return path


@pytest.fixture
def stored_points(tiny_phantom: Any) -> Any:
    """The tiny phantom's centrelines, displaced by 1 mm."""
    return tiny_phantom.stored_points(1.0)
