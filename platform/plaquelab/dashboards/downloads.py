"""CSV and JSON of what a page shows. A cell that a spreadsheet would run as a formula is made text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

from plaquelab.csv_cells import guarded


def csv_response(name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A CSV file to save, every cell guarded."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([guarded(cell) for cell in heading])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return _attachment(stream.getvalue(), "text/csv; charset=utf-8", f"{name}.csv")


def json_response(name: str, content: dict[str, Any]) -> HttpResponse:
    """A JSON file to save; NaN cannot occur in it."""
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    return _attachment(text, "application/json; charset=utf-8", f"{name}.json")


def _attachment(text: str, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
