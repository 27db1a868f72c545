"""The simulated cohort of the outcome page, labelled simulated everywhere."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from analytics.simulation import Cohort


@lru_cache(maxsize=1)
def cohort() -> Cohort:
    """The demonstration's simulated cohort, drawn once per process."""
    from analytics.simulation import demonstration_cohort

    return demonstration_cohort()


def cohort_link(slug: str, patient: str) -> str:
    """Page of a simulated cohort patient's row."""
    return f"{_rows_address(slug)}cohort/{patient}/"


@lru_cache(maxsize=16)
def _rows_address(slug: str) -> str:
    """Common start of the addresses above: reversed once, not for each of two thousand points."""
    address = reverse("dashboards:simulated_cohort_patient", kwargs={"study": slug, "patient": "x"})
    return address.removesuffix("cohort/x/")
