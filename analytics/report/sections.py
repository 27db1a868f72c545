"""The sections of the report, in the order of the paper and its supplement.

A section is a function of the plan; it may raise AnalyticsError, whose message then stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from analytics.agreement.bland_altman import bland_altman_of
from analytics.errors import AnalyticsError
from analytics.figures import draw
from analytics.figures.decimals import Decimals
from analytics.freeze.schema import PANEL_KINDS
from analytics.questions import (
    agreement,
    cadrads,
    cadrads_grades,
    cohort,
    ivus,
    outcome,
    quality,
    readers,
    readers_sections,
)
from analytics.questions.answer import Figure, Grid
from analytics.questions.filters import Filters
from analytics.questions.paired import labels, paired, pairs_of
from analytics.report.parts import Panel, Plan, Section
from analytics.rounding import count

EXTERNAL = Filters(purpose="external_validation")
LAP, LAP_CUT = "low_attenuation_plaque_burden", 4.0  # per cent: SCOT-HEART (Williams et al. 2020)


def _section(paragraphs: Sequence[str] = (), **parts: Any) -> Section:
    return Section("", "", tuple(p for p in paragraphs if p), **parts)


def _named(figure: Figure, title: str) -> Figure:
    return replace(figure, title=title)


def _need(plan: Plan, table: str, what: str) -> None:
    if not plan.freeze.has(table):
        raise AnalyticsError(f"This freeze has no {what}.")


def _need_pair(plan: Plan, pair: str, level: str, what: str) -> None:
    if pair not in pairs_of(plan.freeze, level):
        raise AnalyticsError(f"This freeze has no {what}.")


# --- main text -----------------------------------------------------------------------------------------------------


def figure_1(plan: Plan) -> Section:
    """Sites, cohorts and purposes, with exclusions."""
    found = plan.ask("cohort", cohort.answer, cohort.CohortParameters())
    text = f"{found.notes[0]} Training and test patients come from separate cohorts."
    return _section([text], figures=found.figures, grids=(found.grid("counts"), found.grid("exclusions")))


def figure_2(plan: Plan) -> Section:
    """Case panels: curved reformation, composition overlay, vessel."""
    table = plan.freeze.table("panels")
    if not len(table):
        raise AnalyticsError("This freeze has no case panels.")
    order = {kind: i for i, kind in enumerate(PANEL_KINDS)}
    rows = sorted(
        table.to_dict("records"),
        key=lambda r: (str(r["patient"]), str(r["vessel"]), r["lesion"], order[str(r["kind"])]),
    )
    panels = tuple(
        Panel(
            str(r["file"]),
            f"{str(r['kind']).replace('_', ' ').capitalize()}. {r['caption'] or ''}",
            plan.freeze.panel(str(r["file"])),
        )
        for r in rows
    )
    return _section(["Curved reformation, composition and vessel of single cases."], panels=panels)


def the_table(plan: Plan) -> Section:
    """The paper's Table and Figure 3A and B: network and expert in the whole test set."""
    _need_pair(plan, "network_expert", "lesion", "lesions read by expert and network")
    found = plan.ask("agreement", agreement.answer, agreement.AgreementParameters(profile=plan.profile.name))
    results = found.results
    paragraphs = [
        results["icc"].sentence(),
        results["bland_altman"].sentence(),
        results["spearman"].sentence(),
    ]
    paragraphs += [*found.notes]
    figures = (
        _named(found.figure("scatter"), "Figure 3A. Total plaque volume, network against expert"),
        _named(
            found.figure("differences"), "Figure 3B. Differences in total plaque volume, network − expert"
        ),
    )
    table = replace(found.grid("metrics"), title="Table. Network against expert, every metric")
    return _section(paragraphs, figures=figures, grids=(table, found.grid("estimates")))


def figure_3_ivus(plan: Plan) -> Section:
    """Figure 3C and D: network and IVUS."""
    _need_pair(plan, "network_ivus", "lesion", "lesions measured by IVUS")
    found = plan.ask("ivus", ivus.answer, ivus.IvusParameters(profile=plan.profile.name))
    figures = (
        _named(found.figure("scatter"), "Figure 3C. Total plaque volume, network against IVUS"),
        _named(found.figure("differences"), "Figure 3D. Differences in total plaque volume, network − IVUS"),
    )
    sentences = [found.results[name].sentence() for name in ("icc", "bland_altman")]
    return _section([*found.notes[:3], *sentences], figures=figures, grids=(found.grid("metrics"),))


def figure_4(plan: Plan) -> Section:
    """CAD-RADS per territory against expert and ICA."""
    figures: list[Figure] = []
    grids: list[Grid] = []
    paragraphs: list[str] = []
    for letter, pair, what in (
        ("A", "network_expert", "expert readers"),
        ("B", "network_ica", "invasive angiography"),
    ):
        if pair not in pairs_of(plan.freeze, "territory"):
            paragraphs.append(f"Figure 4{letter}: this freeze has no grades of {what}.")
            continue
        found = plan.ask(
            f"cadrads {pair}",
            cadrads.answer,
            cadrads_grades.CadradsParameters(pair=pair, profile=plan.profile.name),
        )
        if "territory" not in found.results:
            paragraphs.append(f"Figure 4{letter}: no territory was graded by both.")
            continue
        agreed = found.results["territory"]
        figures.append(
            _named(
                found.figure("matrix_territory"),
                f"Figure 4{letter}. CAD-RADS per territory, network against {what}",
            )
        )
        paragraphs += [f"Against {what}: {agreed.kappas[0].sentence()}", agreed.symmetry.sentence()]
        grids.append(replace(found.grid("kappa"), title=f"Agreement of categories with {what}"))
    if not figures:
        raise AnalyticsError("This freeze has no CAD-RADS grades of two reads.")
    return _section(paragraphs, figures=tuple(figures), grids=tuple(grids))


def figure_5(plan: Plan) -> Section:
    """Cumulative incidence by plaque volume and by stenosis, with the models."""
    _need(plan, "outcomes", "outcomes")
    figures, grids, paragraphs = [], [], []
    for letter, marker in (("A", "total_plaque_volume"), ("B", "diameter_stenosis")):
        found = plan.ask(
            f"outcome {marker}",
            outcome.answer,
            outcome.OutcomeParameters(marker=marker, profile=plan.profile.name),
        )
        incidence, table = found.results["incidence"], found.results["at_cut_off"]
        figures.append(
            _named(
                found.figure("incidence"),
                f"Figure 5{letter}. {found.title} by {table.question.split(' for ')[0]}",
            )
        )
        paragraphs += [incidence.sentence(), found.results["roc"].sentence(), table.sentence()]
        paragraphs += [note for note in found.notes if "left out" in note or "events" in note]
        if marker == "total_plaque_volume":
            cox = found.results["cox"]
            paragraphs += [cox.get("multivariable", next(iter(cox.values()))).sentence()]
            firth = found.results["firth"]
            paragraphs += [firth.sentence()] if firth is not None else []
            paragraphs += [note for note in found.notes if "cut-off" in note.lower()]
            grids += [
                found.grid("incidence"),
                found.grid("at_cut_off"),
                found.grid("cut_offs"),
                found.grid("cox"),
            ]
            figures.append(_named(found.figure("forest"), "Hazard ratios of the adjusted model"))
    return _section(paragraphs, figures=tuple(figures), grids=tuple(grids))


def times(plan: Plan) -> Section:
    """Time per case by device against experts."""
    found = plan.ask("readers", readers.answer, readers_sections.ReadersParameters(profile=plan.profile.name))
    sentences = [r.sentence() for name, r in found.results.items() if name.startswith("timing ")]
    if not sentences:
        raise AnalyticsError("This freeze has no times of experts and network.")
    figures = tuple(f for f in found.figures if f.name.startswith("timing_"))
    return _section(sentences, figures=figures, grids=(found.grid("timing"),))


# --- supplement ----------------------------------------------------------------------------------------------------


def characteristics(plan: Plan) -> Section:
    """Baseline characteristics and scanners."""
    found = plan.ask("cohort", cohort.answer, cohort.CohortParameters())
    return _section(grids=(found.grid("baseline"), found.grid("scanners")))


def external_validation(plan: Plan) -> Section:
    """The external validation cohort alone."""
    parameters = agreement.AgreementParameters(profile=plan.profile.name, filters=EXTERNAL)
    found = plan.ask("external validation", agreement.answer, parameters)
    if found.results["icc"].estimate is None:
        raise AnalyticsError("This freeze has no patients of an external validation cohort in both reads.")
    sentences = [found.results[name].sentence() for name in ("icc", "bland_altman")]
    return _section(sentences, figures=(found.figure("differences"),), grids=(found.grid("metrics"),))


def reproducibility(plan: Plan) -> Section:
    """Inter- and intra-observer agreement, centrelines of two operators, interchangeability, disagreement."""
    found = plan.ask("readers", readers.answer, readers_sections.ReadersParameters(profile=plan.profile.name))
    names = ("expert_expert", "repeat", "centreline", "interchangeability", "disagreement", "mrmc")
    grids = tuple(g for g in found.grids if g.name in names)
    if not grids:
        raise AnalyticsError("This freeze has no second reads.")
    figures = tuple(f for f in found.figures if f.name in ("disagreement", "learning", "mrmc"))
    return _section(
        [found.results["disagreement"].sentence()] if "disagreement" in found.results else [],
        figures=figures,
        grids=grids,
    )


def accuracy(plan: Plan) -> Section:
    """Accuracy at 50 and 70 % per territory and patient against expert and ICA."""
    grids = []
    for pair, what in (("network_expert", "expert readers"), ("network_ica", "invasive angiography")):
        name = f"cadrads {pair}"
        if name in plan.answers and plan.answers[name].grids:
            grids += [
                replace(g, title=f"{g.title} against {what}")
                for g in plan.answers[name].grids
                if g.name in ("accuracy", "three_ways")
            ]
    if not grids:
        raise AnalyticsError("This freeze has no CAD-RADS grades of two reads.")
    return _section(grids=tuple(grids))


def composition(plan: Plan) -> Section:
    """Bland–Altman of non-calcified and calcified plaque volume."""
    _need_pair(plan, "network_expert", "lesion", "lesions read by expert and network")
    figures, paragraphs = [], []
    for name in ("noncalcified_plaque_volume", "calcified_plaque_volume"):
        data = paired(plan.freeze, pair="network_expert", metric_name=name)
        found = bland_altman_of(
            data.first,
            data.second,
            clusters=data.patient.tolist(),
            names=data.names,
            value_unit=data.metric.unit,
            replicates=plan.replicates,
            seed=data.seed,
            simulated=data.simulated,
        )
        points = labels(plan.freeze, data.table, data.rows[data.complete])
        drawing = draw(found, labels=points, bins="#", decimals=Decimals.of(data.metric))
        figures.append(
            Figure(
                f"differences_{name}", f"Differences in {data.metric.label.lower()}", drawing, found.caption()
            )
        )
        paragraphs.append(f"{data.metric.label}: {found.sentence()}")
    return _section(paragraphs, figures=tuple(figures))


def matrices(plan: Plan) -> Section:
    """CAD-RADS per patient."""
    figures, paragraphs = [], []
    for pair, what in (("network_expert", "expert readers"), ("network_ica", "invasive angiography")):
        found = plan.answers.get(f"cadrads {pair}")
        if found is not None and "patient" in found.results:
            figures.append(
                _named(found.figure("matrix_patient"), f"CAD-RADS per patient, network against {what}")
            )
            paragraphs.append(f"Against {what}: {found.results['patient'].kappas[0].sentence()}")
    if not figures:
        raise AnalyticsError("This freeze has no CAD-RADS grades of two reads.")
    return _section(paragraphs, figures=tuple(figures))


def low_attenuation(plan: Plan) -> Section:
    """Low-attenuation burden of 4 % or more: ROC, incidence, Cox."""
    _need(plan, "outcomes", "outcomes")
    parameters = outcome.OutcomeParameters(marker=LAP, cut=LAP_CUT, profile=plan.profile.name)
    found = plan.ask(f"outcome {LAP}", outcome.answer, parameters)
    figures = tuple(found.figure(name) for name in ("roc", "incidence"))
    sentences = [found.results["roc"].sentence(), found.results["incidence"].sentence()]
    first = next(iter(found.results["cox"].values()))
    return _section(
        [*sentences, first.sentence()], figures=figures, grids=(found.grid("incidence"), found.grid("cox"))
    )


def outcome_more(plan: Plan) -> Section:
    """What reviewers ask for: shape, proportional hazards, prediction, competing death, subgroups."""
    _need(plan, "outcomes", "outcomes")
    found = plan.ask(
        "outcome total_plaque_volume", outcome.answer, outcome.OutcomeParameters(profile=plan.profile.name)
    )
    shown = (
        "roc",
        "proportionality",
        "spline_unadjusted",
        "spline_adjusted",
        "time_auc",
        "decision",
        "competing",
        "subgroups",
        "sites",
    )
    figures = tuple(f for f in found.figures if f.name in shown or f.name.startswith("calibration"))
    grids = tuple(g for g in found.grids if g.name in ("prediction", "competing", "subgroups"))
    return _section(figures=figures, grids=grids)


def quality_part(plan: Plan) -> Section:
    """Failures, evaluability, uncertainty."""
    _need(plan, "quality", "table of quality")
    found = plan.ask("quality", quality.answer, quality.QualityParameters())
    grids = tuple(g for g in found.grids if g.name in ("rates", "uninterpretable", "groups", "reasons"))
    figures = tuple(f for f in found.figures if f.name in ("failures", "uncertainty"))
    return _section(found.notes, figures=figures, grids=grids)


def extents(plan: Plan) -> Section:
    """The network's own lesions beside those of the expert, all and matched only; assisted reads apart."""
    _need_pair(plan, "network_expert", "lesion", "lesions read by expert and network")
    table = plan.freeze.table("lesion_pairs")
    own = ((table["pair"] == "network_expert") & (table["extents"] == "own")).to_numpy()
    if not own.any():
        raise AnalyticsError("This freeze has only lesions measured inside the expert's extents.")
    grids, paragraphs = [], []
    for matched in (False, True):
        what = "lesions that both found" if matched else "every lesion, missed and extra ones with 0"
        parameters = agreement.AgreementParameters(
            extents="own", matched_only=matched, profile=plan.profile.name
        )
        found = plan.ask(f"own extents, {'matched' if matched else 'all'}", agreement.answer, parameters)
        grids.append(replace(found.grid("metrics"), title=f"Network's own extents: {what}"))
        paragraphs += [] if matched else list(found.notes)
    paragraphs.append(f"{count(int(own.sum()))} lesions in all.")
    return _section(paragraphs, grids=tuple(grids))


Made = tuple[tuple[str, str, Callable[[Plan], Section]], ...]
MAIN: Made = (
    ("figure_1", "Figure 1. Training and test cohorts", figure_1),
    ("figure_2", "Figure 2. Case examples", figure_2),
    ("table", "Table and Figure 3. Agreement with expert readers", the_table),
    ("figure_3_ivus", "Figure 3. Agreement with intravascular ultrasound", figure_3_ivus),
    ("figure_4", "Figure 4. CAD-RADS per territory", figure_4),
    ("figure_5", "Figure 5. Outcome", figure_5),
    ("times", "Time per case", times),
)
SUPPLEMENT: Made = (
    ("characteristics", "Characteristics and scanners", characteristics),
    ("external_validation", "External validation cohort alone", external_validation),
    ("reproducibility", "Inter-observer and centreline reproducibility", reproducibility),
    ("accuracy", "Diagnostic accuracy at 50 and 70 %", accuracy),
    ("composition", "Non-calcified and calcified plaque volume", composition),
    ("matrices", "CAD-RADS per patient", matrices),
    ("low_attenuation", "Low-attenuation plaque burden of 4 % or more", low_attenuation),
    ("outcome", "Outcome: shape, proportionality, prediction, competing death, subgroups", outcome_more),
    ("extents", "The network's own lesion extents", extents),
    ("quality", "Failures, evaluability, uncertainty", quality_part),
)
