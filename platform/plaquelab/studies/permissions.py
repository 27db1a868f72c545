"""Who may do what: one table, read by selectors, pages, the API, commands and menus. What is not granted is refused.

A role is asked for nowhere else. Beside the table stands one rule of blinding (``studies.blinding``): what can be
told exam by exam is closed for the exams that wait for a person's own read; what tells of all exams at once is closed
to whoever reads in the study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from plaquelab.accounts.models import User
from plaquelab.studies.blinding import hidden_exams
from plaquelab.studies.models import Membership, Role, Site, Study
from plaquelab.studies.selectors import memberships_now, roles_of, sites_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Capability(StrEnum):
    """What a person may do or see in a study, in the field's words."""

    TAKE_PART = "take_part"
    UPLOAD = "upload"
    SEE_OWN_SITE = "see_own_site"
    SEE_EXAMS = "see_exams"
    ANSWER_QUERIES = "answer_queries"
    CONTROL_QUALITY = "control_quality"
    SEE_QUARANTINE = "see_quarantine"
    SEE_RUNS = "see_runs"
    START_ANALYSIS = "start_analysis"
    SEE_NETWORK = "see_network"
    READ = "read"
    ADJUDICATE = "adjudicate"
    OPEN_OWN_CASES = "open_own_cases"
    SEE_EVERY_CASE = "see_every_case"
    ASSIGN = "assign"
    EXPORT_READS = "export_reads"
    SEE_PROGRESS = "see_progress"
    SEE_FINAL_IMAGES = "see_final_images"
    SEE_DASHBOARDS = "see_dashboards"
    SEE_UNRELEASED = "see_unreleased"
    CALCULATE = "calculate"
    FREEZE = "freeze"
    SEE_REFERENCES = "see_references"
    IMPORT_REFERENCES = "import_references"
    SEE_AUDIT = "see_audit"


@dataclass(frozen=True)
class Grant:
    """Which roles hold a capability, and how far it reaches.

    Parameters
    ----------
    roles : roles that hold it for the whole study.
    own_site : roles that hold it for the sites that their membership names.
    tells_of_all : it tells of all exams at once and cannot be cut by exam, so that who reads never holds it.
    state : the state that it needs beside the role, in words; the selector that reads the state is named.
    """

    roles: frozenset[Role]
    own_site: frozenset[Role] = frozenset()
    tells_of_all: bool = False
    state: str = ""

    @property
    def all_roles(self) -> frozenset[Role]:
        """Roles that hold it anywhere."""
        return self.roles | self.own_site


def _to(*roles: Role, own_site: Role | None = None, tells_of_all: bool = False, state: str = "") -> Grant:
    return Grant(frozenset(roles), frozenset({own_site} if own_site else ()), tells_of_all, state)


A, C, T, R = Role.MANAGER, Role.COORDINATOR, Role.TECHNICIAN, Role.READER
J, I, Q = Role.ADJUDICATOR, Role.INVESTIGATOR, Role.AUDITOR
_ASSIGNED = "cases of the own assignments (reading.selectors.own_assignments)"

TABLE: Mapping[Capability, Grant] = {
    Capability.TAKE_PART: _to(A, C, T, R, J, I, Q),
    Capability.UPLOAD: _to(A, T, own_site=C),
    Capability.SEE_OWN_SITE: _to(own_site=C),
    Capability.SEE_EXAMS: _to(A, T, Q, own_site=C),
    Capability.ANSWER_QUERIES: _to(A, T, own_site=C, state="the query is open (imaging.transitions)"),
    Capability.CONTROL_QUALITY: _to(A, T),
    Capability.SEE_QUARANTINE: _to(A, T, Q),
    Capability.SEE_RUNS: _to(A, T, Q, state="runs inside a read's lesions with see_every_case only"),
    Capability.START_ANALYSIS: _to(A, T),
    Capability.SEE_NETWORK: _to(A, T, Q),
    Capability.READ: _to(R, state=_ASSIGNED),
    Capability.ADJUDICATE: _to(J, state=f"{_ASSIGNED} that are discordant, or final"),
    Capability.OPEN_OWN_CASES: _to(R, J),
    Capability.SEE_EVERY_CASE: _to(A, Q),
    Capability.ASSIGN: _to(A),
    Capability.EXPORT_READS: _to(A, state="final reads"),
    Capability.SEE_PROGRESS: _to(A),
    Capability.SEE_FINAL_IMAGES: _to(
        I, state="final reads, where the charter says so (reading.selectors.exam_view)"
    ),
    Capability.SEE_DASHBOARDS: _to(
        A, I, Q, tells_of_all=True, state="released freezes, others with see_unreleased"
    ),
    Capability.SEE_UNRELEASED: _to(A, Q, tells_of_all=True),
    Capability.CALCULATE: _to(A, I, tells_of_all=True),
    Capability.FREEZE: _to(A, tells_of_all=True),
    Capability.SEE_REFERENCES: _to(A, Q, tells_of_all=True),
    Capability.IMPORT_REFERENCES: _to(A, tells_of_all=True),
    Capability.SEE_AUDIT: _to(A, Q, tells_of_all=True),
}
"""Rows of core-lab practice: managers, coordinators, technicians, readers, adjudicators, investigators, auditors."""

SECOND_FACTOR = frozenset({A, J})
"""Roles whose holders work with a second factor: a manager changes everything, an adjudicator decides."""


def _is_blinded(user: User | AnonymousUser, study: Study, roles: frozenset[str]) -> bool:
    """Tell whether the person reads or adjudicates in the study, by role or because a case is still in the hand."""
    readers = TABLE[Capability.OPEN_OWN_CASES].all_roles
    return not readers.isdisjoint(roles) or hidden_exams(user, study).exists()


def capabilities_of(user: User | AnonymousUser, study: Study) -> frozenset[Capability]:
    """Return all that the person may do in the study now."""
    roles = roles_of(user, study)
    held = {capability for capability, grant in TABLE.items() if not grant.all_roles.isdisjoint(roles)}
    telling = {capability for capability in held if TABLE[capability].tells_of_all}
    if telling and _is_blinded(user, study, roles):
        held -= telling
    return frozenset(held)


def may(
    user: User | AnonymousUser, study: Study, capability: Capability, *, site: Site | None = None
) -> bool:
    """Tell whether the person holds a capability in the study (at ``site``, where one is named)."""
    if site is not None:
        return sites_where(user, study, capability).filter(pk=site.pk).exists()
    return _holds(user, study, capability, roles_of(user, study))


def _holds(user: User | AnonymousUser, study: Study, capability: Capability, roles: frozenset[str]) -> bool:
    grant = TABLE[capability]
    if grant.all_roles.isdisjoint(roles):
        return False
    return not (grant.tells_of_all and _is_blinded(user, study, roles))


def require(user: User | AnonymousUser, study: Study, capability: Capability) -> None:
    """Pass if the person holds the capability.

    Raises
    ------
    Http404
        The person has no part in the study: its existence is not told.
    PermissionDenied
        The person is a member without the capability.
    """
    roles = roles_of(user, study)
    if not roles:
        raise Http404("No such study.")
    if _holds(user, study, capability, roles):
        return
    if not TABLE[capability].all_roles.isdisjoint(roles):
        raise PermissionDenied(
            "Who reads or adjudicates in a study cannot see what tells of all its cases: comparisons, freezes, "
            "references and the audit trail."
        )
    raise PermissionDenied("Your role in this study does not allow this.")


def sites_where(user: User | AnonymousUser, study: Study, capability: Capability) -> QuerySet[Site]:
    """Return the study's sites at which the person holds a capability."""
    sites = Site.objects.filter(study_sites__study=study)
    roles = roles_of(user, study)
    if not _holds(user, study, capability, roles):
        return sites.none()
    grant = TABLE[capability]
    if not grant.roles.isdisjoint(roles):
        return sites
    own = {site.pk for role in grant.own_site for site in sites_of(user, study, role)}
    return sites.filter(pk__in=own)


def persons_who_may(study: Study, capability: Capability) -> list[User]:
    """Return the active persons whose role of today grants a capability, by name."""
    persons = User.objects.filter(
        is_active=True, memberships__study=study, memberships__role__in=TABLE[capability].all_roles
    )
    return [
        person
        for person in persons.distinct().order_by("printed_name", "username")
        if may(person, study, capability)
    ]


def ever_held(study: Study, capability: Capability) -> QuerySet[Membership]:
    """Return every membership, ended ones too, whose role grants a capability, in the order in which they began."""
    return Membership.objects.filter(study=study, role__in=TABLE[capability].all_roles).order_by("pk")


def needs_second_factor(user: User | AnonymousUser) -> bool:
    """Tell whether a role of today asks for a second factor."""
    return memberships_now(user).filter(role__in=SECOND_FACTOR).exists()
