"""The demonstration study itself: study, charter, sites, cohorts and persons, made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from plaquelab.accounts.models import User
from plaquelab.audit import services as audit
from plaquelab.demo.plan import COHORTS, PERSONS, RULES, SITES, STUDY, TITLE, Person
from plaquelab.imaging.keys import make_key
from plaquelab.studies.models import CharterVersion, Cohort, Membership, Site, Study, StudySite


@dataclass(frozen=True)
class World:
    """The demonstration study and its persons by user name."""

    study: Study
    people: dict[str, User]

    def coordinator_of(self, site: str) -> User:
        """Return the coordinator of a site."""
        return self.people[next(p.username for p in PERSONS if p.site == site)]


class NotDemonstrationError(Exception):
    """The installation is no demonstration: accounts with a known password are not made here."""


def build() -> World:
    """Make what is missing of the demonstration study; return it. Doing it again changes nothing.

    Raises
    ------
    NotDemonstrationError
        ``PLAQUELAB_DEMONSTRATION`` is not set.
    """
    if not settings.DEMONSTRATION:
        raise NotDemonstrationError(
            "Set PLAQUELAB_DEMONSTRATION=1: the demonstration's persons share a known password."
        )
    with transaction.atomic():
        study = _study()
        for code, name in SITES:
            _site(study, code, name)
        for name, purpose in COHORTS:
            _made(study, Cohort.objects.get_or_create(study=study, name=name, defaults={"purpose": purpose}))
        people = {person.username: _person(study, person) for person in PERSONS}
    return World(study=study, people=people)


def _made(study: Study, found: tuple[Any, bool], **facts: Any) -> Any:
    """Write the event of a row that ``get_or_create`` has just made; return the row."""
    row, made = found
    if made:
        audit.record(
            verb=f"{row._meta.model_name}.create",
            obj=row,
            by=None,
            study=study,
            after=facts or {"name": str(row)},
        )
    return row


def _study() -> Study:
    study, made = Study.objects.get_or_create(slug=STUDY, defaults={"title": TITLE, "is_simulated": True})
    if made:
        make_key(study)
        audit.record(
            verb="study.create", obj=study, by=None, study=None, after={"slug": STUDY, "is_simulated": True}
        )
        charter = CharterVersion.objects.create(study=study, number=1, rules=RULES)
        audit.record(
            verb="charter.create", obj=charter, by=None, study=study, after={"number": 1, "rules": RULES}
        )
    return study


def _site(study: Study, code: str, name: str) -> None:
    site = _made(study, Site.objects.get_or_create(code=code, defaults={"name": name}))
    _made(study, StudySite.objects.get_or_create(study=study, site=site), site=code)


def _person(study: Study, person: Person) -> User:
    user = User.objects.filter(username=person.username).first()
    if user is None:
        user = User.objects.create_user(
            person.username,
            password=settings.DEMONSTRATION_PASSWORD,
            printed_name=person.printed_name,
            is_demonstration=True,
        )
        audit.record(verb="user.create", obj=user, by=None, study=None, after={"username": user.username})
    elif not user.is_demonstration:
        raise NotDemonstrationError(
            f"There is a real account “{person.username}” here: use another DATA_DIR."
        )
    elif not user.check_password(settings.DEMONSTRATION_PASSWORD):
        user.set_password(settings.DEMONSTRATION_PASSWORD)
        user.save(update_fields=["password"])
    site = Site.objects.get(code=person.site) if person.site else None
    _made(
        study,
        Membership.objects.get_or_create(user=user, study=study, role=person.role, site=site),
        username=user.username,
        role=person.role,
        site=person.site,
    )
    return user
