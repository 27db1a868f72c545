"""Making studies and giving people their roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from plaquelab.audit import services as audit
from plaquelab.studies.models import CharterVersion, Cohort, Membership, Role, Site, Study, StudySite

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

DEFAULT_RULES: Mapping[str, Any] = {
    "profile": "corrected",
    "read_design": "independent",
    "start_from": "threshold",
    "readers_see_network": False,
    "readers": 2,
    "discordance": {"volume_percent": 25, "volume_mm3": 90, "cadrads_limits": [50, 70], "plaque_stage": True},
    "seed": 20260101,
}


@transaction.atomic
def create_study(
    *,
    slug: str,
    title: str,
    sites: Sequence[tuple[str, str]],
    cohorts: Sequence[tuple[str, str]] = (),
    rules: Mapping[str, Any] = DEFAULT_RULES,
    is_simulated: bool = False,
    by: User | None,
) -> Study:
    """Make a study with charter version 1, sites (code, name) and cohorts (name, purpose).

    Raises
    ------
    django.core.exceptions.ValidationError
        The slug is taken or malformed, or a cohort's purpose is unknown.
    """
    study = Study(slug=slug, title=title, is_simulated=is_simulated)
    study.full_clean()
    study.save()
    audit.record(verb="study.create", obj=study, by=by, study=None, after={"slug": slug, "title": title})
    charter = CharterVersion.objects.create(study=study, number=1, rules=dict(rules), created_by=by)
    audit.record(
        verb="charter.create", obj=charter, by=by, study=study, after={"number": 1, "rules": dict(rules)}
    )
    for code, name in sites:
        site, _ = Site.objects.get_or_create(code=code, defaults={"name": name})
        row = StudySite.objects.create(study=study, site=site)
        audit.record(verb="studysite.create", obj=row, by=by, study=study, after={"site": code})
    for name, purpose in cohorts:
        cohort = Cohort(study=study, name=name, purpose=purpose)
        cohort.full_clean()
        cohort.save()
        audit.record(
            verb="cohort.create", obj=cohort, by=by, study=study, after={"name": name, "purpose": purpose}
        )
    return study


@transaction.atomic
def add_membership(*, user: User, study: Study, role: str, site: Site | None, by: User | None) -> Membership:
    """Give a person a role in a study, at one site or in all.

    Raises
    ------
    django.core.exceptions.ValidationError
        The role is unknown, the site is not the study's, or the person holds the role already.
    """
    if role not in Role.values:
        raise ValidationError(f"“{role}” is not a role; roles are {', '.join(Role.values)}.")
    if site is not None and not study.study_sites.filter(site=site).exists():
        raise ValidationError(f"{site.code} is not a site of {study.slug}.")
    if role == Role.COORDINATOR and site is None:
        raise ValidationError("A site coordinator needs a site.")
    membership = Membership(user=user, study=study, role=role, site=site)
    membership.full_clean()
    membership.save()
    audit.record(
        verb="membership.create",
        obj=membership,
        by=by,
        study=study,
        after={"user": user.username, "role": role, "site": site.code if site else ""},
    )
    return membership


@transaction.atomic
def end_membership(*, membership: Membership, by: User | None, reason: str) -> Membership:
    """End a role now; the row stays as a record."""
    membership.ends_at = timezone.now()
    membership.save(update_fields=["ends_at"])
    audit.record(verb="membership.end", obj=membership, by=by, study=membership.study, reason=reason)
    return membership
