"""What the pages show, and that every point, cell and bar leads to its cases."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.urls import reverse

from plaquelab.dashboards.questions import QUESTIONS


def get(client, name="question", question="agreement", headers=None, **query):
    address = reverse(f"dashboards:{name}", kwargs={"study": "alpha", "question": question})
    return client.get(address, query, headers=headers or {})


def figures(response):
    text = response.content.decode()
    found = re.findall(r'<pre hidden id="figure-([\w-]+)">(.*?)</pre>', text, re.S)
    return {name: json.loads(drawing) for name, drawing in found}


def links_of(drawing):
    """Every selection of a figure's points and cells."""
    found = []

    def walk(value):
        if isinstance(value, list):
            for part in value:
                walk(part)
        elif isinstance(value, str) and value.startswith("?"):
            found.append(value)

    for trace in drawing["data"]:
        walk(trace.get("customdata"))
    return found


def words_of(response):
    return html.unescape(
        re.sub(r"<(script|pre)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.S)
    )


@pytest.mark.parametrize("freeze", ["1", "2"])
@pytest.mark.parametrize("question", list(QUESTIONS))
def test_every_page_answers_on_a_small_real_and_on_a_simulated_freeze(pages, client_for, question, freeze):
    response = get(client_for(pages.a.investigator), question=question, freeze=freeze)
    assert response.status_code == 200
    text = words_of(response)
    assert QUESTIONS[question].asks in text
    assert "Simulated data" in text
    assert not re.search(r"\b(nan|NaN|inf|None)\b", text)
    for name, drawing in figures(response).items():
        assert "NaN" not in json.dumps(drawing), name
        assert drawing["layout"], name


@pytest.mark.parametrize(
    ("question", "more"),
    [*((key, {}) for key in QUESTIONS), ("outcome", {"section": "all"}), ("readers", {"section": "all"})],
)
def test_every_kind_of_link_leads_to_cases(pages, client_for, question, more):
    """Points of every figure and every cell of every table; an empty cell of a matrix has nobody behind it."""
    client = client_for(pages.a.investigator)
    response = get(client, question=question, freeze="2", **more)
    text = response.content.decode()
    cells = {html.unescape(q) for q in re.findall(r'hx-get="[^"]*/cases/\?([^"]+)"', text)}
    assert cells
    for name, drawing in figures(response).items():
        counts = []
        for link in links_of(drawing)[:40:7]:
            found = get(client, "cases", question, freeze="2", selection=link[1:], **more)
            assert found.status_code == 200, link
            counts.append(int(re.search(r"([\d,]+) cases?<", found.content.decode())[1].replace(",", "")))
        assert any(counts) or not counts, name
    base = reverse("dashboards:cases", kwargs={"study": "alpha", "question": question})
    for query in sorted(cells):
        found = client.get(f"{base}?{query}")
        assert found.status_code == 200, query
        assert "cases<" in found.content.decode() or "case<" in found.content.decode(), query


def test_a_single_point_opens_its_case_at_once(pages, client_for):
    link = links_of(figures(get(client_for(pages.a.investigator)))["scatter"])[0]
    htmx = {"HX-Request": "true"}
    answer = get(client_for(pages.a.investigator), "cases", selection=link[1:], go="1", headers=htmx)
    target = answer["HX-Redirect"]
    assert target.startswith("/studies/alpha/freezes/1/case/?patient=P-00")
    row = client_for(pages.a.investigator).get(target).content.decode()
    assert "Total plaque volume" in row
    assert "Open the images" not in row
    manager = get(client_for(pages.a.manager), "cases", selection=link[1:], go="1", headers=htmx)
    assert re.match(r"/studies/alpha/exams/\d/view/\?vessel=\w+&(lesion|section)=\d+", manager["HX-Redirect"])
    # Without a click on a point the list is shown, and the address keeps the selection.
    shown = get(client_for(pages.a.investigator), "cases", selection=link[1:], headers=htmx)
    assert "selection=row%3D" in shown["HX-Replace-Url"]


def test_the_row_of_measurements_has_both_reads(pages, client_for):
    """The fixture's first patient: expert 110, network 116 mm³ in the LAD; each read's own lesions."""
    client = client_for(pages.a.investigator)
    listed = get(client, "cases", extents="own").content.decode()
    link = html.unescape(
        re.search(r'href="([^"]+)"[^>]*><span[^>]*>P-001</span> · LAD · lesion 1<', listed)[1]
    )
    text = re.sub(r"\s+", " ", words_of(client.get(link)))
    assert "Total plaque volume mm³ 110.0 116.0" in text
    assert "Site alpha-north" in text


def test_lesion_counts_and_pairs_are_those_of_the_reads(pages, client_for):
    text = re.sub(r"\s+", " ", words_of(get(client_for(pages.a.investigator), extents="own")))
    assert "16 lesions in 4 patients" in text
    assert "8 lesions that the expert missed" in text or "8 lesions of the network alone" in text
    assert "not estimable" not in text.split("Beside other pairs")[0] or "–" in text


def test_filters_live_in_the_address_and_bad_ones_are_named(pages, client_for):
    client = client_for(pages.a.investigator)
    response = get(client, metric="<b>x", level="moon", form="Z", site="Atlantis", freeze="99")
    assert response.status_code == 200
    text = response.content.decode()
    for name in ("metric", "level", "form", "site"):
        assert f"There is no {name} “" in text, name
    assert "There is no freeze “99” that you may open: showing freeze 1." in text
    assert "<b>x" not in text
    chosen = get(client, metric="diameter_stenosis", site="alpha-north", headers={"HX-Request": "true"})
    assert '<option value="diameter_stenosis" selected>' in chosen.content.decode()
    assert chosen["HX-Push-Url"].endswith("?freeze=1&metric=diameter_stenosis&site=alpha-north")


def test_a_selection_that_means_nothing_is_refused_in_words(pages, client_for):
    client = client_for(pages.a.investigator)
    said = get(client, "cases", "outcome", freeze="2", selection="group=1&until=2&cause=1").content.decode()
    assert "At or above the cut-off · by 2 years · the endpoint" in said
    for selection in ("tenth=x&model=y", "until=soon", "at_risk=x", "covariate=mood"):
        refused = get(client, "cases", "outcome", freeze="2", selection=selection)
        assert refused.status_code == 200, selection
        assert "show all" in refused.content.decode()
    for selection in ("row=x", "view=scatter&x0=1e999&x1=z", "metric=mood", "pair=us", "%00=%00", "x" * 5000):
        response = get(client, "cases", selection=selection)
        assert response.status_code == 200, selection
        assert get(client, selection=selection).status_code == 200, selection


def test_nobody_is_left_by_a_filter_and_the_page_says_so(pages, client_for):
    response = get(
        client_for(pages.a.investigator), place="RCA", pair="network_expert", level="lesion", quality="5"
    )
    assert response.status_code == 200
    text = words_of(response)
    assert "0 cases" in text
    assert "No case behind this." in text
    assert "not estimable" in text.lower()


def test_an_investigator_opens_images_of_final_reads_where_the_charter_says_so(pages, client_for):
    from plaquelab.reading.models import ReadCase
    from plaquelab.studies.models import CharterVersion

    rules = pages.a.charter.rules | {"investigators_see_images": True}
    charter = CharterVersion.objects.create(study=pages.a.study, number=2, rules=rules)
    client = client_for(pages.a.investigator)
    assert (
        "/exams/" not in get(client, "cases", extents="own").content.decode()
    )  # read under the older charter
    ReadCase.objects.filter(study=pages.a.study).update(charter=charter)
    text = html.unescape(get(client, "cases", extents="own").content.decode())
    assert "/studies/alpha/exams/1/view/?vessel=LAD&lesion=1" in text
    # A lesion that the network alone has: opened at the section in its middle, (2 + 6) / 2 / 0.3.
    assert "/studies/alpha/exams/1/view/?vessel=LAD&section=13" in text
    assert "/exams/" not in get(client, "cases", pair="expert_expert", extents="own").content.decode()


def test_the_list_holds_a_hundred_cases_and_says_so(pages, client_for):
    text = words_of(get(client_for(pages.a.investigator), freeze="2"))
    assert "The first 100; the CSV has all." in text


def test_a_patient_of_another_freeze_is_not_found(pages, client_for):
    address = reverse("dashboards:case", kwargs={"study": "alpha", "number": 1})
    client = client_for(pages.a.investigator)
    assert client.get(address, {"patient": "SIM-R001"}).status_code == 404
    for table, row in (("lesion_pairs", "9999999"), ("lesion_pairs", "-1"), ("patients", "0"), ("x", "y")):
        response = client.get(address, {"patient": "P-001", "table": table, "row": row})
        assert response.status_code == 200
        assert "Patient P-001" in response.content.decode()
