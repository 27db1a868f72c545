"""Every kind of page that each person reaches: drawn, without an error, without a failed request."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Demonstration, Entrance
from tests.browser.pictures import SHOWN
from tests.browser.walk import PERSONS, is_blank, look, walk

FOLDER = Path(__file__).resolve().parents[2] / "var" / "pictures"

# What each person must have met on the walk, besides whatever else is linked.
MUST_MEET = {
    "manager": {"studies-demonstration-progress", "studies-demonstration-case-list"},
    "coordinator-1": {"studies-demonstration-site", "studies-demonstration-upload"},
    "technician": {"studies-demonstration-qc", "studies-demonstration-exams-n"},
    "reader-1": {"studies-demonstration-cases", "studies-demonstration-cases-n"},
    "reader-2": {"studies-demonstration-cases", "studies-demonstration-cases-n"},
    "adjudicator": {"studies-demonstration-cases", "studies-demonstration-cases-n"},
    "investigator": {
        "studies-demonstration-dashboards-agreement",
        "studies-demonstration-dashboards-outcome",
    },
    "auditor": {"studies-demonstration-audit", "studies-demonstration-exams-n-view"},
}


@pytest.mark.parametrize("name", PERSONS)
def test_every_page_of_this_person_is_drawn_without_a_problem(
    demonstration: Demonstration, browser: Browser, name: str
) -> None:
    visits = list(walk(browser, demonstration.base, name))
    problems = [f"{visit.url}: {problem}" for visit in visits for problem in visit.problems]
    assert problems == []
    met = {visit.name for visit in visits}
    shown = {page for person, page in (key.split("--", 1) for key in SHOWN) if person == name}
    assert met >= MUST_MEET[name] | shown, f"met only {sorted(met)}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    for visit in visits:
        (FOLDER / f"{name}--{visit.name}.png").write_bytes(visit.picture)
    drawn = {
        path.name.split("--", 1)[1]
        for path in FOLDER.glob(f"{name}--*.png")
        if not is_blank(path.read_bytes())
    }
    assert drawn >= {f"{page}.png" for page in met}


def test_the_start_page_says_that_it_is_for_research_and_simulated(
    demonstration: Demonstration, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    visit = look(page, "anyone", demonstration.base + "/")
    assert visit.problems == []
    expect(page.get_by_text("Research use only")).to_be_visible()
    expect(page.get_by_text("Everything in it is simulated.")).to_be_visible()
    expect(page.locator("ol.steps > li")).to_have_count(5)
    expect(page.locator('form[action^="/demo/enter/"] button')).to_have_count(10)
    page.close()


def test_a_page_that_does_not_exist_says_so(person: Entrance) -> None:
    person.expects("status of 404")
    page = person("manager")
    answer = page.goto(person.base + "/studies/demonstration/no-such-page/")
    assert answer
    assert answer.status == 404
