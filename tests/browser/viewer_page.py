"""The viewer as a test handles it: keys, drags, and what it says about itself."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.walk import DRAWN

ANGLES = 64


class ViewerPage:
    """One page with the viewer open."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def by_id(self, name: str) -> Locator:
        """Return the element with this test id."""
        return self.page.get_by_test_id(name)

    def dialog(self, name: str) -> Locator:
        """Return the dialog of this name."""
        return self.by_id(f"dialog-{name}")

    def wait_ready(self) -> ViewerPage:
        """Wait until the first vessel can be read."""
        self.page.locator("#viewer[data-ready=true]").wait_for()
        return self

    def goto(self, url: str) -> ViewerPage:
        """Open an address of the viewer."""
        self.page.goto(url)
        return self.wait_ready()

    def key(self, *keys: str) -> None:
        """Press keys one after the other, as Playwright names them."""
        for key in keys:
            self.page.keyboard.press(key)

    def state(self) -> dict[str, Any]:
        """Return what the page tells about itself."""
        return self.page.evaluate("window.plaquelab.state()")

    def radius(self, which: str, section: int, angle: int) -> float:
        """Return a contour's radius, mm, as it is shown now."""
        return self.page.evaluate("([w, s, a]) => window.plaquelab.radius(w, s, a)", [which, section, angle])

    def picture(self, pane: str) -> str:
        """Return the hash of what a pane's canvas shows, once the next frames are drawn."""
        self.page.mouse.move(0, 0)
        self.page.evaluate(DRAWN)
        shown = self.by_id(pane).locator("canvas").evaluate("(canvas) => canvas.toDataURL()")
        return hashlib.sha256(shown.encode()).hexdigest()

    def go_to(self, vessel: str, section: int) -> None:
        """Open a vessel from the list and move the cursor by keys."""
        self.page.locator(f"[data-vessel={vessel}]").click()
        self.wait_state(vessel=vessel)
        self.key("Home", *["PageDown"] * (section // 10), *["ArrowDown"] * (section % 10))
        self.wait_state(section=section)

    def wait_state(self, **wanted: Any) -> None:
        """Wait until the page's state has these values."""
        self.page.wait_for_function(
            "(wanted) => Object.entries(wanted).every("
            "([k, v]) => JSON.stringify(window.plaquelab.state()[k]) === JSON.stringify(v))",
            arg=wanted,
        )

    def wait_stored(self, beyond: int) -> int:
        """Wait until the server has stored every edit and its version is beyond ``beyond``; return it."""
        self.page.wait_for_function(
            "(n) => { const s = window.plaquelab.state();"
            " return s.saved === 'saved' && s.waiting === 0 && s.version > n; }",
            arg=beyond,
        )
        return self.state()["version"]

    def edit(self, *keys: str) -> int:
        """Press keys that edit, and wait until it is stored."""
        before = self.state()["version"]
        self.key(*keys)
        return self.wait_stored(before)

    def drag(self, which: str, angle: int, mm: float) -> None:
        """Take the active contour at an angle in the cross-section and move it outwards by ``mm``."""
        place = self.page.evaluate("window.plaquelab.placement()")
        box = self.by_id("cross-section").locator("canvas").bounding_box()
        assert box
        radius = self.radius(which, self.state()["section"], angle)
        turn = 2 * math.pi * angle / ANGLES

        def point(r: float) -> tuple[float, float]:
            x = box["x"] + place["x"] + r * place["pixelsPerMm"] * math.cos(turn)
            return x, box["y"] + place["y"] + r * place["pixelsPerMm"] * math.sin(turn)

        mouse = self.page.mouse
        mouse.move(*point(radius))
        mouse.down()
        mouse.move(*point(radius + mm / 2), steps=3)
        mouse.move(*point(radius + mm), steps=3)
        mouse.up()

    def drag_and_store(self, which: str, angle: int, mm: float) -> int:
        """Drag a contour and wait until the edit is stored."""
        before = self.state()["version"]
        self.drag(which, angle, mm)
        return self.wait_stored(before)

    def number(self, row: str, metric: str) -> Locator:
        """Return a value of the lesion table: ``row`` is a lesion's number or "sum" for the whole vessel."""
        where = "tr.sum" if row == "sum" else f'tr[data-lesion="{row}"]'
        return self.by_id("lesions").locator(f'{where} td[data-metric="{metric}"] .value')

    def patient(self, metric: str) -> Locator:
        """Return a value of the patient's row."""
        return self.by_id("patient").locator(f'[data-metric="{metric}"] dd')

    def select_no_lesion(self) -> None:
        """Begin a new lesion, so that [ and ] do not move an old one."""
        self.key("i")
        self.wait_state(lesion=None)

    def add_lesion(self, first: int, last: int) -> None:
        """Add a lesion between two sections by keys; the cursor ends at ``last``."""
        vessel = self.state()["vessel"]
        self.select_no_lesion()
        self.go_to(vessel, first)
        self.key("[")
        self.key(*["ArrowDown"] * (last - first))
        self.wait_state(section=last)
        self.edit("]")

    def api(self) -> str:
        """Return the address of the open case in the API."""
        config = self.page.locator("#viewer-config").text_content()
        assert config
        return json.loads(config)["api_root"]

    def get(self, path: str) -> Any:
        """Fetch JSON of the API with this person's session."""
        answer = self.page.request.get(path)
        assert answer.ok, f"{path} answered {answer.status}"
        return answer.json()

    def expect_message(self, text: str | re.Pattern[str]) -> None:
        """The page says this to the person."""
        expect(self.by_id("message")).to_contain_text(text)
