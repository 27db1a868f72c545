"""Final reads as training data: signed, made without sight of the network, nameless, and on the record."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from inference.training.reads import load_reads
from plaquelab.audit import services as audit
from plaquelab.audit.models import AuditEvent
from plaquelab.reading.models import Read
from plaquelab.reading.services import adjudicate
from tests.platform.ready_cases import PASSWORD, drawn_read

pytestmark = pytest.mark.django_db
REASON = "Its wall follows the vessel."


@pytest.fixture
def final(discordant: SimpleNamespace) -> SimpleNamespace:
    adjudicate(
        case=discordant.case, by=discordant.adjudicator, chosen_slot=1, reason=REASON, password=PASSWORD
    )
    return discordant


def export(world: SimpleNamespace, folder: Path, *more: str, by: str = "") -> None:
    call_command(
        "export_reads", world.study.slug, "--out", str(folder), "--by", by or world.manager.username, *more
    )


def test_the_final_read_is_exported_without_a_name(final: SimpleNamespace, tmp_path: Path) -> None:
    export(final, tmp_path / "reads")
    vessels = load_reads(tmp_path / "reads")
    assert [v.name for v in vessels] == ["LAD", "RCA"]
    wide = drawn_read("LAD", thick=6.0).contours  # the adjudicator chose the second reader's
    assert (vessels[0].soft[:, 0] > 127).sum() * 0.3125**2 == pytest.approx(
        float((wide.wall_radius**2).sum() * 3.14159 / 64), rel=0.02
    )
    text = (tmp_path / "reads" / "reads.json").read_text()
    for name in (final.case.exam.subject.pseudonym, final.reader2.username, final.study.slug):
        assert name not in text
    event = AuditEvent.objects.get(verb="read.export")
    assert event.actor == final.manager.username
    assert audit.verify() == []


def test_assisted_reads_stay_out_unless_asked_for(final: SimpleNamespace, tmp_path: Path) -> None:
    Read.objects.filter(case=final.case).update(saw_network=True)
    export(final, tmp_path / "none")
    assert json.loads((tmp_path / "none" / "reads.json").read_text())["vessels"] == []
    export(final, tmp_path / "all", "--assisted")
    assert len(load_reads(tmp_path / "all")) == 2


def test_what_is_not_final_is_not_exported(discordant: SimpleNamespace, tmp_path: Path) -> None:
    export(discordant, tmp_path / "reads")
    assert json.loads((tmp_path / "reads" / "reads.json").read_text())["vessels"] == []


def test_only_a_manager_of_the_study_may(final: SimpleNamespace, tmp_path: Path) -> None:
    for name in (final.reader.username, final.other.manager.username, "nobody"):
        with pytest.raises(CommandError, match="may not export"):
            export(final, tmp_path / "reads", by=name)
    assert not (tmp_path / "reads").exists()
    export(final, tmp_path / "reads")
    with pytest.raises(CommandError, match="not empty"):
        export(final, tmp_path / "reads")
