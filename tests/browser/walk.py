"""Walk every page that a role can reach by links, as a person would, and say what is wrong with each."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from PIL import Image, ImageStat
from playwright.sync_api import Browser, Page, Response

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PERSONS = (
    "manager",
    "coordinator-1",
    "technician",
    "reader-1",
    "reader-2",
    "adjudicator",
    "investigator",
    "auditor",
)
NOT_PAGES = re.compile(
    r"/(logout|api|static|demo|download|export)(/|$)|\.(csv|json|svg|png|zip)(\?|$)|[?&](format|export)="
)


@dataclass
class Visit:
    """One page as one person saw it."""

    person: str
    url: str
    name: str
    picture: bytes
    problems: list[str] = field(default_factory=list)


def enter(page: Page, base: str, person: str) -> None:
    """Enter as a demonstration person through the start page's button."""
    page.goto(base + "/")
    page.locator(f'form[action="/demo/enter/{person}/"] button').click()
    page.wait_for_load_state("networkidle")


def name_of(url: str) -> str:
    """Return a page's kind: its path with numbers and identifiers taken out."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "n", urlsplit(url).path.strip("/"))
    path = re.sub(r"(?<=/)([A-Z]+-)?\d+(?=/|$)", "n", path)
    return re.sub(r"[^a-zA-Z0-9]+", "-", path).strip("-") or "home"


def is_blank(picture: bytes) -> bool:
    """Tell whether a picture shows (nearly) nothing."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    return max(ImageStat.Stat(image).stddev) < 2.0


def look(page: Page, person: str, url: str, settle_ms: int = 400) -> Visit:
    """Open a page, take its picture and list its problems."""
    problems: list[str] = []

    def failed(response: Response) -> None:
        if response.status >= 400:
            problems.append(f"request answered {response.status}: {response.url}")

    page.on("response", failed)
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("console", lambda m: problems.append(f"console: {m.text}") if m.type == "error" else None)
    page.on(
        "requestfailed",
        lambda r: problems.append(f"request failed: {r.url}") if r.failure != "net::ERR_ABORTED" else None,
    )
    page.goto(url)
    page.wait_for_load_state("load")
    page.wait_for_timeout(settle_ms)
    if page.locator("[data-testid=cross-section]").count():
        page.wait_for_function(
            "window.plaquelab && window.plaquelab.timings && window.plaquelab.timings.length > 0",
            timeout=20_000,
        )
        page.wait_for_timeout(1500)
    text = page.locator("body").inner_text()
    problems += [f"unrendered template tag: {tag}" for tag in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text)]
    picture = page.screenshot()
    if is_blank(picture):
        problems.append("the picture is blank")
    return Visit(person, url, name_of(url), picture, problems)


def walk(browser: Browser, base: str, person: str, most: int = 40) -> Iterator[Visit]:
    """Visit one page of each kind that ``person`` reaches by links, breadth first."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    enter(page, base, person)
    page.close()
    waiting, known = [base + "/"], {"home"}
    visited = 0
    while waiting and visited < most:
        url = waiting.pop(0)
        page = context.new_page()
        yield look(page, person, url)
        visited += 1
        for link in page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))"):
            target = urljoin(url, link).split("#")[0]
            kind = name_of(target)
            if (
                target.startswith(base)
                and kind not in known
                and not NOT_PAGES.search(target.removeprefix(base))
            ):
                known.add(kind)
                waiting.append(target)
        page.close()
    context.close()
