"""Two tenants with every role each, and clients for their people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from django.test import Client, TransactionTestCase

PASSWORD = "a long test password"
ROLES = ("manager", "coordinator", "technician", "reader", "reader2", "adjudicator", "investigator", "auditor")

_flush = TransactionTestCase._fixture_teardown


def _flush_without_triggers(self: TransactionTestCase) -> None:
    """Empty the test database between transactional tests: audit triggers would refuse that."""
    from plaquelab.audit import append_only

    append_only.remove(connections["default"])
    _flush(self)
    append_only.install(connections["default"])


TransactionTestCase._fixture_teardown = _flush_without_triggers  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def private_folders(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Give each test its own folders for files, keys, staging and audit heads."""
    settings.DATA_DIR = tmp_path
    settings.FILES_DIR = tmp_path / "files"
    settings.KEYS_DIR = tmp_path / "keys"
    settings.STAGING_DIR = tmp_path / "staging"
    settings.QUARANTINE_DIR = tmp_path / "quarantine"
    settings.AUDIT_HEADS_FILE = tmp_path / "audit" / "heads.jsonl"
    yield


def make_study(slug: str, *, rules: dict[str, Any] | None = None) -> SimpleNamespace:
    """Make a study with a site and one person for each role (two readers, two sites)."""
    from plaquelab.accounts.models import User
    from plaquelab.studies.models import CharterVersion, Cohort, Membership, Site, Study, StudySite

    study = Study.objects.create(slug=slug, title=f"Study {slug}", is_simulated=True)
    site = Site.objects.create(code=f"{slug}-north", name=f"{slug} North")
    other_site = Site.objects.create(code=f"{slug}-south", name=f"{slug} South")
    for s in (site, other_site):
        StudySite.objects.create(study=study, site=s)
    cohort = Cohort.objects.create(study=study, name="Test", purpose="test")
    charter = CharterVersion.objects.create(
        study=study,
        number=1,
        rules=rules
        or {
            "profile": "corrected",
            "start_from": "threshold",
            "readers": 2,
            "readers_see_network": False,
            "discordance": {
                "volume_percent": 25,
                "volume_mm3": 90,
                "cadrads_limits": [50, 70],
                "plaque_stage": True,
            },
            "seed": 1,
        },
    )
    users = {}
    for name in ROLES:
        user = User.objects.create_user(f"{slug}-{name}", password=PASSWORD, printed_name=f"{slug} {name}")
        role = "reader" if name == "reader2" else name
        Membership.objects.create(
            user=user, study=study, role=role, site=site if name == "coordinator" else None
        )
        users[name] = user
    return SimpleNamespace(
        study=study, site=site, other_site=other_site, cohort=cohort, charter=charter, **users, users=users
    )


@pytest.fixture
def two_studies(db: None) -> SimpleNamespace:
    """Two studies that must never see each other."""
    return SimpleNamespace(a=make_study("alpha"), b=make_study("beta"))


@pytest.fixture
def client_for(settings: Any) -> Callable[[Any], Client]:
    """Return a logged-in client; the second factor has its own tests."""
    settings.DEMONSTRATION = True

    def make(user: Any) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make
