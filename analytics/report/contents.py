"""What the report contains: each section asks the questions that the dashboards ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from analytics import __version__
from analytics.code_version import code_version
from analytics.errors import AnalyticsError
from analytics.freeze import Freeze
from analytics.profiles import StatisticsProfile, profile
from analytics.questions.steps import Progress, Steps
from analytics.report import sections
from analytics.report.checklists import Checklist, filled
from analytics.report.facts import facts_of
from analytics.report.methods import methods_paragraphs
from analytics.report.parts import Plan, Section


@dataclass(frozen=True)
class Report:
    """The whole report: main text, supplement, methods, checklists, numbers, provenance."""

    title: str
    simulated: bool
    note: str
    main: tuple[Section, ...]
    supplement: tuple[Section, ...]
    methods: tuple[str, ...]
    checklists: tuple[Checklist, ...]
    provenance: tuple[tuple[str, str], ...]
    numbers: Mapping[str, Any] = field(repr=False)


def make_report(
    freeze: Freeze,
    *,
    profile_name: str = "recommended",
    replicates: int = 0,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask everything that the report shows.

    Parameters
    ----------
    profile_name : ``recommended`` or ``lin2022``
    replicates : bootstrap resamples of patients; 0 for jackknife intervals
    seed : of every random draw; None for the freeze's

    Raises
    ------
    AnalyticsError
        For an unknown profile, and a freeze that breaks its schema or was changed.
    """
    chosen = profile(profile_name)
    if seed is not None:
        freeze = replace(freeze, about=replace(freeze.about, seed=seed))
    freeze.verify()
    plan = Plan(freeze, chosen, replicates, {})
    steps = Steps(len(sections.MAIN) + len(sections.SUPPLEMENT), progress=progress)
    main = tuple(_made(steps, plan, name, title, make) for name, title, make in sections.MAIN)
    supplement = tuple(_made(steps, plan, name, title, make) for name, title, make in sections.SUPPLEMENT)
    facts = facts_of(freeze, chosen, plan.answers, replicates)
    provenance = _provenance(freeze, chosen, replicates)
    return Report(
        title=freeze.about.study,
        simulated=freeze.simulated,
        note=freeze.about.note,
        main=main,
        supplement=supplement,
        methods=methods_paragraphs(facts, chosen, replicates),
        checklists=filled(facts),
        provenance=provenance,
        numbers=_numbers(freeze, plan, provenance, main + supplement),
    )


def _made(steps: Steps, plan: Plan, name: str, title: str, make: Callable[[Plan], Section]) -> Section:
    """One section; what the data cannot answer becomes its reason."""

    def section() -> Section:
        try:
            return make(plan)
        except AnalyticsError as error:
            return Section(name, title, reason=str(error))

    return replace(steps.run(title, partial(section)), name=name, title=title)


def _provenance(freeze: Freeze, chosen: StatisticsProfile, replicates: int) -> tuple[tuple[str, str], ...]:
    about = freeze.about
    resampling = (
        f"{replicates:,} bootstrap resamples" if replicates else "jackknife over patients, no resamples"
    )
    rows = [
        ("Freeze, SHA-256", freeze.hash),
        ("Freeze made", about.made),
        ("Study", about.study),
        ("Data", "simulated" if about.simulated else "of the study"),
        ("Statistical profile", chosen.label),
        ("Intervals over patients", resampling),
        ("Seed", str(about.seed)),
        ("Composition profile", about.profile or "not given"),
        ("Analytics", __version__),
        ("Analytics, version of the code", code_version()),
        *((f"Software, {name}", str(version)) for name, version in sorted(about.software.items())),
        *((f"Charter, {name}", str(value)) for name, value in sorted(about.charter.items())),
        *((f"Roll-up, {name}", str(value)) for name, value in sorted(about.roll_up.items())),
    ]
    tables = freeze.manifest["tables"]
    rows += [
        (f"Table {name}", f"{entry['rows']:,} rows, SHA-256 {entry['sha256'][:16]}…")
        for name, entry in tables.items()
    ]
    return tuple(rows)


def _numbers(
    freeze: Freeze, plan: Plan, provenance: tuple[tuple[str, str], ...], made: tuple[Section, ...]
) -> dict[str, Any]:
    """Every number with form, n, drops, method, version, seed and the freeze's hash."""
    return {
        "format": "plaquelab report numbers",
        "freeze": freeze.hash,
        "simulated": freeze.simulated,
        "seed": freeze.about.seed,
        "replicates": plan.replicates,
        "profile": plan.profile.name,
        "version": __version__,
        "code_version": code_version(),
        "provenance": dict(provenance),
        "answers": {name: found.numbers() for name, found in sorted(plan.answers.items())},
        "grids": {s.name: [g.to_dict() for g in s.grids] for s in made if s.grids},
        "not_estimable": {s.name: s.reason for s in made if s.reason},
    }
