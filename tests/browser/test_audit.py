"""The audit trail as the auditor uses it, and the same check on the command line."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Demonstration, Entrance

AUDIT = "/studies/demonstration/audit/"


def test_the_auditor_filters_the_trail(person: Entrance) -> None:
    page = person("auditor")
    expect(page.locator("h1")).to_have_text("Audit trail")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_label("Verb").select_option("signature.sign")
    page.get_by_label("Actor").select_option("reader-1")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**verb=signature.sign**")
    verbs = set(page.locator("tbody tr td:nth-child(4)").all_inner_texts())
    actors = set(page.locator("tbody tr td:nth-child(3)").all_inner_texts())
    assert (verbs, actors) == ({"signature.sign"}, {"reader-1"})
    assert rows.count() >= 5
    expect(page.get_by_text(f"{rows.count()} events")).to_be_visible()
    page.get_by_label("Object or reason").fill("nothing has this reason")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No event matches.")).to_be_visible()
    page.get_by_role("link", name="Show all events").click()
    expect(rows).to_have_count(50)


def test_the_trail_is_paged_and_exported(person: Entrance) -> None:
    page = person("auditor")
    newest = page.locator("tbody tr td").first.inner_text()
    page.get_by_role("link", name="older").click()
    expect(page.get_by_text("page 2 of")).to_be_visible()
    assert int(page.locator("tbody tr td").first.inner_text()) < int(newest)
    href = page.get_by_role("link", name="Export CSV").get_attribute("href")
    assert href
    lines = page.request.get(AUDIT + href if href.startswith("?") else href).text().splitlines()
    assert lines[0].startswith("sequence,at,actor,role")
    assert len(lines) > 100


def test_every_chain_and_signature_holds_on_the_page_and_on_the_command_line(
    person: Entrance, demonstration: Demonstration
) -> None:
    page = person("auditor")
    page.get_by_role("link", name="Verify chains and signatures").click()
    expect(page.get_by_role("status")).to_contain_text("Every chain holds")
    expect(page.locator(".alert-danger")).to_have_count(0)
    done = demonstration.manage("audit_verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_reader_does_not_see_the_trail(person: Entrance) -> None:
    page = person("reader-1")
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    assert page.request.get(AUDIT).status == 403
