"""Server time of every dashboard page at 2,000 and 100,000 lesions: asked for the first time, and kept.

usage: python tests/bench/dashboard_pages.py [--patients 1611 84745] [--repeat 5]
Keeps var/bench/dashboard_pages.json; tests/bench/analytics_validation.py writes the page. The whole answer of the server is
timed (session, permissions, statistics, cases, template) as an investigator asks for it, without the network between.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform"), str(Path(__file__).parent)]
KEPT = ROOT / "var" / "bench" / "dashboard_pages.json"
PATIENTS = (1_611, 84_745)
"""Prognostic cohorts that come with 2,000 and 100,000 lesions of the reader study, all else in proportion."""


def prepare(folder: Path) -> Any:
    """Start Django on an empty installation in a folder; return a study and its investigator."""
    os.environ |= {
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "plaquelab.config.settings.embedded",
        "PLAQUELAB_DEMONSTRATION": "1",
    }
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    from plaquelab.accounts.models import User
    from plaquelab.studies.models import Membership, Study

    study = Study.objects.create(slug="bench", title="Bench (simulated)", is_simulated=True)
    person = User.objects.create_user("bench", password="a long bench password", printed_name="Bench")
    Membership.objects.create(user=person, study=study, role="investigator")
    return study, person


def freeze_of(study: Any, number: int, patients: int, folder: Path) -> Any:
    """Put a simulated freeze of so many patients into the study, released."""
    from django.utils import timezone

    from analytics.freeze import read_freeze
    from analytics.simulation.freeze import simulate_freeze
    from plaquelab.freezes.models import DatasetFreeze
    from plaquelab.storage import store

    out = folder / f"freeze-{number}"
    digest = simulate_freeze(out, seed=None if patients == PATIENTS[0] else 1, patients=patients)
    rows = {name: entry["rows"] for name, entry in read_freeze(out).manifest["tables"].items()}
    files = [path for path in out.rglob("*") if path.is_file()]
    freeze = DatasetFreeze.objects.create(
        study=study,
        number=number,
        source="simulation",
        state="released",
        is_simulated=True,
        hash=digest,
        files={str(path.relative_to(out)): path.stat().st_size for path in files},
        rows=rows,
        frozen_at=timezone.now(),
        released_at=timezone.now(),
    )
    for path in files:
        store().put(f"{freeze.folder}/{path.relative_to(out)}", path.read_bytes())
    return freeze


def addresses() -> dict[str, str]:
    """Every page and section by name: its path and query, without the freeze."""
    from analytics.questions.outcome import SECTIONS as OUTCOME
    from analytics.questions.readers import SECTIONS as READERS
    from plaquelab.dashboards.questions import QUESTIONS

    found = {}
    for key in QUESTIONS:
        sections = {"outcome": OUTCOME, "readers": READERS}.get(key)
        if sections is None:
            found[key] = f"{key}/?"
        else:
            found |= {f"{key}, {name}": f"{key}/?section={name}&" for name in sections}
    return found


def timed(client: Any, address: str) -> tuple[float, int]:
    """Seconds of one answer, and its bytes. Raises RuntimeError when it is none."""
    begin = time.perf_counter()
    response = client.get(address)
    spent = time.perf_counter() - begin
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")
    return spent, len(response.content)


def measure(patients: tuple[int, ...], repeat: int) -> list[dict[str, Any]]:
    """Rows: page, lesions, seconds asked for the first time and kept, kB of the page."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study, person = prepare(folder)
        from django.test import Client

        from plaquelab.freezes.frozen import open_freeze

        client = Client()
        client.force_login(person)
        for number, size in enumerate(patients, start=1):
            freeze = freeze_of(study, number, size, folder)
            open_freeze(freeze)  # a worker process opens a freeze once
            lesions = freeze.rows["lesion_pairs"]
            for page, path in addresses().items():
                address = f"/studies/bench/dashboards/{path}freeze={number}"
                first, length = timed(client, address)
                again = statistics.median(timed(client, address)[0] for _ in range(repeat))
                rows.append(
                    {
                        "page": page,
                        "patients": freeze.rows["patients"],
                        "lesion_pairs": lesions,
                        "first": first,
                        "kept": again,
                        "kB": length / 1000,
                    }
                )
                print(f"{page}, {lesions:,} pairs: first {first:.2f} s, kept {again:.2f} s", flush=True)
        from django.db import connections

        connections.close_all()
    return rows


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, nargs="+", default=list(PATIENTS))
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    from networks import commit
    from run import machine

    before = os.getloadavg()[0]
    found = {
        "machine": machine(),
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d"),
        "pages": measure(tuple(given.patients), given.repeat),
        "pages load": max(before, os.getloadavg()[0]) / (os.cpu_count() or 1),
    }
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
