"""The dashboards as an investigator uses them: figures, clicks to cases, filters in the address, exports, keyboard."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Demonstration, Entrance
from tests.browser.viewer_page import ViewerPage
from tests.browser.walk import settle

DASHBOARDS = "/studies/demonstration/dashboards/"
FREEZE_SECONDS = 300


@pytest.fixture(scope="module")
def released(demonstration: Demonstration) -> dict[str, int]:
    """Wait until both freezes are released: the study's own and the simulated cohort; their numbers."""
    end = time.monotonic() + FREEZE_SECONDS
    script = (
        "from plaquelab.freezes.models import DatasetFreeze as F;"
        "print(dict(F.objects.filter(state='released').values_list('source', 'number')))"
    )
    while True:
        told = demonstration.manage("shell", "--verbosity", "0", "-c", script).stdout
        found = {k: int(v) for k, v in re.findall(r"'(\w+)': (\d+)", told)}
        if {"study", "simulation"} <= set(found):
            return found
        assert time.monotonic() < end, (demonstration.folder / "serve.log").read_text()[-3000:]
        time.sleep(2)


def opened(page: Page, path: str) -> Page:
    """Open a dashboard and wait until its figures are drawn."""
    page.goto(DASHBOARDS + path)
    settle(page)
    return page


def figure(page: Page, name: str) -> Locator:
    return page.locator(f"[data-plot={name}]")


def click_a_point(page: Page, name: str) -> None:
    """Click the first point of a figure's own data."""
    point = figure(page, name).locator(".scatterlayer .points path").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    figure(page, name).locator(".hoverlayer .hovertext").first.wait_for()
    page.mouse.click(x, y)


def test_the_dashboards_are_the_investigators_first_screen(
    person: Entrance, released: dict[str, int]
) -> None:
    page = person("investigator")
    expect(page).to_have_url(re.compile(r"/dashboards/\w+/$"))
    settle(page)
    opened(page, "agreement/")
    expect(page.locator("h1")).to_have_text("How do two reads agree?")
    # One begins with the study's own data; the simulated cohort is offered beside and told apart.
    expect(page.get_by_label("Freeze")).to_have_value(str(released["study"]))
    expect(page.locator(".dash-filters")).to_contain_text("Phantom patients, really analysed")
    page.get_by_role("link", name="The simulated cohort").click()
    page.wait_for_url(re.compile(f"freeze={released['simulation']}"))
    expect(page.locator(".dash-filters")).to_contain_text("Simulated cohort and reader studies")
    expect(page.locator(".strip")).to_contain_text("Simulated data")


def test_a_click_on_a_point_opens_that_lesion_in_the_viewer(
    person: Entrance, released: dict[str, int]
) -> None:
    page = opened(person("investigator"), "agreement/")
    click_a_point(page, "scatter")
    page.wait_for_url(re.compile(r"/exams/\d+/view/\?vessel="))
    viewer = ViewerPage(page).wait_ready()
    assert viewer.state()["mode"] == "view"
    assert viewer.state()["vessel"] in page.url
    expect(page.locator("[data-slot=readonly]")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(r"/dashboards/agreement/"))


def test_a_click_leads_to_the_row_where_the_investigator_may_not_see_the_reads(
    person: Entrance, released: dict[str, int]
) -> None:
    page = opened(person("investigator"), "agreement/?pair=expert_expert")
    click_a_point(page, "scatter")
    page.wait_for_url(re.compile(r"/freezes/\d+/case/\?patient="))
    expect(page.locator("thead").first).to_contain_text("second expert")
    expect(page.locator("tbody").first).to_contain_text("Total plaque volume")


def test_a_point_of_the_simulated_cohort_leads_to_its_row(person: Entrance, released: dict[str, int]) -> None:
    page = opened(person("investigator"), f"agreement/?freeze={released['simulation']}")
    click_a_point(page, "differences")
    page.wait_for_url(re.compile(r"/case/\?patient=SIM-R"))
    expect(page.get_by_text("There are no images behind this row.")).to_be_visible()


def test_a_cell_shows_its_cases_and_the_address_keeps_them(
    person: Entrance, released: dict[str, int]
) -> None:
    page = opened(person("investigator"), f"cadrads/?freeze={released['simulation']}")
    cases = page.locator("#cases")
    everything = cases.locator("h2").inner_text()
    row = page.locator("[data-grid=confusions_territory] tbody tr").first
    number = row.get_by_role("link").first
    expected = number.inner_text()
    number.click()
    expect(cases.locator("h2")).to_have_text(f"{expected} cases")
    expect(page).to_have_url(re.compile("selection="))
    page.reload()
    settle(page)
    expect(cases.locator("h2")).to_have_text(f"{expected} cases")
    cases.get_by_role("link", name="show all").click()
    expect(cases.locator("h2")).to_have_text(everything)
    # The heat map's cells lead to the same lists.
    cell = figure(page, "matrix_territory").locator(".heatmaplayer image, .heatmaplayer rect").first
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.58 - 2, box["y"] + box["height"] * 0.58)
    page.mouse.move(box["x"] + box["width"] * 0.58, box["y"] + box["height"] * 0.58)
    page.mouse.click(box["x"] + box["width"] * 0.58, box["y"] + box["height"] * 0.58)
    expect(cases.locator(".dash-selection")).to_contain_text("Level territory · first 3 · second 3")


def test_filters_live_in_the_address_and_back_undoes_them(person: Entrance, released: dict[str, int]) -> None:
    page = opened(person("investigator"), f"agreement/?freeze={released['simulation']}")
    page.get_by_label("Metric", exact=True).select_option("diameter_stenosis")
    page.wait_for_url(re.compile("metric=diameter_stenosis"))
    expect(page.locator(".lead-line")).to_contain_text("Diameter stenosis: network and expert, per lesion")
    page.get_by_label("Pair of reads").select_option("expert_expert")
    page.wait_for_url(re.compile("pair=expert_expert"))
    expect(page.locator(".lead-line")).to_contain_text("expert and second expert")
    settle(page)
    page.reload()
    expect(page.get_by_label("Metric", exact=True)).to_have_value("diameter_stenosis")
    page.go_back()
    expect(page.get_by_label("Pair of reads")).to_have_value("network_expert")
    expect(page.get_by_label("Metric", exact=True)).to_have_value("diameter_stenosis")
    settle(page)
    stored = page.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage})")
    assert "SIM-R" not in stored


def test_the_cut_off_follows_its_slider_and_its_marker(person: Entrance, released: dict[str, int]) -> None:
    page = opened(person("investigator"), f"outcome/?freeze={released['simulation']}")
    expect(page.get_by_text("Cut-off 238.5 mm³: published")).to_be_visible()
    before = page.locator("[data-grid=incidence] tbody").inner_text()
    slider = page.get_by_role("slider", name="Cut-off")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("PageUp")
    expect(page.get_by_role("spinbutton", name="Cut-off")).not_to_have_value("")
    page.wait_for_url(re.compile(r"cut="))
    expect(page.locator(".dash-notes")).to_contain_text("given.")
    assert page.locator("[data-grid=incidence] tbody").inner_text() != before
    page.get_by_label("Marker").select_option("low_attenuation_plaque_burden")
    page.wait_for_url(re.compile(r"marker=low_attenuation_plaque_burden"))
    assert "cut=" not in page.url
    expect(page.get_by_text("Cut-off 4 %: published")).to_be_visible()
    page.get_by_role("link", name="Cox models").click()
    page.wait_for_url(re.compile("section=cox"))
    settle(page)
    expect(figure(page, "forest")).to_be_visible()


def test_what_cannot_be_read_in_an_address_is_named(person: Entrance, released: dict[str, int]) -> None:
    page = opened(person("investigator"), "outcome/?cut=many&marker=mood&freeze=99")
    expect(page.get_by_text("is not a number: showing the default.")).to_be_visible()
    expect(page.get_by_text("There is no marker “mood” here")).to_be_visible()
    expect(page.get_by_text("There is no freeze “99”")).to_be_visible()


def test_every_figure_can_be_taken_away(person: Entrance, released: dict[str, int], tmp_path: Path) -> None:
    page = opened(person("investigator"), f"agreement/?freeze={released['simulation']}")
    scatter = figure(page, "scatter")
    for kind in ("SVG", "PNG", "CSV", "JSON"):
        scatter.locator("summary").click()
        with page.expect_download() as waiting:
            scatter.locator(".dash-export-items").get_by_text(kind, exact=True).click()
        download = waiting.value
        name = rf"demonstration-freeze-{released['simulation']}-released-[0-9a-f]{{12}}-agreement-scatter\."
        assert re.match(name + kind.lower(), download.suggested_filename), download.suggested_filename
        path = tmp_path / download.suggested_filename
        download.save_as(path)
        data = path.read_bytes()
        if kind == "SVG":
            text = data.decode()
            assert "freeze" in text
            assert "released" in text
            assert "ICC(A,1)" in text
            assert "simulated data" in text
        elif kind == "PNG":
            assert data[:8] == b"\x89PNG\r\n\x1a\n"
        elif kind == "CSV":
            assert data.decode().splitlines()[0] == "series,x,y,value,label,freeze,lock state,data"
    scatter.locator("summary").click()
    scatter.get_by_role("button", name="Sentence").click()
    expect(scatter.locator(".dash-sentence")).to_contain_text("ICC(A,1) 0.9")
    expect(scatter.locator(".dash-sentence")).to_contain_text("1,901 lesions in 275 patients")


def test_bootstrap_intervals_come_while_one_watches(person: Entrance, released: dict[str, int]) -> None:
    page = opened(person("investigator"), "agreement/?metric=noncalcified_plaque_volume")
    strip = page.locator("#resampling")
    expect(strip).to_contain_text("without resampling")
    strip.get_by_role("button").click()
    expect(strip).to_contain_text("bootstrap, 10,000 resamples of patients", timeout=120_000)
    settle(page)
    expect(figure(page, "scatter").locator("figcaption")).to_contain_text("bootstrap")


def test_the_keyboard_is_enough(person: Entrance, released: dict[str, int]) -> None:
    """From a filter to a number, to its cases, to one case: without the mouse."""
    page = opened(person("investigator"), f"cadrads/?freeze={released['simulation']}")
    page.get_by_label("Statistics").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_url(re.compile("profile=lin2022"))
    settle(page)
    expect(page.get_by_label("Statistics")).to_be_focused()
    number = page.locator("[data-grid=confusions_territory] tbody a").first
    number.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cases .dash-selection")).to_contain_text("first")
    page.locator("#cases tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/case/\?patient="))
    page.go_back()
    settle(page)
    export = figure(page, "matrix_territory").locator("summary")
    export.focus()
    page.keyboard.press("Enter")
    expect(figure(page, "matrix_territory").locator(".dash-export-items")).to_be_visible()
    page.keyboard.press("Escape")
    expect(figure(page, "matrix_territory").locator(".dash-export-items")).to_be_hidden()
    expect(export).to_be_focused()


def test_a_row_and_a_step_show_their_cases(person: Entrance, released: dict[str, int]) -> None:
    page = opened(person("investigator"), f"agreement/?freeze={released['simulation']}")
    click_a_point(page, "groups")
    expect(page.locator("#cases .dash-selection")).to_contain_text("Group S")
    opened(page, f"outcome/?freeze={released['simulation']}&section=cox")
    click_a_point(page, "forest")
    expect(page.locator("#cases .dash-selection")).to_contain_text("show all")
    opened(page, f"outcome/?freeze={released['simulation']}&section=prediction")
    click_a_point(page, "calibration_with_the_marker")
    expect(page.locator("#cases .dash-selection")).to_contain_text("enth 1 of predicted risk")


def test_a_report_comes_from_its_button(person: Entrance, released: dict[str, int], tmp_path: Path) -> None:
    page = person("investigator")
    page.goto(f"/studies/demonstration/freezes/{released['study']}/report/")
    page.get_by_role("button", name="Make the report").click()
    html = page.get_by_role("link", name=re.compile("^HTML"))
    html.wait_for(timeout=120_000)
    with page.expect_download() as waiting:
        html.click()
    path = tmp_path / "report.html"
    waiting.value.save_as(path)
    assert re.search(r"-released-[0-9a-f]{12}-recommended-report\.html$", waiting.value.suggested_filename)
    # The file stands alone: it draws its figures without a server.
    alone = page.context.new_page()
    alone.goto(path.as_uri())
    expect(alone.locator("h1")).to_have_text("Demonstration study (simulated)")
    expect(alone.locator("#table")).to_have_text("Table and Figure 3. Agreement with expert readers")
    alone.locator("figure .main-svg").first.wait_for()
    assert alone.locator("figure .main-svg").count() >= 8
    assert alone.locator(".panels img").count() == 12
