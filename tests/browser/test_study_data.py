"""References and freezes as the manager and the investigator use them."""

from __future__ import annotations

import io
import json
import zipfile

from playwright.sync_api import expect

from tests.browser.conftest import Entrance

REFERENCES = "/studies/demonstration/references/"
FREEZES = "/studies/demonstration/freezes/"


def _file(text: str) -> dict[str, object]:
    return {"name": "covariates.csv", "mimeType": "text/csv", "buffer": text.encode()}


def test_a_file_is_refused_row_by_row_then_previewed_and_discarded(person: Entrance) -> None:
    page = person("manager")
    page.goto(REFERENCES)
    expect(page.locator("tbody tr").filter(has_text="Committed")).to_have_count(5)
    page.get_by_label("Kind").select_option("covariates")
    bad = "subject,name,value,unit\nDEMO-002,weight,heavy,kg\nDEMO-099,weight,80,kg\n"
    page.get_by_label("CSV file").set_input_files(_file(bad))
    page.get_by_role("button", name="Check the file").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("2 problems")
    expect(alert).to_contain_text("“heavy” is no number")
    expect(alert).to_contain_text("no subject “DEMO-099”")
    page.get_by_label("Kind").select_option("covariates")
    page.get_by_label("CSV file").set_input_files(_file("subject,name,value,unit\nDEMO-002,weight,180,lb\n"))
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("Nothing is stored yet")).to_be_visible()
    expect(page.locator("tbody")).to_contain_text("converted from lb to kg")
    expect(page.locator("tbody")).to_contain_text("81.6466 kg")
    page.get_by_role("button", name="Discard the preview").click()
    expect(page.get_by_text("none of its rows are stored")).to_be_visible()


def test_the_manager_freezes_and_releases_and_the_investigator_takes_it(person: Entrance) -> None:
    page = person("manager")
    page.goto(FREEZES)
    page.get_by_label("A sentence for the reader").fill("Second freeze")
    waiting = page.get_by_label("leave out what these runs would bring")
    if waiting.count():
        waiting.check()
    page.get_by_role("button", name="Freeze the study as it stands").click()
    expect(page.get_by_role("button", name="Release to the investigators")).to_be_visible()
    number = page.url.rstrip("/").rsplit("/", 1)[1]
    investigator = person("investigator")
    address = f"{FREEZES}{number}/download/freeze.zip"
    assert investigator.request.get(address).status == 404
    page.get_by_label("Why it is released").fill("for the browser's test")
    page.get_by_role("button", name="Release to the investigators").click()
    expect(page.get_by_text(f"Freeze {number} is released")).to_be_visible()
    answer = investigator.request.get(address)
    assert answer.status == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.body()))
    root = archive.namelist()[0].split("/")[0]
    assert "released to the investigators" in archive.read(f"{root}/EXPORT.txt").decode()
    assert json.loads(archive.read(f"{root}/manifest.json"))["about"]["note"] == "Second freeze"
    investigator.goto(f"{FREEZES}{number}/")
    picture = investigator.locator("figure img").first
    picture.scroll_into_view_if_needed()
    investigator.wait_for_function("document.querySelector('figure img').naturalWidth > 100")


def test_readers_see_neither(person: Entrance) -> None:
    page = person("reader-1")
    expect(page.get_by_role("link", name="References")).to_have_count(0)
    expect(page.get_by_role("link", name="Freezes")).to_have_count(0)
    assert page.request.get(REFERENCES).status == 403
    assert page.request.get(FREEZES).status == 403
