"""Who takes part in which study, in which roles and at which sites; what a role may do stands in ``permissions``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

from plaquelab.studies.models import CharterVersion, Membership, Site, Study

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from plaquelab.accounts.models import User


def memberships_now(user: User | AnonymousUser) -> QuerySet[Membership]:
    """Return the memberships that hold at this moment."""
    if not user.is_authenticated or not user.is_active:
        return Membership.objects.none()
    now = timezone.now()
    return Membership.objects.filter(user=user, starts_at__lte=now).filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now)
    )


def studies_visible(user: User | AnonymousUser) -> QuerySet[Study]:
    """Return the studies in which the user has any role now."""
    return Study.objects.filter(pk__in=memberships_now(user).values("study")).order_by("title")


def roles_of(user: User | AnonymousUser, study: Study) -> frozenset[str]:
    """Return the user's roles in a study now."""
    return frozenset(memberships_now(user).filter(study=study).values_list("role", flat=True))


def sites_of(user: User | AnonymousUser, study: Study, role: str) -> QuerySet[Site]:
    """Return the sites that the user's role covers: all of the study's when the membership names none."""
    rows = memberships_now(user).filter(study=study, role=role)
    sites = Site.objects.filter(study_sites__study=study)
    if rows.filter(site__isnull=True).exists():
        return sites
    return sites.filter(pk__in=rows.values("site"))


def current_charter(study: Study) -> CharterVersion:
    """Return the study's newest charter version."""
    return study.charters.order_by("-number")[0]
