"""A site sends examinations through the page, the core lab accepts one; what is wrong is said and leaves nothing."""

from __future__ import annotations

import io
import re
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from inference.centreline import write_centrelines
from inference.phantom import generate, write_dicom
from tests.browser.conftest import Demonstration, Entrance

SEEDS = (900901, 900902)  # neither trained on nor one of the demonstration's
UPLOAD = "/studies/demonstration/upload/"


@dataclass(frozen=True)
class Scan:
    """A phantom as a site has it on disk, and the points that the core lab stores for it."""

    folder: Path
    centrelines: Path

    def zipped(self) -> FilePayload:
        """Return the folder as one zip archive."""
        return zip_of({f"scan/{path.name}": path.read_bytes() for path in sorted(self.folder.iterdir())})


def zip_of(members: dict[str, bytes]) -> FilePayload:
    """Return a zip archive with these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return {"name": "scan.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Scan]:
    """Two phantoms of tiny size in DICOM."""
    made = []
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp(f"scan-{seed}")
        phantom = generate(seed=seed, scenario="tiny")
        write_dicom(phantom, folder / "dicom")
        write_centrelines(folder / "centrelines.csv", phantom.stored_points(1.0))
        made.append(Scan(folder / "dicom", folder / "centrelines.csv"))
    return made


def send(page: Page, subject: str, files: FilePayload | Path, *, picker: str = "#pick-files") -> None:
    """Fill in the form as a person does, choose files and press Upload."""
    page.goto(UPLOAD)
    page.get_by_label("Subject (pseudonym)").fill(subject)
    page.locator(picker).set_input_files(files)
    expect(page.locator("#chosen")).to_contain_text(re.compile(r"\d+ files?, "))
    page.get_by_role("button", name="Upload", exact=True).click()


def expect_quality_control(page: Page) -> str:
    """Wait for the good end of an upload; return the exam's address."""
    outcome = page.locator("#outcome .alert-success")
    expect(outcome).to_contain_text("The examination is in quality control.")
    expect(page.locator("#stages [data-stage=send] progress")).to_have_js_property("value", 1)
    expect(page.locator("#stages [data-stage=import] progress")).to_have_js_property("value", 1)
    href = outcome.get_by_role("link", name="Open the exam").get_attribute("href")
    assert href
    return href


def wait_until_nothing_is_staged(page: Page, demonstration: Demonstration) -> None:
    """The worker erases the bytes right after it has said how the import ended."""
    end = time.monotonic() + 15
    while left := [path for path in (demonstration.folder / "staging").rglob("*") if path.is_file()]:
        assert time.monotonic() < end, left
        page.wait_for_timeout(50)


def expect_refused(page: Page, demonstration: Demonstration, subject: str, text: str) -> None:
    """Wait for the bad end of an upload: it says why, and nothing of it is left."""
    expect(page.locator("#outcome .alert-danger")).to_contain_text(text)
    wait_until_nothing_is_staged(page, demonstration)
    page.goto("/studies/demonstration/site/")
    expect(page.locator("#subjects")).not_to_contain_text(subject)


def test_a_folder_becomes_an_exam_that_the_core_lab_accepts_and_analyses(
    person: Entrance, scans: list[Scan]
) -> None:
    site = person("coordinator-1")
    send(site, "NEW-001", scans[0].folder, picker="#pick-folder")
    exam = expect_quality_control(site)
    site.goto(exam)
    expect(site.locator("h1")).to_contain_text("Exam")
    expect(site.get_by_text("QC pending")).to_be_visible()
    expect(site.get_by_role("button", name="Accept for analysis")).to_have_count(0)
    expect(site.locator("body")).not_to_contain_text("PHANTOM")

    technician = person("technician")
    technician.goto("/studies/demonstration/qc/")
    technician.locator("tr", has_text="NEW-001").get_by_role("link").first.click()
    expect(technician.locator("#planes img")).to_have_count(3)
    technician.goto(f"{exam}centrelines/")
    technician.get_by_label("Centreline file, or one file a vessel").set_input_files(scans[0].centrelines)
    technician.get_by_role("button", name="Store the files").click()
    expect(technician.get_by_role("heading", name="Stored for this exam")).to_be_visible()
    technician.goto(exam)
    technician.get_by_label("4 good").check()
    technician.get_by_role("button", name="Accept for analysis").click()
    expect(technician.get_by_text("Accepted by Tove Ekström (simulated)")).to_be_visible()
    technician.goto(exam)
    technician.get_by_role("link", name="Analysis:").click()
    expect(technician.locator("main")).to_contain_text(
        re.compile(r"succeeded", re.IGNORECASE), timeout=120_000
    )


def test_a_zip_is_unpacked_and_sending_it_again_is_refused(
    person: Entrance, demonstration: Demonstration, scans: list[Scan]
) -> None:
    page = person("coordinator-1")
    send(page, "NEW-002", scans[1].zipped())
    exam = expect_quality_control(page)
    number = exam.strip("/").split("/")[-1]
    send(page, "NEW-003", scans[1].zipped())
    expect_refused(page, demonstration, "NEW-003", "already in the study under another pseudonym")
    send(page, "NEW-002", scans[1].zipped())
    expect(page.locator("#outcome .alert-danger")).to_contain_text(
        f"This scan is already in the study: it is exam {number}."
    )


@pytest.mark.parametrize(
    ("subject", "file", "text"),
    [
        ("BAD-001", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"a letter"}, "no CT image"),
        ("BAD-002", zip_of({}), "The archive is empty"),
        ("BAD-003", zip_of({"../../out.dcm": b"0" * 200}), "a path that leads out of its own folder"),
    ],
    ids=["text file", "empty zip", "paths upward"],
)
def test_what_is_no_examination_is_refused_in_words_and_leaves_nothing(
    person: Entrance, demonstration: Demonstration, subject: str, file: FilePayload, text: str
) -> None:
    page = person("coordinator-1")
    send(page, subject, file)
    expect(page.locator("#issues tbody")).to_contain_text(file["name"])
    expect_refused(page, demonstration, subject, text)


def test_an_upload_that_is_aborted_is_erased(
    person: Entrance, demonstration: Demonstration, scans: list[Scan]
) -> None:
    page = person("coordinator-1")
    arrived: list[str] = []
    # The first file arrives, all others wait for ever, as on a very slow line.
    page.route(
        "**/files/*/",
        lambda route: (arrived.append(route.request.url), route.continue_()) if not arrived else None,
    )
    send(page, "BAD-004", scans[0].folder, picker="#pick-folder")
    page.wait_for_function("document.querySelector('#stages [data-stage=send] progress').value > 0")
    page.get_by_role("button", name="Abort: erase what was sent").click()
    expect_refused(page, demonstration, "BAD-004", "Aborted by you. What was sent has been erased.")


def test_a_pseudonym_with_blanks_is_not_sent(person: Entrance) -> None:
    page = person("coordinator-1")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    send(page, "Jane Doe", {"name": "a.dcm", "mimeType": "application/dicom", "buffer": b"x"})
    field = page.get_by_label("Subject (pseudonym)")
    assert field.evaluate("(input) => input.validity.patternMismatch")
    assert asked == []
