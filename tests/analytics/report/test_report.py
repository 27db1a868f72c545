"""The report: every section, the same bytes of numbers, one file without addresses, reasons where data are missing."""

from __future__ import annotations

import json
import re
import shutil
import stat

import pytest

from analytics.__main__ import main
from analytics.errors import AnalyticsError
from analytics.freeze import About, read_freeze, write_freeze
from analytics.report import make_report, write_report
from analytics.report.checklists import FOR_AUTHORS
from analytics.report.html import to_html
from analytics.report.writing import BROWSER_VARIABLE, numbers_bytes
from analytics.simulation.freeze import simulate_freeze


@pytest.fixture(scope="module")
def freeze(tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "freeze"
    simulate_freeze(out)
    return read_freeze(out)


@pytest.fixture(scope="module")
def report(freeze):
    return make_report(freeze)


@pytest.fixture(scope="module")
def page(report):
    return to_html(report)


def test_every_part_of_paper_and_supplement_is_there(report):
    assert not [s.name for s in (*report.main, *report.supplement) if s.reason]
    figures = [f.title for s in report.main for f in s.figures]
    for name in (
        "Figure 3A",
        "Figure 3B",
        "Figure 3C",
        "Figure 3D",
        "Figure 4A",
        "Figure 4B",
        "Figure 5A",
        "Figure 5B",
    ):
        assert sum(t.startswith(name) for t in figures) == 1, name
    assert report.main[0].figures[0].name == "flow"
    assert [p.caption.split(".")[0] for p in report.main[1].panels[:3]] == [
        "Curved reformation",
        "Composition overlay",
        "Vessel",
    ]
    table = next(g for g in report.main[2].grids if g.name == "metrics")
    assert len(table.rows) == 11
    supplement = {s.name: s for s in report.supplement}
    assert [g.name for g in supplement["characteristics"].grids] == ["baseline", "scanners"]
    assert {g.name for g in supplement["reproducibility"].grids} >= {"expert_expert", "repeat", "centreline"}
    assert [g.name for g in supplement["accuracy"].grids] == ["accuracy", "three_ways"] * 2
    assert len(supplement["composition"].figures) == 2
    assert len(supplement["matrices"].figures) == 2
    assert {f.name for f in supplement["low_attenuation"].figures} == {"roc", "incidence"}
    assert "≥ 4 %" in supplement["low_attenuation"].grids[0].rows[1][0].text


def test_numbers_are_those_of_the_questions(report):
    numbers = report.numbers["answers"]
    icc = numbers["agreement"]["results"]["icc"]
    assert (icc["form"], icc["n"], icc["clusters"]) == ("A,1", 1901, 275)
    assert icc["estimate"] == pytest.approx(0.959, abs=0.001)
    assert numbers["external validation"]["results"]["icc"]["clusters"] == 175
    table = numbers["outcome total_plaque_volume"]["results"]["at_cut_off"]
    assert table["cells"] == {"tp": 37, "fp": 874, "fn": 4, "tn": 696}
    assert report.numbers["seed"] == 20_220_401


def test_same_freeze_and_seed_give_the_same_bytes(freeze, report, page):
    again = make_report(read_freeze(freeze.folder))
    assert numbers_bytes(again) == numbers_bytes(report)
    assert to_html(again) == page


def test_another_seed_changes_only_what_is_drawn(freeze):
    first, other, same = (numbers_bytes(make_report(freeze, replicates=60, seed=seed)) for seed in (1, 2, 1))
    assert first == same
    assert first != other
    a, b = (json.loads(x)["answers"]["agreement"]["results"] for x in (first, other))
    assert a["icc"]["estimate"] == b["icc"]["estimate"]
    assert a["icc"]["cluster_interval"] != b["icc"]["cluster_interval"]


def test_page_is_one_file_without_addresses(page, report):
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert "http" not in own
    assert not re.search(r"<(link|img|script)[^>]+(href|src)=['\"](?!data:)", own)
    assert own.count("Simulated data") > 20
    assert "Research use only." in own
    assert report.numbers["freeze"] in own
    drawn = json.loads(
        re.search(r"<script type='application/json' id='figures'>(.*?)</script>", page, re.S)[1].replace(
            "<\\/", "</"
        )
    )
    ids = [f["id"] for f in drawn]
    assert len(ids) == len(set(ids))
    assert all(f"<div id='{i}'>" in page for i in ids)


def test_links_of_the_pages_do_not_travel(page):
    figures = page.split("id='figures'>")[1].split("</script>")[0]
    assert "#row" not in figures
    assert "#group" not in figures


def test_methods_say_what_was_done(report, freeze):
    text = " ".join(report.methods)
    assert "ICC(A,1)" in text
    assert "jackknife over patients" in text
    assert "signed-rank" in text
    assert "Firth" in text
    assert freeze.hash[:16] in text
    published = " ".join(make_report(freeze, profile_name="lin2022").methods)
    assert "rank-sum test, as published" in published
    assert "Clopper–Pearson" in published
    assert "ICC(C,k) against intravascular ultrasound" in published


def test_checklists_are_filled_where_the_data_can(report):
    names = {c.name: c for c in report.checklists}
    assert set(names) == {"STARD-AI", "GRRAS", "STROBE", "TRIPOD+AI"}
    for checklist in report.checklists:
        numbers = [i.number for i in checklist.items]
        assert len(numbers) == len(set(numbers))
        assert 0 < checklist.filled_count < len(checklist.items)
        for item in checklist.items:
            assert item.text
            assert "{" not in item.text
            assert item.filled == (item.text != FOR_AUTHORS)
    funding = next(i for i in names["STROBE"].items if i.number == "22")
    assert not funding.filled
    flow = next(i for i in names["STARD-AI"].items if i.number == "19")
    assert "2,807 patients in the analysis, 87 excluded" in flow.text
    assert len(names["GRRAS"].items) == 15
    assert max(int(re.match(r"\d+", i.number)[0]) for i in names["TRIPOD+AI"].items) == 27


def test_a_bare_freeze_gives_reasons_not_an_error(tmp_path):
    patients = {
        "patient": ["P1"],
        "site": ["<b>A</b>"],
        "cohort": ["c"],
        "purpose": ["test"],
        "excluded": [False],
    }
    write_freeze(
        {"patients": patients},
        About(study="Bare & plain", made="2026-01-01", simulated=False),
        tmp_path / "f",
    )
    report = make_report(read_freeze(tmp_path / "f"))
    reasons = {s.name: s.reason for s in (*report.main, *report.supplement)}
    assert reasons["figure_5"] == "This freeze has no outcomes."
    assert reasons["table"] == "This freeze has no lesions read by expert and network."
    assert reasons["figure_2"] == "This freeze has no case panels."
    page = to_html(report)
    assert "Simulated data" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert "<b>A</b>" not in page, "texts are escaped"
    assert "Bare &amp; plain" in page
    json.loads(numbers_bytes(report))


def test_a_changed_freeze_is_refused(freeze, tmp_path):
    shutil.copytree(freeze.folder, tmp_path / "f")
    path = tmp_path / "f" / "outcomes.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(AnalyticsError, match="changed after the freeze was made"):
        make_report(read_freeze(tmp_path / "f"))


def test_pdf_comes_from_a_browser_or_says_why_not(report, tmp_path, monkeypatch):
    monkeypatch.setenv(BROWSER_VARIABLE, str(tmp_path / "none"))
    written = write_report(report, tmp_path / "a")
    assert written.pdf is None
    assert "no Chromium was found" in written.pdf_reason
    assert written.html.is_file()
    assert json.loads(written.numbers.read_text())["profile"] == "recommended"
    browser = tmp_path / "browser"
    browser.write_text(
        '#!/bin/sh\nfor a in "$@"; do case $a in --print-to-pdf=*) printf "%%PDF-1.7" > "${a#*=}";; esac; done\n'
    )
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv(BROWSER_VARIABLE, str(browser))
    written = write_report(report, tmp_path / "a")
    assert written.pdf.read_bytes() == b"%PDF-1.7"
    browser.write_text("#!/bin/sh\nexit 3\n")
    assert "status 3" in write_report(report, tmp_path / "b").pdf_reason


def test_command(freeze, tmp_path, capsys):
    assert main(["report", str(freeze.folder), "--out", str(tmp_path / "r"), "--no-pdf"]) == 0
    shown = capsys.readouterr().out
    assert "report.html" in shown
    assert "no PDF: not asked for" in shown
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "r")]) == 2
    assert "there is no such file" in capsys.readouterr().err
