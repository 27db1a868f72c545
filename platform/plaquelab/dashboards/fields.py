"""The filters on the left: which fields a question has, what each offers, and what is chosen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plaquelab.dashboards.questions import Choices, Question
from plaquelab.dashboards.sliders import Slider

LABELS = {
    "pair": "Pair of reads",
    "metric": "Metric",
    "level": "Level",
    "extents": "Lesion extents",
    "matched_only": "Matched lesions only",
    "limits": "Limits of agreement",
    "by": "Compare groups by",
    "form": "Form of the ICC",
    "profile": "Statistics",
    "marker": "Marker",
    "cut": "Cut-off",
    "horizon": "Horizon (years)",
    "endpoint": "Endpoint",
    "adjust": "Adjust for",
    "knots": "Knots of the spline",
    "place": "Territory or segment",
    "quality": "Image quality",
    "site": "Site",
    "cohort": "Cohort",
    "purpose": "Purpose of the cohort",
    "vendor": "Scanner's vendor",
    "stratum": "Stratum",
}
EXTENTS = {"given": "Given: inside the reference's lesions", "own": "Own: each read its own lesions"}
UNSET = {
    "metric": "Default of the pair",
    "extents": "Given where there are any",
    "form": "As the statistics say",
    "endpoint": "The freeze's own",
}


@dataclass(frozen=True)
class FieldView:
    """One field of the form.

    kind : ``select``, ``check``, ``number``, ``checks`` (several of a list) or ``text``.
    options : (value, label, chosen).
    unset : label of the empty choice, where there is one.
    slider : limits and step of a slider beside a number, where there is one.
    """

    name: str
    label: str
    kind: str
    value: str
    options: tuple[tuple[str, str, bool], ...] = ()
    unset: str = ""
    slider: Slider | None = None


def form_fields(
    question: Question, parameters: Any, choices: Choices, sliders: Mapping[str, Slider]
) -> tuple[list[FieldView], list[FieldView]]:
    """The question's own fields, and the shared filters; a field that offers nothing is left out."""
    own: list[FieldView] = []
    shared: list[FieldView] = []
    for field in dataclasses.fields(question.parameters):
        value = getattr(parameters, field.name)
        if field.name == "filters":
            for name, chosen in vars(value).items():
                offered = choices.get(name, ())
                if len(offered) > 1 or chosen:
                    shared.append(_select(name, chosen, offered, unset="All"))
        elif field.name == "section":
            continue  # sections have tabs of their own
        elif field.type == "bool":
            own.append(FieldView(field.name, _label(field.name), "check", "1" if value else ""))
        elif field.type in ("float", "int", "float | None"):
            slider = sliders.get(field.name)
            text = "" if value is None else f"{value:g}"
            own.append(FieldView(field.name, _label(field.name), "number", text, slider=slider))
        elif field.type == "tuple[str, ...]":
            options = tuple((v, text, v in value) for v, text in choices.get(field.name, ()))
            own.append(FieldView(field.name, _label(field.name), "checks", ",".join(value), options))
        elif field.name in choices:
            own.append(_select(field.name, value, choices[field.name], unset=UNSET.get(field.name, "")))
    return own, shared


def _select(name: str, chosen: str, offered: tuple[tuple[str, str], ...], *, unset: str) -> FieldView:
    options = tuple(
        (v, EXTENTS.get(v, text) if name == "extents" else text, v == chosen) for v, text in offered
    )
    return FieldView(name, _label(name), "select", chosen, options, unset)


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())
