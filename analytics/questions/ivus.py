"""How the network agrees with intravascular ultrasound: volumes, minimal luminal area, burden. The bias is always shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from analytics.agreement.bland_altman import BlandAltman
from analytics.freeze import Freeze
from analytics.metrics import METRICS
from analytics.profiles import PROFILES, profile
from analytics.questions import agreement
from analytics.questions import filters as shared
from analytics.questions.agreement import GROUPS, LIMITS, AgreementParameters
from analytics.questions.answer import Answer
from analytics.questions.filters import NO_FILTERS, Filters, query_of
from analytics.questions.paired import metrics_of
from analytics.questions.steps import Steps
from analytics.rounding import half_up

PAIR = "network_ivus"
VARIANT = (
    "Against IVUS the network's plaque is everything between the contours (wall minus lumen, plaque and media) over the "
    "matched length, as IVUS counts it."
)


@dataclass(frozen=True)
class IvusParameters:
    """What the IVUS page shows."""

    metric: str = "total_plaque_volume"
    limits: str = "plain"
    by: str = "place"
    form: str = ""
    profile: str = "recommended"
    filters: Filters = NO_FILTERS


def choices(freeze: Freeze, parameters: IvusParameters) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each parameter may be in this freeze: name → (value, label)."""
    own = {
        "metric": tuple((m, METRICS[m].label) for m in metrics_of(freeze, PAIR)),
        "limits": tuple(LIMITS.items()),
        "by": tuple(GROUPS.items()),
        "form": agreement.choices(freeze, _inner(parameters))["form"],
        "profile": tuple((p.name, p.label) for p in PROFILES.values()),
    }
    return shared.choices(freeze) | own


def _inner(parameters: IvusParameters) -> AgreementParameters:
    return AgreementParameters(pair=PAIR, **vars(parameters))


def answer(
    freeze: Freeze,
    parameters: IvusParameters,
    *,
    replicates: int = 0,
    link: str = "?",
    steps: Steps | None = None,
) -> Answer:
    """Answer the question. Parameters as in :func:`analytics.questions.agreement.answer`."""
    found = agreement.answer(freeze, _inner(parameters), replicates=replicates, link=link, steps=steps)
    metrics = found.results["metrics"]
    biases = [
        f"{METRICS[name].label}: {_bias(parts['bland_altman'], METRICS[name].unit)}"
        for name, parts in metrics.items()
    ]
    note = ("Bias, network minus IVUS. " + "; ".join(biases) + ".",) if biases else ()
    form = profile(parameters.profile).ivus_icc_form
    averages: tuple[str, ...] = ()
    if form.endswith("k") and not parameters.form:
        averages = (
            "ICC of the mean of two reads, as published: a single read agrees less well than this figure.",
        )
    return replace(
        found,
        question="ivus",
        title=f"{METRICS[parameters.metric].label}: network and IVUS, per lesion",
        parameters=query_of(parameters),
        notes=(*note, VARIANT, *averages, *found.notes),
    )


def _bias(found: BlandAltman, unit: str) -> str:
    if found.estimate is None:
        return f"not estimable ({found.reason})"
    text = f"{half_up(found.estimate, 2)} {unit}".rstrip()
    interval = found.cluster_interval or found.interval
    return f"{text} ({interval.text(2)})" if interval is not None else text


def cases(freeze: Freeze, parameters: IvusParameters, selection: Mapping[str, str]) -> pd.DataFrame:
    """The rows behind a selection, as in :func:`analytics.questions.agreement.cases`."""
    return agreement.cases(freeze, _inner(parameters), selection)
