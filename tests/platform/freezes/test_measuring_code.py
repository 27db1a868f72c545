"""A freeze names the code that measured its reads, and says when that is no longer today's."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse

from analytics.code_version import code_version
from inference import code_version as inference_code
from plaquelab.analysis import measuring_code as measuring
from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes import freezing, matching
from plaquelab.freezes.frozen import open_freeze
from plaquelab.freezes.measuring_code import code_of_tables, earlier_words, measured_by
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.reading.models import ReadRevision
from tests.platform.filled_study import ask

pytestmark = [pytest.mark.django_db]


def test_a_freeze_counts_and_names_the_versions_of_what_entered_it(filled: SimpleNamespace) -> None:
    runs = list(AnalysisRun.objects.filter(study=filled.a.study).order_by("pk"))
    AnalysisRun.objects.filter(study=filled.a.study).update(code_version="a" * 16)
    ReadRevision.objects.filter(read__study=filled.a.study).update(code_version="b" * 16)
    AnalysisRun.objects.filter(pk=runs[0].pk).update(code_version="")
    freeze = freezing.execute(ask(filled.a).pk)
    assert freeze is not None
    freeze.refresh_from_db()
    counts = freeze.measured_by
    assert counts[""] == 1
    assert counts["a" * 16] >= 3
    assert counts["b" * 16] >= 3
    manifest = open_freeze(freeze).manifest
    assert manifest["analytics_code_version"] == code_version()
    assert manifest["about"]["software"] == {
        "network unet": "w" * 64,
        "measuring code of before versions were kept": "1 runs and reads",
        "measuring code aaaaaaaaaaaaaaaa": f"{counts['a' * 16]} runs and reads",
        "measuring code bbbbbbbbbbbbbbbb": f"{counts['b' * 16]} runs and reads",
        "measuring code of this freeze": inference_code.code_version(),
        "code of this freeze's tables": code_of_tables(),
    }
    assert freeze.made_by == {
        "measuring code of this freeze": inference_code.code_version(),
        "code of this freeze's tables": code_of_tables(),
    }


def test_the_tables_code_is_every_module_of_freezes_but_its_migrations(tmp_path: Path) -> None:
    package = Path(matching.__file__).parent
    copy = tmp_path / "freezes"
    shutil.copytree(package, copy)

    def version() -> str:
        return inference_code.version_of(copy, modules=(".*",), without=("migrations.*",), data=())

    assert version() == code_of_tables()
    (copy / "migrations" / "0099_more.py").write_text("a = 1\n")
    assert version() == code_of_tables()
    for name in ("matching", "pairing", "comparing", "measured"):
        module = copy / f"{name}.py"
        text = module.read_text()
        module.write_text(f"{text}\nCHANGED = 1\n")
        assert version() != code_of_tables(), name
        module.write_text(text)


def test_a_freeze_s_page_names_the_code_of_its_own_numbers(
    frozen: DatasetFreeze, filled: SimpleNamespace, client_for: Any
) -> None:
    address = reverse("dashboards:freeze", args=["alpha", frozen.number])
    page = client_for(filled.a.users["manager"]).get(address).content.decode()
    for part, version in (
        ("Measuring code of this freeze", inference_code.code_version()),
        ("Code of this freeze&#x27;s tables", code_of_tables()),
    ):
        assert f'{part}</dt><dd class="col-sm-9"><code>{version}</code>' in page


def test_imported_reads_were_measured_elsewhere(filled: SimpleNamespace) -> None:
    run = AnalysisRun.objects.filter(study=filled.a.study).first()
    assert run is not None
    assert measured_by([("run", run.pk), ("run", run.pk), ("imported", 1)]) == {"": 1}


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (None, "Made before versions of the measuring code were kept."),
        ({}, ""),
        ({"today": 9}, ""),
        ({"": 2, "older": 3, "today": 4}, "5 of its 9 measured runs and reads were measured by older code than today's."),
    ],
)  # fmt: skip
def test_words_about_older_code(
    monkeypatch: pytest.MonkeyPatch, counts: dict[str, int] | None, words: str
) -> None:
    monkeypatch.setattr(measuring, "today", lambda: "today")
    freeze = DatasetFreeze(state="released", source="study", measured_by=counts)
    assert earlier_words(freeze) == words
    assert earlier_words(DatasetFreeze(state="released", source="simulation", measured_by=counts)) == ""


def test_pages_say_so_and_lead_who_may_run_again_to_the_exams(
    frozen: DatasetFreeze, filled: SimpleNamespace, client_for: Any
) -> None:
    DatasetFreeze.objects.filter(pk=frozen.pk).update(measured_by={"0" * 16: 3}, state="released")
    older = reverse("analysis:runs", args=["alpha"]) + "?code=older"
    for view in ("dashboards:freeze", "dashboards:reports"):
        address = reverse(view, args=["alpha", frozen.number])
        for role, offered in (("manager", True), ("investigator", False)):
            page = client_for(filled.a.users[role]).get(address).content.decode()
            assert "3 of its 3 measured runs and reads were measured by older code" in page
            assert "signed reads keep their numbers" in page
            assert (older in page) is offered
