"""A reader at work on the one unread case: looking, editing, losing the network, signing. In this order."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Demonstration, Entrance
from tests.browser.viewer_page import ViewerPage

VESSELS = ("LM", "LAD")
ANGLE = 8  # of 64: up and to the right, away from the crosshair
CASES = "/studies/demonstration/cases/"
API = "/api/v1/studies/demonstration/"


def opened(page: Page) -> ViewerPage:
    """Open the reader's next case from the work list, as the page says: with Enter."""
    expect(page.get_by_test_id("next-case")).to_be_focused()
    page.keyboard.press("Enter")
    return ViewerPage(page).wait_ready()


def expect_key_hides(viewer: ViewerPage, key: str, command: str) -> None:
    """The key takes something out of the cross-section, and puts back exactly that."""
    button = viewer.page.locator(f"button[data-command={command}]")
    expect(button).to_have_attribute("aria-pressed", "true")
    shown = viewer.picture("cross-section")
    viewer.key(key)
    expect(button).to_have_attribute("aria-pressed", "false")
    assert viewer.picture("cross-section") != shown
    viewer.key(key)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert viewer.picture("cross-section") == shown


def test_enter_opens_the_next_case_and_the_page_measures_how_soon_it_can_be_read(person: Entrance) -> None:
    page = person("reader-1")
    expect(page.locator("h1")).to_have_text("My cases to read")
    viewer = opened(page)
    expect(page.locator("[data-slot=label]")).to_have_text("Case 1")
    expect(page.locator(".research")).to_contain_text("Research use only")
    expect(page.locator(".research")).to_contain_text("Simulated data")
    timings = page.evaluate("window.plaquelab.timings")
    assert timings[0]["first"] is True
    assert timings[0]["vessel"] == VESSELS[0]
    assert timings[0]["page_ms"] >= timings[0]["ms"] > 0
    page.locator(f"[data-vessel={VESSELS[1]}]").click()
    viewer.wait_state(vessel=VESSELS[1])
    page.wait_for_function("window.plaquelab.timings.length === 2")
    assert page.evaluate("window.plaquelab.timings[1].ms") > 0


def test_enter_opens_the_next_case_also_after_a_click_elsewhere_on_the_list(person: Entrance) -> None:
    page = person("reader-1")
    page.locator("h1").click()
    expect(page.get_by_test_id("next-case")).not_to_be_focused()
    page.keyboard.press("Enter")
    ViewerPage(page).wait_ready()


def test_keys_change_what_is_seen(person: Entrance) -> None:
    viewer = opened(person("reader-1"))
    page = viewer.page
    expect_key_hides(viewer, "x", "contours")
    for key, text in (("2", "W 600 L 120"), ("3", "W 1500 L 450"), ("4", "W 500 L 350"), ("5", "W 400 L -20"), ("1", "W 800 L 200")):  # fmt: skip
        viewer.key(key)
        width, level = text.split()[1], text.split()[3]
        viewer.wait_state(window={"width": int(width), "level": int(level)})
        expect(viewer.by_id("cross-section-topRight")).to_have_text(f"W {width} L {level}")
        assert f"window={width}/{level}" in page.url
    before = viewer.picture("longitudinal")
    viewer.key("ArrowRight", "ArrowRight")
    viewer.wait_state(angle=10)
    assert viewer.picture("longitudinal") != before
    viewer.key("ArrowLeft", "ArrowLeft", "ArrowLeft")
    viewer.wait_state(angle=355)
    for plane in ("coronal", "sagittal", "axial"):
        viewer.key("m")
        expect(viewer.by_id("mpr-topLeft")).to_have_text(plane.capitalize())
        expect(page.locator("[data-slot=plane]")).to_have_text(plane)
    viewer.key("w")
    viewer.wait_state(active="wall")
    viewer.key("l")
    viewer.wait_state(active="lumen")


def test_keys_move_the_one_cursor_and_change_the_vessel(person: Entrance) -> None:
    viewer = opened(person("reader-1"))
    viewer.key("Home", "PageDown", "ArrowDown", "ArrowDown", "ArrowUp")
    viewer.wait_state(section=11)
    expect(viewer.by_id("cross-section-bottomLeft")).to_contain_text("Section 12 /")
    expect(viewer.by_id("cross-section-bottomLeft")).to_contain_text("3.3 mm")
    viewer.key("n")
    viewer.wait_state(vessel=VESSELS[1])
    expect(viewer.page.locator("[data-slot=vessel]")).to_have_text(VESSELS[1])
    viewer.key("Shift+N")
    viewer.wait_state(vessel=VESSELS[0])
    expect(viewer.page.locator(f"[data-vessel={VESSELS[0]}]")).to_have_attribute("aria-current", "true")


def test_the_help_lists_every_key_that_the_reader_has(person: Entrance) -> None:
    viewer = opened(person("reader-1"))
    viewer.key("?")
    dialog = viewer.dialog("help")
    expect(dialog).to_be_visible()
    listed = dialog.locator("dd[data-help]")
    assert listed.count() >= 30
    for label in ("Undo", "Next vessel", "Submit and sign", "Lesion starts at the cursor"):
        expect(dialog.get_by_text(label, exact=True)).to_be_visible()
    expect(dialog.locator("[data-help=side-a]")).to_have_count(0)
    viewer.key("Escape")
    expect(dialog).to_have_count(0)


def test_a_lesion_is_added_with_two_keys_and_can_be_removed(person: Entrance) -> None:
    viewer = opened(person("reader-1"))
    viewer.go_to("LM", 0)
    expect(viewer.by_id("empty-lesions")).to_contain_text("Not annotated")
    viewer.add_lesion(10, 30)
    row = viewer.by_id("lesions").locator("tr[data-lesion]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("3.0–9.0")
    expect(viewer.number("1", "lesion_length")).to_have_text("6.0")
    expect(viewer.page.locator("[data-vessel=LM] .count")).to_have_text("1 lesion")
    viewer.select_no_lesion()
    viewer.key("]")
    viewer.expect_message("set the start of a new one first")
    viewer.key("Home", ".")
    viewer.wait_state(lesion=1, section=20)
    viewer.edit("Delete")
    expect(row).to_have_count(0)


def test_a_dragged_lumen_changes_the_numbers_and_undo_gives_back_the_exact_contour(person: Entrance) -> None:
    viewer = opened(person("reader-1"))
    viewer.go_to("LAD", 0)
    viewer.add_lesion(20, 40)
    viewer.go_to("LAD", 30)
    radius = viewer.radius("lumen", 30, ANGLE)
    wall = viewer.radius("wall", 30, ANGLE)
    lesion = viewer.number("1", "total_plaque_volume").inner_text()
    lumen = viewer.number("sum", "lumen_volume").inner_text()
    elsewhere = viewer.radius("lumen", 60, ANGLE)
    # The only lesion of this patient: both say the same, once the patient's row has been fetched again.
    expect(viewer.patient("total_plaque_volume")).to_have_text(re.compile(rf"^{re.escape(lesion)}\b"))
    patient = viewer.patient("total_plaque_volume").inner_text()

    viewer.drag_and_store("lumen", ANGLE, -0.9)
    moved = viewer.radius("lumen", 30, ANGLE)
    assert abs(radius - 0.9 - moved) < 0.1
    assert viewer.radius("wall", 30, ANGLE) == wall
    assert viewer.radius("lumen", 60, ANGLE) == elsewhere
    expect_key_hides(viewer, "c", "overlay")
    expect(viewer.number("1", "total_plaque_volume")).not_to_have_text(lesion)
    expect(viewer.number("sum", "lumen_volume")).not_to_have_text(lumen)
    expect(viewer.patient("total_plaque_volume")).not_to_have_text(patient)
    expect(viewer.by_id("saved")).to_contain_text("autosaved")

    viewer.edit("z")
    assert viewer.radius("lumen", 30, ANGLE) == radius
    expect(viewer.number("1", "total_plaque_volume")).to_have_text(lesion)
    expect(viewer.patient("total_plaque_volume")).to_have_text(patient)
    viewer.edit("Shift+Z")
    assert viewer.radius("lumen", 30, ANGLE) == moved


def test_the_wall_is_dragged_too_and_never_falls_within_the_lumen(person: Entrance) -> None:
    viewer = opened(person("reader-1"))
    viewer.go_to("LAD", 55)
    viewer.key("w")
    viewer.wait_state(active="wall")
    lumen = viewer.radius("lumen", 55, ANGLE)
    viewer.drag_and_store("wall", ANGLE, 0.6)
    assert viewer.radius("wall", 55, ANGLE) > lumen + 0.5
    viewer.drag_and_store("wall", ANGLE, -2.5)
    assert viewer.radius("wall", 55, ANGLE) == viewer.radius("lumen", 55, ANGLE) == lumen
    viewer.edit("z")
    viewer.edit("z")


def test_a_saved_revision_and_every_edit_are_there_after_a_reload(person: Entrance) -> None:
    viewer = opened(person("reader-1"))
    page = viewer.page
    viewer.go_to("LM", 25)
    viewer.drag_and_store("lumen", ANGLE, -0.4)
    radius = viewer.radius("lumen", 25, ANGLE)
    number = viewer.get(viewer.api())["revision"] + 1
    viewer.edit("v")
    expect(page.locator("[data-vessel=LM]")).to_have_attribute("data-status", "reviewed")
    viewer.key("s")
    viewer.expect_message(f"Revision {number} saved.")
    page.reload()
    viewer.wait_ready()
    viewer.wait_state(vessel="LM", section=25)
    assert viewer.radius("lumen", 25, ANGLE) == radius
    expect(page.locator("[data-vessel=LM]")).to_have_attribute("data-status", "reviewed")
    assert viewer.get(viewer.api())["revision"] == number


def test_a_lost_network_is_said_and_the_edit_is_stored_when_it_is_back(person: Entrance) -> None:
    person.expects("ERR_INTERNET_DISCONNECTED")
    viewer = opened(person("reader-1"))
    page = viewer.page
    viewer.go_to("LM", 40)
    before = viewer.state()["version"]
    page.context.set_offline(True)
    viewer.drag("lumen", ANGLE, -0.4)
    expect(viewer.by_id("saved")).to_contain_text("NOT SAVED (1): connection lost")
    radius = viewer.radius("lumen", 40, ANGLE)
    page.context.set_offline(False)
    viewer.wait_stored(before)
    expect(viewer.by_id("saved")).to_contain_text("autosaved")
    page.reload()
    viewer.wait_ready()
    viewer.go_to("LM", 40)
    assert abs(viewer.radius("lumen", 40, ANGLE) - radius) < 1e-4


def test_two_tabs_with_the_same_vessel_end_in_a_clear_conflict_and_nothing_is_overwritten(
    person: Entrance,
) -> None:
    person.expects("status of 409")
    first = opened(person("reader-1"))
    second = ViewerPage(first.page.context.new_page()).goto(first.page.url)
    second.page.wait_for_load_state("networkidle")  # it has asked for the present version for the last time
    for viewer in (first, second):
        viewer.page.bring_to_front()
        viewer.go_to("LM", 15)
    first.page.bring_to_front()
    first.drag_and_store("lumen", ANGLE, -0.4)
    stored = first.radius("lumen", 15, ANGLE)
    second.page.bring_to_front()
    second.drag("lumen", ANGLE, 0.4)
    dialog = second.dialog("conflict")
    expect(dialog).to_contain_text("This read was changed elsewhere")
    expect(second.by_id("saved")).to_contain_text("NOT SAVED")
    asked: list[str] = []
    second.page.on("dialog", lambda box: (asked.append(box.type), box.accept()))
    with second.page.expect_navigation():
        second.by_id("reload").click()
    second.wait_ready()
    assert asked == [], "the browser asks again what the person has just decided"
    expect(dialog).to_have_count(0)
    second.go_to("LM", 15)
    assert second.radius("lumen", 15, ANGLE) == stored
    second.drag_and_store("lumen", ANGLE, -0.3)


def test_a_tab_opened_later_goes_on_from_what_the_other_stored(person: Entrance) -> None:
    first = opened(person("reader-1"))
    first.go_to("LM", 45)
    first.drag_and_store("lumen", ANGLE, -0.3)
    second = ViewerPage(first.page.context.new_page()).goto(first.page.url)
    second.wait_state(vessel="LM", section=45)
    assert second.radius("lumen", 45, ANGLE) == first.radius("lumen", 45, ANGLE)
    first.page.bring_to_front()
    first.drag_and_store("lumen", ANGLE, 0.2)
    second.page.bring_to_front()
    second.key("s")
    second.expect_message(re.compile(r"Revision \d+ saved\."))
    second.page.wait_for_function(
        "(r) => window.plaquelab.radius('lumen', 45, 8) === r", arg=first.radius("lumen", 45, ANGLE)
    )
    second.drag_and_store("lumen", ANGLE, -0.2)


def test_the_second_reader_sees_nothing_of_the_first(person: Entrance) -> None:
    person.expects("status of 404")
    first = opened(person("reader-1"))
    first.go_to("LAD", 30)
    first.drag_and_store("lumen", ANGLE, -0.3)
    second = opened(person("reader-2"))
    second.go_to("LAD", 30)
    assert second.radius("lumen", 30, ANGLE) != first.radius("lumen", 30, ANGLE)
    assert second.state()["version"] == 0
    expect(second.by_id("empty-lesions")).to_contain_text("Not annotated")
    assert second.get(second.api())["revision"] == 0
    own = second.get(f"{API}cases/")
    assert [item["n"] for item in own] == [1, 2, 3, 4, 5, 6]
    for path in (
        f"{API}cases/7/",
        f"{API}cases/7/vessels/LAD/state/",
        f"{API}exams/1/view/",
        f"{API}exams/1/view/vessels/LAD/state/",
        f"{API}exams/1/view/vessels/LAD/state/?side=reader%201",
        "/studies/demonstration/cases/7/",
        "/studies/demonstration/exams/1/view/",
    ):
        assert second.page.request.get(path).status == 404, path
    for path in ("/studies/demonstration/case-list/", "/studies/demonstration/dashboards/agreement/"):
        assert second.page.request.get(path).status == 403, path
    names = {"A": f"{API}cases/1/vessels/LAD/state/?side=A", "own": f"{API}cases/1/vessels/LAD/state/"}
    assert second.get(names["A"])["lumen"] == second.get(names["own"])["lumen"]


def test_a_wrong_password_signs_nothing_and_the_right_one_closes_the_read(
    person: Entrance, demonstration: Demonstration
) -> None:
    person.expects("status of 400")
    viewer = opened(person("reader-1"))
    page = viewer.page
    viewer.key("Enter")
    dialog = viewer.dialog("sign")
    expect(dialog.get_by_test_id("printed-name")).to_have_text("Rhea Castell (simulated)")
    expect(dialog).to_contain_text(re.compile("Not marked as reviewed: .*LAD"))
    dialog.locator("label", has_text="4").locator("input").check()
    dialog.locator("textarea").fill("Motion at the mid LAD. (simulated)")
    password = dialog.locator("input[name=password]")
    password.fill("not the password")
    dialog.get_by_role("button", name="Sign and submit").click()
    expect(dialog.get_by_role("alert")).to_have_text(
        "The password is wrong. 4 more tries before signing is closed."
    )
    expect(dialog.locator("textarea")).to_have_value("Motion at the mid LAD. (simulated)")
    assert viewer.get(viewer.api())["state"] == "in_progress"
    password.fill(dialog.locator("code").inner_text())
    dialog.get_by_role("button", name="Sign and submit").click()
    done = viewer.dialog("signed")
    expect(done).to_contain_text("Rhea Castell (simulated)")
    expect(done.get_by_role("link", name="Work list")).to_be_focused()
    assert viewer.get(viewer.api())["state"] == "signed"
    done.get_by_role("link", name="Work list").click()
    expect(page.get_by_text("Every case that was given to you is signed.")).to_be_visible()
    expect(page.get_by_text("6 of 6 signed")).to_be_visible()

    viewer.goto(f"{demonstration.base}{CASES}1/")
    expect(page.locator("[data-slot=readonly]")).to_be_visible()
    for name in ("undo", "save", "submit", "active-lumen", "lesion-new"):
        expect(page.locator(f"button[data-command={name}]")).to_be_hidden()
    radius = viewer.radius("lumen", 25, ANGLE)
    viewer.go_to("LM", 25)
    viewer.drag("lumen", ANGLE, -0.4)
    assert viewer.radius("lumen", 25, ANGLE) == radius
    version = viewer.get(viewer.api())["version"]
    answer = page.request.post(
        f"{API}cases/1/commands/",
        data={"vessel": "LM", "version": version, "command": {"type": "undo"}},
        headers={"X-CSRFToken": page.locator("meta[name=csrf-token]").get_attribute("content") or ""},
    )
    assert answer.status in (400, 409)
    assert answer.json()["detail"]
