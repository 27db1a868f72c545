"""What is taken away: complete, marked with freeze and lock state, safe in a spreadsheet, and noted."""

from __future__ import annotations

import csv
import io
import json
import math

from django.urls import reverse

from analytics.freeze import read_freeze
from plaquelab.audit.models import AuditEvent
from plaquelab.dashboards import exports


def get(client, view, question="agreement", query=None, **kwargs):
    address = reverse(f"dashboards:{view}", kwargs={"study": "alpha", "question": question, **kwargs})
    return client.get(address, query or {})


def table(response):
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_a_figures_table_holds_every_point_with_its_case(pages, client_for, simulated_folder):
    rows = table(get(client_for(pages.a.investigator), "figure_csv", query={"freeze": "2"}, name="scatter"))
    pairs = read_freeze(simulated_folder).table("lesion_pairs")
    given = pairs[(pairs["pair"] == "network_expert") & (pairs["extents"] == "given")]
    assert len(rows) == len(given)
    assert math.isclose(sum(float(r["x"]) for r in rows), given["total_plaque_volume_first"].sum(), abs_tol=1)
    assert math.isclose(
        sum(float(r["y"]) for r in rows), given["total_plaque_volume_second"].sum(), abs_tol=1
    )
    assert all(r["label"].startswith("SIM-R") for r in rows)
    assert {r["data"] for r in rows} == {"simulated"}


def test_every_row_carries_freeze_and_lock_state(pages, client_for):
    manager = client_for(pages.a.manager)
    for number, freeze, words in (("1", pages.own, "released"), ("3", pages.newer, "frozen, NOT released")):
        response = get(manager, "grid_csv", query={"freeze": number}, name="metrics")
        name = f"alpha-freeze-{number}-{freeze.state}-{freeze.hash[:12]}-agreement-metrics.csv"
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        rows = table(response)
        assert {(r["freeze"], r["lock state"]) for r in rows} == {(freeze.hash[:16], words)}


def test_numbers_say_where_they_come_from(pages, client_for):
    content = json.loads(
        get(
            client_for(pages.a.auditor), "numbers_json", query={"extents": "own", "site": "alpha-north"}
        ).content
    )
    provenance = content["provenance"]
    assert provenance["freeze_hash"] == content["freeze"] == pages.own.hash
    assert provenance["parameters"] == {"extents": "own", "site": "alpha-north"}
    assert provenance["lock_state"] == "released"
    icc = content["results"]["icc"]
    assert (icc["n"], icc["clusters"]) == (8, 2)
    one = json.loads(get(client_for(pages.a.auditor), "figure_json", name="scatter").content)
    assert one["numbers"][0]["method"].startswith("ICC(A,1)")
    assert one["sentences"][0].startswith("ICC(A,1)")


def test_cases_of_a_selection_with_their_values(pages, client_for):
    client = client_for(pages.a.investigator)
    rows = table(get(client, "cases_csv", query={"extents": "own"}))
    assert len(rows) == 16
    volumes = {
        (r["vessel"], r["first_lesion"], r["second_lesion"]): (
            float(r["total_plaque_volume_first"]),
            float(r["total_plaque_volume_second"]),
        )
        for r in rows
        if r["patient"] == "P-001"
    }
    assert volumes == {
        ("LAD", "", "1.0"): (0, 8),
        ("LAD", "1.0", "2.0"): (110, 116),
        ("LCx", "1.0", ""): (30, 0),
        ("RCA", "", "1.0"): (0, 12),
    }
    some = table(get(client, "cases_csv", query={"extents": "own", "selection": "match=second_only"}))
    assert len(some) == 8
    assert {r["first_lesion"] for r in some} == {""}


def test_each_export_is_an_event(pages, client_for):
    get(client_for(pages.a.investigator), "cases_csv")
    event = AuditEvent.objects.filter(verb="dashboard.export").get()
    assert event.actor == pages.a.investigator.username
    assert event.after == {
        "number": 1,
        "hash": pages.own.hash,
        "state": "released",
        "what": "agreement: cases",
    }


def test_what_is_not_on_the_page_is_not_found_and_refusals_are_words(pages, client_for):
    client = client_for(pages.a.investigator)
    assert get(client, "figure_csv", name="moon").status_code == 404
    assert get(client, "grid_csv", name="moon").status_code == 404
    refused = get(client, "numbers_json", "outcome", query={"freeze": "1"})
    assert refused.status_code == 422
    assert refused.content.decode().startswith("This freeze has no outcomes")


def test_a_heat_maps_cells_become_rows_with_both_categories():
    drawing = {
        "data": [
            {
                "type": "heatmap",
                "x": [0, 1],
                "y": [0, 1],
                "z": [[5, 2], [1, 7]],
                "customdata": [[["?a", "five"], ["?b", "two"]], [["?c", "one"], ["?d", "seven"]]],
            },
            {"type": "scatter", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip"},
        ],
        "layout": {},
    }
    headings, rows = exports.figure_table({"drawing": json.dumps(drawing)})
    assert headings == ["series", "x", "y", "value", "label"]
    assert rows == [
        ["heatmap 1", 0, 0, 5, "five"],
        ["heatmap 1", 1, 0, 2, "two"],
        ["heatmap 1", 0, 1, 1, "one"],
        ["heatmap 1", 1, 1, 7, "seven"],
    ]
