"""Who may see what came from outside, and what of it holds now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet

from plaquelab.references.assign_score import INPUTS, VERSION, assign_v1
from plaquelab.references.models import Covariate, ImportedRead, Outcome, ReferenceImport
from plaquelab.references.vocabulary import CovariateKind
from plaquelab.studies.models import Study
from plaquelab.studies.permissions import Capability, may
from plaquelab.studies.selectors import current_charter

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from plaquelab.accounts.models import User


def visible_imports(user: User | AnonymousUser, study: Study) -> QuerySet[ReferenceImport]:
    """Imports of a study that this user may see, newest first."""
    rows = ReferenceImport.objects.filter(study=study).select_related("by", "study").order_by("-number")
    return rows if may(user, study, Capability.SEE_REFERENCES) else rows.none()


Kind = ReferenceImport.Kind


def totals(study: Study) -> list[dict[str, Any]]:
    """Return, for each kind, how many subjects have it and how many rows hold now."""
    reads = dict(
        ImportedRead.objects.filter(study=study, superseded_by__isnull=True)
        .order_by()
        .values_list("kind")
        .annotate(n=Count("subject", distinct=True))
    )
    now = {"study": study, "superseded_by__isnull": True}
    counted = {
        Kind.COVARIATES: Covariate.objects.filter(**now).values("subject").distinct().count(),
        Kind.OUTCOMES: Outcome.objects.filter(**now).values("subject").distinct().count(),
    }
    return [
        {"kind": kind, "label": label, "subjects": counted.get(Kind(kind), reads.get(kind, 0))}
        for kind, label in Kind.choices
    ]


def own_covariates(study: Study) -> dict[str, CovariateKind]:
    """Return covariates that the study's charter adds: ``{"covariates": {name: {label, unit, low, high}}}``."""
    rules: Mapping[str, Any] = current_charter(study).rules.get("covariates", {})
    return {
        str(name): CovariateKind(
            label=str(kind.get("label", name)),
            unit=str(kind.get("unit", "")),
            low=float(kind.get("low", -1e9)),
            high=float(kind.get("high", 1e9)),
        )
        for name, kind in rules.items()
    }


def covariates_of(study: Study) -> dict[int, dict[str, float | str]]:
    """Return subject → covariate → value (or category), as they hold now."""
    found: dict[int, dict[str, float | str]] = defaultdict(dict)
    rows = Covariate.objects.filter(study=study, superseded_by__isnull=True)
    for subject, name, value, text in rows.values_list("subject_id", "name", "value", "text"):
        found[subject][name] = text if value is None else value
    return dict(found)


def outcomes_of(study: Study) -> dict[int, dict[str, float]]:
    """Return subject → event → days from the scan, as they hold now."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    rows = Outcome.objects.filter(study=study, superseded_by__isnull=True)
    for subject, event, days in rows.values_list("subject_id", "event", "days"):
        found[subject][event] = days
    return dict(found)


@dataclass(frozen=True)
class RiskScore:
    """An ASSIGN score (ten-year risk, %) with how it came about; None with the reason where it cannot be told."""

    value: float | None
    version: str
    reason: str = ""


def assign_score(covariates: Mapping[str, float | str]) -> RiskScore:
    """Return a subject's ASSIGN score: computed where all its inputs are there, else as imported."""
    missing = [name for name in ("sex", *INPUTS) if name not in covariates]
    if not missing:
        values = {name: float(covariates[name]) for name in INPUTS}
        return RiskScore(assign_v1(sex=str(covariates["sex"]), values=values), VERSION)
    if "assign_score" in covariates:
        return RiskScore(float(covariates["assign_score"]), "as imported")
    return RiskScore(None, "", f"missing: {', '.join(missing)}")
