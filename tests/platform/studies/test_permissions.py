"""The one way to ask: by site, by time, and closed when nobody has said what waits."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from plaquelab.studies import blinding
from plaquelab.studies.models import Membership
from plaquelab.studies.permissions import (
    Capability,
    capabilities_of,
    ever_held,
    may,
    needs_second_factor,
    persons_who_may,
    require,
    sites_where,
)

pytestmark = pytest.mark.django_db


def test_a_coordinator_reaches_the_own_site_alone(two_studies: SimpleNamespace) -> None:
    a = two_studies.a
    assert list(sites_where(a.coordinator, a.study, Capability.UPLOAD)) == [a.site]
    assert may(a.coordinator, a.study, Capability.ANSWER_QUERIES, site=a.site)
    assert not may(a.coordinator, a.study, Capability.ANSWER_QUERIES, site=a.other_site)
    assert set(sites_where(a.technician, a.study, Capability.UPLOAD)) == {a.site, a.other_site}
    assert not may(a.technician, a.study, Capability.UPLOAD, site=two_studies.b.site)
    assert not sites_where(a.auditor, a.study, Capability.UPLOAD).exists()
    # A second role for the whole study lifts the limit.
    Membership.objects.create(user=a.coordinator, study=a.study, role="technician")
    assert may(a.coordinator, a.study, Capability.ANSWER_QUERIES, site=a.other_site)


def test_strangers_members_and_readers_are_told_different_things(two_studies: SimpleNamespace) -> None:
    a = two_studies.a
    for stranger in (two_studies.b.manager, AnonymousUser()):
        assert capabilities_of(stranger, a.study) == frozenset()
        with pytest.raises(Http404):
            require(stranger, a.study, Capability.TAKE_PART)
    with pytest.raises(PermissionDenied, match="Your role in this study"):
        require(a.technician, a.study, Capability.SEE_AUDIT)
    Membership.objects.create(user=a.manager, study=a.study, role="adjudicator")
    with pytest.raises(PermissionDenied, match="Who reads or adjudicates"):
        require(a.manager, a.study, Capability.SEE_AUDIT)
    require(a.manager, a.study, Capability.SEE_RUNS)


def test_roles_that_have_ended_or_are_to_come_hold_nothing(two_studies: SimpleNamespace) -> None:
    a = two_studies.a
    a.technician.memberships.update(ends_at=timezone.now())
    assert capabilities_of(a.technician, a.study) == frozenset()
    a.auditor.memberships.update(starts_at=timezone.now() + timedelta(days=1))
    assert not may(a.auditor, a.study, Capability.SEE_RUNS)
    a.reader.memberships.update(ends_at=timezone.now())
    assert persons_who_may(a.study, Capability.READ) == [a.reader2]
    # Codes of readers in a freeze count everybody who ever was one.
    assert [row.user for row in ever_held(a.study, Capability.READ)] == [a.reader, a.reader2]


def test_who_needs_a_second_factor(two_studies: SimpleNamespace) -> None:
    people = two_studies.a.users
    assert {name for name, user in people.items() if needs_second_factor(user)} == {"manager", "adjudicator"}


def test_nothing_is_shown_when_nobody_has_said_what_waits(
    two_studies: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = two_studies.a
    assert not blinding.hidden_exams(a.manager, a.study).exists()
    monkeypatch.setattr(blinding, "_rules", [])
    with pytest.raises(RuntimeError, match="0 rules of blinding"):
        blinding.hidden_exams(a.manager, a.study)
