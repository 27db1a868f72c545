"""Agreement and outcome as an investigator uses them: figures, clicks, filters in the address."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Entrance
from tests.browser.viewer_page import ViewerPage
from tests.browser.walk import settle

DASHBOARDS = "/studies/demonstration/dashboards/"


def opened(page: Page, path: str) -> Page:
    """Open a dashboard and wait until its figures are drawn."""
    page.goto(DASHBOARDS + path)
    settle(page)
    return page


def click_a_point(page: Page, figure: str) -> None:
    """Click the first point of a figure's own data."""
    point = page.locator(f"[data-figure={figure}] .scatterlayer .points path").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.locator(f"[data-figure={figure}] .hoverlayer .hovertext").first.wait_for()
    page.mouse.click(x, y)


def test_the_agreement_page_is_the_investigators_first_and_its_figures_are_drawn(person: Entrance) -> None:
    page = person("investigator")
    expect(page).to_have_url(re.compile(r"/dashboards/agreement/$"))
    settle(page)
    expect(page.locator("h1")).to_contain_text("agree on total plaque volume?")
    for name in ("scatter", "bland-altman", "cadrads", "accuracy-50", "accuracy-70"):
        expect(page.locator(f"[data-figure=figure-{name}] svg.main-svg").first).to_be_visible()
        expect(page.locator(f"figure:has([data-figure=figure-{name}]) figcaption")).not_to_be_empty()
    numbers = page.locator("table.dashboard-numbers")
    expect(numbers).to_contain_text("ICC")
    expect(page.get_by_text("Data: ")).to_be_visible()
    expect(page.locator(".strip")).to_contain_text("Simulated data")


def test_a_click_on_a_point_opens_that_lesion_in_the_viewer(person: Entrance) -> None:
    page = opened(person("investigator"), "agreement/")
    click_a_point(page, "figure-scatter")
    page.wait_for_url(re.compile(r"/exams/\d+/view/\?vessel="))
    viewer = ViewerPage(page).wait_ready()
    assert viewer.state()["mode"] == "view"
    assert viewer.state()["vessel"] in page.url
    expect(page.locator("[data-slot=readonly]")).to_be_visible()
    expect(viewer.by_id("lesions")).to_be_visible()
    page.locator("[data-slot=list]").click()
    expect(page).to_have_url(re.compile(r"/dashboards/agreement/$"))


def test_a_click_leads_to_the_row_where_the_investigator_may_not_see_the_reads(person: Entrance) -> None:
    page = opened(person("investigator"), "agreement/?pair=reader-reader")
    click_a_point(page, "figure-scatter")
    page.wait_for_url(re.compile(r"/dashboards/rows/exams/\d+/"))
    expect(page.locator("thead")).to_contain_text("reader A")
    expect(page.locator("tbody")).to_contain_text("Total plaque volume")
    expect(page.get_by_text("open the images")).to_have_count(0)


def test_a_click_leads_to_the_simulated_row_where_there_are_no_images(person: Entrance) -> None:
    page = opened(person("investigator"), "agreement/?data=simulated")
    click_a_point(page, "figure-bland-altman")
    page.wait_for_url(re.compile(r"/dashboards/rows/simulated/lesions/"))
    expect(page.get_by_text("There are no images behind this row.")).to_be_visible()


def test_metric_and_pair_live_in_the_address(person: Entrance) -> None:
    page = opened(person("investigator"), "agreement/")
    page.get_by_label("Metric").select_option("diameter_stenosis")
    page.wait_for_url(re.compile("metric=diameter_stenosis"))
    expect(page.locator("h1")).to_contain_text("agree on diameter stenosis?")
    page.get_by_label("Pair").select_option("reader-reader")
    page.wait_for_url(re.compile("pair=reader-reader"))
    expect(page.locator("h1")).to_have_text("How do reader B and reader A agree on diameter stenosis?")
    settle(page)
    page.reload()
    expect(page.get_by_label("Metric")).to_have_value("diameter_stenosis")
    expect(page.get_by_label("Pair")).to_have_value("reader-reader")
    href = page.get_by_role("link", name="CSV").get_attribute("href")
    assert href
    answer = page.request.get(href)
    assert answer.ok
    assert answer.text().splitlines()[0].endswith("reader A (%),reader B (%)")


def test_the_outcome_page_is_labelled_simulated_and_follows_its_cut_off(person: Entrance) -> None:
    page = opened(person("investigator"), "outcome/")
    note = page.get_by_role("note").filter(has_text="No patient of this study is shown here.")
    expect(note).to_contain_text("Simulated data.")
    for name in ("incidence", "roc", "forest"):
        expect(page.locator(f"[data-figure=figure-{name}] svg.main-svg").first).to_be_visible()
    groups = page.locator("table").first.locator("tbody tr")
    expect(groups).to_have_count(2)
    before = groups.all_inner_texts()
    page.get_by_role("spinbutton", name="Cut-off").fill("400")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile(r"cut=400"))
    settle(page)
    after = page.locator("table").first.locator("tbody tr").all_inner_texts()
    assert after != before
    assert any("400" in text for text in after)
    page.get_by_label("Marker").select_option("low_attenuation_plaque_burden")
    page.wait_for_url(re.compile(r"marker=low_attenuation_plaque_burden"))
    expect(page.get_by_role("spinbutton", name="Cut-off")).to_have_value("4")
    expect(page.locator("h1")).to_contain_text("low-attenuation plaque burden")


def test_a_cut_off_that_is_no_number_is_named(person: Entrance) -> None:
    page = opened(person("investigator"), "outcome/?cut=many")
    expect(page.get_by_text("is not a number: showing 238.5.")).to_be_visible()
