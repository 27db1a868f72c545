"""The adjudicator decides the one discordant case, knowing nobody's name. In this order."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Entrance
from tests.browser.viewer_page import ViewerPage

NAMES = re.compile(r"reader-\d|Rhea|Castell|Remy|Okafor|DEMO-\d|Cairn", re.IGNORECASE)
REASON = "B's outer wall leaves out the pericoronary fat. (simulated)"


def opened(page: Page) -> ViewerPage:
    """Open the case that waits for the adjudicator, with Enter."""
    expect(page.get_by_test_id("next-decision")).to_be_focused()
    page.keyboard.press("Enter")
    viewer = ViewerPage(page).wait_ready()
    assert viewer.state()["mode"] == "adjudicate"
    return viewer


def test_the_adjudicator_sees_a_and_b_and_nobodys_name(person: Entrance) -> None:
    page = person("adjudicator")
    expect(page.locator("h1")).to_have_text("My cases to adjudicate")
    assert not NAMES.search(page.locator("main").inner_text())
    viewer = opened(page)
    expect(viewer.by_id("lesions").locator('tr.sum th:text-is("A")')).to_have_count(1)
    expect(viewer.by_id("lesions").locator('tr.sum th:text-is("B")')).to_have_count(1)
    root = viewer.api()
    told = [viewer.get(root), viewer.get(f"{root}adjudication/")]
    told += [viewer.get(f"{vessel['state']}?side=A") for vessel in told[0]["vessels"]]
    for text in (page.locator("body").inner_text(), *map(str, told)):
        assert not NAMES.search(text), NAMES.search(text)


def test_a_held_key_shows_one_side_alone(person: Entrance) -> None:
    viewer = opened(person("adjudicator"))
    page = viewer.page
    both = viewer.picture("cross-section")
    alone = {}
    for key in ("a", "b"):
        page.keyboard.down(key)
        viewer.wait_state(alone=key.upper())
        expect(page.locator(f"button[data-command=side-{key}]")).to_have_attribute("aria-pressed", "true")
        alone[key] = viewer.picture("cross-section")
        page.keyboard.up(key)
        viewer.wait_state(alone=None)
    assert len({both, *alone.values()}) == 3
    section = viewer.state()["section"]
    viewer.key("d")
    page.wait_for_function("(s) => window.plaquelab.state().section > s", arg=section)
    expect(page.locator("button[data-command=active-lumen]")).to_be_hidden()


def test_a_choice_needs_a_reason_and_makes_the_case_final(person: Entrance) -> None:
    person.expects("status of 400")
    viewer = opened(person("adjudicator"))
    viewer.key("Enter")
    dialog = viewer.dialog("decide")
    expect(dialog).to_contain_text("Differs by the charter's rules")
    expect(dialog.locator("ul.differs li").first).to_be_visible()
    expect(viewer.by_id("comparison").locator("tr[data-differs=true]").first).to_be_visible()
    dialog.get_by_text("Choose read B").click()
    dialog.get_by_label("Reason").fill("better")
    dialog.locator("input[name=password]").fill(dialog.locator("code").inner_text())
    decide = dialog.get_by_role("button", name="Decide and sign")
    decide.click()
    expect(dialog.get_by_role("alert")).to_have_text(
        "Give the reason of your choice (at least 10 characters)."
    )
    dialog.get_by_label("Reason").fill(REASON)
    decide.click()
    done = viewer.dialog("signed")
    expect(done).to_contain_text("Read B")
    expect(done).to_contain_text("Jonas Adeyemi (simulated)")
    done.get_by_role("link", name="Work list").click()
    expect(viewer.page.get_by_text("0 of 2 to decide")).to_be_visible()
    expect(viewer.page.get_by_text("B chosen").first).to_be_visible()

    manager = person("manager")
    manager.get_by_role("link", name="Cases", exact=True).click()
    row = manager.locator("tr", has_text="DEMO-003")
    expect(row.locator(".badge")).to_have_text(re.compile("final", re.IGNORECASE))
    expect(row).to_contain_text(f"decided: {REASON}")
    expect(row.get_by_text("signed, final")).to_have_count(1)
