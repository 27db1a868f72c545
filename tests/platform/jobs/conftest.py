"""A run is the job that these tests claim, lose and find again."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from plaquelab.analysis.models import AnalysisRun, CentrelineSet, ModelVersion
from plaquelab.imaging.models import Exam, ImportJob
from plaquelab.studies.models import Subject
from plaquelab.uploads.models import UploadSession


@pytest.fixture
def make_run(two_studies: SimpleNamespace) -> Callable[..., AnalysisRun]:
    """Make a pending run of a fresh exam in study A."""
    world = two_studies.a
    counter = iter(range(1, 1000))

    def make(**fields: object) -> AnalysisRun:
        number = next(counter)
        manager = world.users["manager"]
        subject = Subject.objects.create(study=world.study, site=world.site, pseudonym=f"job-{number}")
        session = UploadSession.objects.create(
            study=world.study, site=world.site, subject=subject, pseudonym=subject.pseudonym, by=manager
        )
        job = ImportJob.objects.create(study=world.study, session=session, state="succeeded")
        exam = Exam.objects.create(
            study=world.study,
            subject=subject,
            site=world.site,
            number=1000 + number,
            state="accepted",
            study_uid=f"2.25.{number}",
            import_job=job,
        )
        model, _ = ModelVersion.objects.get_or_create(
            weights_sha256="0" * 64, defaults={"name": "none", "card": {}}
        )
        lines = CentrelineSet.objects.create(exam=exam, source="file", path=f"x/{number}", sha256="1" * 64)
        return AnalysisRun.objects.create(
            study=world.study,
            exam=exam,
            model=model,
            centrelines=lines,
            profile="corrected",
            parameters_sha256="2" * 64,
            **fields,
        )

    return make
