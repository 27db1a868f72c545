"""Walk every page that a role can reach by links, as a person would, and say what is wrong with each."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from PIL import Image, ImageStat
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

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
SETTLE_MS = 30_000
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
    page.locator('form[action="/accounts/logout/"]').wait_for()
    page.wait_for_load_state("load")


def name_of(url: str) -> str:
    """Return a page's kind: its path with numbers and identifiers taken out."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "n", urlsplit(url).path.strip("/"))
    path = re.sub(r"(?<=/)([A-Z]+-)?\d+(?=/|$)", "n", path)
    return re.sub(r"[^a-zA-Z0-9]+", "-", path).strip("-") or "home"


def is_blank(picture: bytes) -> bool:
    """Tell whether a picture shows (nearly) nothing."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    return max(ImageStat.Stat(image).stddev) < 2.0


SETTLED = """() => {
  const done = [...document.images].every((image) => image.complete)
    && [...document.querySelectorAll('.dashboard-figure')].every((figure) => figure.dataset.drawn === 'yes');
  const viewer = document.querySelector('#viewer');
  if (!viewer) return done;
  const ct = viewer.querySelector('[data-testid=mpr-topRight]')?.textContent;
  const place = viewer.querySelector('[data-testid=mpr-bottomLeft]')?.textContent;
  return done && viewer.dataset.ready === 'true' && ct === '' && place !== '';
}"""
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def settle(page: Page) -> None:
    """Wait until images, figures and the viewer's panes are drawn."""
    page.wait_for_load_state("load")
    page.wait_for_function(SETTLED, timeout=SETTLE_MS)
    page.evaluate(DRAWN)


def look(page: Page, person: str, url: str) -> Visit:
    """Open a page, take its picture and list its problems."""
    problems: list[str] = []
    hearing: dict[str, Callable[[Any], object]] = {
        "response": lambda r: (
            problems.append(f"request answered {r.status}: {r.url}") if r.status >= 400 else None
        ),
        "pageerror": lambda error: problems.append(f"script error: {error}"),
        "console": lambda m: problems.append(f"console: {m.text}") if m.type == "error" else None,
        "requestfailed": lambda r: (
            problems.append(f"request failed: {r.url}") if r.failure != "net::ERR_ABORTED" else None
        ),
    }
    for event, hear in hearing.items():
        page.on(event, hear)  # type: ignore[call-overload]
    page.goto(url)
    try:
        settle(page)
    except PlaywrightTimeout:
        problems.append(f"not drawn after {SETTLE_MS / 1000:.0f} s")
    text = page.locator("body").inner_text()
    problems += [f"unrendered template tag: {tag}" for tag in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text)]
    picture = page.screenshot()
    if is_blank(picture):
        problems.append("the picture is blank")
    for event, hear in hearing.items():
        page.remove_listener(event, hear)
    return Visit(person, url, name_of(url), picture, problems)


def walk(browser: Browser, base: str, person: str, most: int = 40) -> Iterator[Visit]:
    """Visit one page of each kind that ``person`` reaches by links, breadth first."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    enter(page, base, person)
    waiting, known = [base + "/"], {"home"}
    visited = 0
    while waiting and visited < most:
        url = waiting.pop(0)
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
    context.close()
