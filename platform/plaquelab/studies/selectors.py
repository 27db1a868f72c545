"""Who may see which study, and in which role. Everything not granted is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
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


def require(user: User | AnonymousUser, study: Study, *roles: str) -> frozenset[str]:
    """Return the user's roles if one of ``roles`` is among them (any role, when none is named).

    Raises
    ------
    Http404
        The user has no part in the study: its existence is not told.
    PermissionDenied
        The user is a member without such a role.
    """
    mine = roles_of(user, study)
    if not mine:
        raise Http404("No such study.")
    if roles and not mine.intersection(roles):
        raise PermissionDenied("Your role in this study does not allow this.")
    return mine


def current_charter(study: Study) -> CharterVersion:
    """Return the study's newest charter version."""
    return study.charters.order_by("-number")[0]
