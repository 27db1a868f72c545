"""A database whose slabs were made by runs: each exam takes over those of its newest run, and opens as before."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from plaquelab.analysis.models import AnalysisRun, Artefact
from plaquelab.imaging.models import Exam
from plaquelab.imaging.selectors import ct_slabs


@pytest.mark.django_db
def test_the_newest_run_s_slabs_become_the_exam_s(
    make_exam: Callable[..., Exam], analyse: Callable[..., Any]
) -> None:
    exam, kept = make_exam(), make_exam()
    run = analyse(exam)
    newer = AnalysisRun.objects.get(pk=run.pk)
    newer.pk, newer.code_version = None, "0" * 16
    newer.save(force_insert=True)
    exam.volume.slabs.all().delete()
    for owner, name in ((run, "old"), (newer, "new")):
        for index in (1, 0):
            path = f"exams/{exam.pk}/ct/ct-slab-{index:03d}-{name}.zst"
            Artefact.objects.create(
                run=owner, kind=f"ct-slab-{index:03d}", path=path, sha256=f"{index}" * 64, size=7
            )
    before = list(kept.volume.slabs.values_list("path", flat=True))
    import_module("plaquelab.analysis.migrations.0006_slabs_to_exams").hand_over(apps, None)
    assert [row.path.rpartition("/")[2] for row in ct_slabs(exam)] == [
        "ct-slab-000-new.zst",
        "ct-slab-001-new.zst",
    ]
    assert [(row.index, row.sha256[0], row.size) for row in ct_slabs(exam)] == [(0, "0", 7), (1, "1", 7)]
    assert list(kept.volume.slabs.values_list("path", flat=True)) == before
