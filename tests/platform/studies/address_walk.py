"""Every address of the URLconf, filled in for an exam: what is added to the house is walked by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

# Of the installation, not of a study: who may open them has nothing to do with roles.
PUBLIC = ("health", "home:home", "home:start_progress", "home:enter", "api:schema")
METHODS = ("GET", "POST", "PUT")
OF_THE_EXAM = ("number", "pk", "session")
OF_THE_WHOLE_STUDY = ("references", "dashboards", "freezes")

_WRITES = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"?(\w+)', re.I)
_SESSIONS = "django_session"
# What a person looked at or took away is an event by design, and such an event alone may be written by looking:
# a site's images (exam.open_images, case.open_images) and whatever leaves the house (audit.export, freeze.export …).
OF_AN_EVENT = {"audit_auditevent", "audit_chainhead"}
NOTED = {
    "imaging:exam", "studies:audit_csv", "api:view-hu", "api:view-frames", "api:view-slab",
    "api:case-hu", "api:case-frames", "api:case-slab",
    "dashboards:freeze_download", "dashboards:report_download", "dashboards:cases_csv",
    "dashboards:numbers_json", "dashboards:figure_csv", "dashboards:figure_json", "dashboards:grid_csv",
}  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """One pattern of the URLconf: its full name and its parameters."""

    name: str
    parameters: tuple[str, ...]

    @property
    def app(self) -> str:
        """The application whose address it is."""
        return self.name.partition(":")[0]

    @property
    def of_the_exam(self) -> bool:
        """Whether a parameter names an exam, or something made of one."""
        return self.app not in OF_THE_WHOLE_STUDY and any(p in OF_THE_EXAM for p in self.parameters)

    @property
    def of_the_own_case(self) -> bool:
        """Whether it is addressed by the person's own running number."""
        return "n" in self.parameters


def patterns() -> list[Pattern]:
    """Return every address of a study, in the order of the URLconf; those of accounts are the library's."""
    found = [one for one in _walk(get_resolver()) if not re.match("account_|mfa_", one.name)]
    assert {one.name for one in found if "study" not in one.parameters} == set(PUBLIC)
    return [one for one in found if "study" in one.parameters]


def _walk(resolver: URLResolver, space: str = "") -> Iterator[Pattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _walk(one, space + (f"{one.namespace}:" if one.namespace else ""))
        elif isinstance(one, URLPattern):
            yield Pattern(f"{space}{one.name}", tuple(one.pattern.converters))


def url_of(pattern: Pattern, *, slug: str, exam: Any, own: int = 1) -> str:
    """Return the address for an exam of ``world``; a parameter that nobody knows fails here: say what it is.

    Parameters
    ----------
    exam : what :func:`parts_of` returns.
    own : the person's own running number.
    """
    given = {
        "study": slug,
        "n": own,
        "number": 1 if pattern.app in OF_THE_WHOLE_STUDY else exam.number,
        "pk": exam.pks.get(pattern.name, exam.pks.get(pattern.app, 1)),
        "session": exam.session,
        "vessel": "LAD",
        "digest": exam.digests.get(pattern.name.rpartition("-")[2], ""),
        "index": 0,
        "plane": "axial",
        "kind": "outcomes",
        "question": "agreement",
        "name": "metrics" if pattern.name.endswith("grid_csv") else "scatter",
        "action": "release",
        "file": "report.html",
    }
    return reverse(pattern.name, kwargs={name: given[name] for name in pattern.parameters})


def parts_of(exam: Any) -> SimpleNamespace:
    """Return what addresses need of an exam: its number and the keys of run, import, query and held object."""
    run = exam.runs.order_by("pk").first()
    vessel = run.vessels.get(name="LAD").sha256[:16]
    query, held = exam.queries.first(), exam.import_job.quarantine.first()
    pks = {"analysis": run.pk, "imaging": query.pk}
    pks |= {f"imaging:{name}": exam.import_job.pk for name in ("import", "import_progress", "import_again")}
    pks |= {"imaging:import_cancel": exam.import_job.pk, "imaging:quarantine_reject": held.pk}
    return SimpleNamespace(
        number=exam.number,
        pks=pks,
        session=exam.import_job.session_id,
        digests={"hu": vessel, "frames": vessel, "slab": exam.volume.slabs.get(index=0).sha256[:16]},
    )


def secrets_of(exam: Any) -> tuple[str, ...]:
    """Return texts that would tell of an exam: its subject, and addresses of what was made of it."""
    parts = parts_of(exam)
    return (
        exam.subject.pseudonym,
        f"/exams/{exam.number}/",
        f"/runs/{parts.pks['analysis']}/",
        f"/imports/{parts.pks['imaging:import']}/",
        str(parts.session),
    )


@cache
def methods_of(pattern: Pattern, url: str) -> tuple[str, ...]:
    """Return the methods that an address answers to, by what it says to one that it cannot answer to."""
    from plaquelab.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="alpha-manager"))
    allowed = client.trace(url).headers.get("Allow", "GET")
    return tuple(method for method in METHODS if re.search(rf"\b{method}\b", allowed))


def ask(client: Client, method: str, url: str) -> Any:
    """Send an empty request; nothing that it changes stays."""
    kind = "application/json" if url.startswith("/api/") else "application/x-www-form-urlencoded"
    body = json.dumps({}) if kind.endswith("json") and method != "GET" else ""
    with transaction.atomic():
        response = client.generic(method, url, body, content_type=kind)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        transaction.set_rollback(True)
    response.text_of_it = re.sub(
        r'(csrf-token" content|csrfmiddlewaretoken" value)="[^"]+"', "", content.decode("latin-1")
    )
    return response


def written(client: Client, url: str) -> set[str]:
    """Return the tables that a GET writes to, sessions aside."""
    with CaptureQueriesContext(connection) as seen:
        client.get(url)
    found = [_WRITES.match(query["sql"]) for query in seen.captured_queries]
    return {match[2].lower() for match in found if match} - {_SESSIONS}
