"""Facts of a study in words, for methods and checklists: name → text. A fact that the data do not hold is absent."""

from __future__ import annotations

from collections.abc import Mapping

from analytics import __version__
from analytics.freeze import Freeze
from analytics.profiles import StatisticsProfile
from analytics.questions.answer import Answer
from analytics.result import plural
from analytics.rounding import count, half_up

Facts = Mapping[str, str]


def facts_of(
    freeze: Freeze, profile: StatisticsProfile, answers: Mapping[str, Answer], replicates: int
) -> dict[str, str]:
    """Every fact that the freeze and the answers hold."""
    found: dict[str, str] = {
        "study": freeze.about.study,
        "simulated": "All data are simulated." if freeze.simulated else "",
        "version": __version__,
        "hash": freeze.hash,
        "seed": str(freeze.about.seed),
        "profile": profile.label,
        "made": freeze.about.made,
    }
    found |= _people(freeze)
    found |= _reads(freeze)
    found |= _charter(freeze)
    found |= _agreement(answers)
    found |= _accuracy(answers)
    found |= _outcome(answers)
    found |= _quality(answers)
    found["intervals"] = (
        f"{count(replicates)} bootstrap resamples of patients (percentile)"
        if replicates
        else "the jackknife over patients"
    )
    return {name: text for name, text in found.items() if text}


def _people(freeze: Freeze) -> dict[str, str]:
    people = freeze.table("patients")
    out = people["excluded"].to_numpy(bool)
    kept = people[~out]
    purposes = kept["purpose"].astype(str).value_counts()
    counted = ", ".join(f"{count(int(n))} {str(name).replace('_', ' ')}" for name, n in purposes.items() if n)
    reasons = people.loc[out, "exclusion_reason"].astype(object).fillna("no reason given").value_counts()
    found = {
        "patients": count(len(kept)),
        "purposes": counted,
        "sites": str(kept["site"].nunique()),
        "cohorts": str(kept["cohort"].nunique()),
        "excluded": f"{count(int(out.sum()))} excluded"
        + (
            " (" + "; ".join(f"{r} {count(int(n))}" for r, n in reasons.items()) + ")" if len(reasons) else ""
        ),
        "vendors": ", ".join(sorted(kept["vendor"].dropna().astype(str).unique())),
        "lesions": count(int(kept["lesions"].sum())) if kept["lesions"].notna().any() else "",
    }
    if kept["age"].notna().any():
        found["age"] = (
            f"mean age {half_up(float(kept['age'].mean()), 1)} years (SD {half_up(float(kept['age'].std()), 1)})"
        )
    known = kept["sex"].dropna()
    if len(known):
        female = int((known == "female").sum())
        found["sex"] = f"{count(female)} of {count(len(known))} women"
    return found


def _reads(freeze: Freeze) -> dict[str, str]:
    table = freeze.table("reads")
    if not len(table):
        return {}
    kinds = table["kind"].astype(str)
    experts = sorted(
        table.loc[kinds.isin(["expert", "second_expert", "repeat"]), "reader"].dropna().astype(str).unique()
    )
    network = sorted(table.loc[kinds == "network", "reader"].dropna().astype(str).unique())
    seen = table["saw_network"].to_numpy(float) == 1
    unaided = (~seen) & (kinds == "expert").to_numpy()
    found = {
        "reads": "; ".join(
            f"{str(kind).replace('_', ' ')} {count(int(n))}" for kind, n in kinds.value_counts().items()
        ),
        "experts": f"{len(experts)} expert {plural('reader', len(experts))}" if experts else "",
        "network": ", ".join(network),
        "blinding": f"{count(int(unaided.sum()))} expert reads were made without sight of the network; {count(int(seen.sum()))} assisted reads are shown apart",
    }
    repeats = int((kinds == "repeat").sum())
    if repeats:
        found["repeats"] = f"{count(repeats)} hidden repeats"
    return found


def _charter(freeze: Freeze) -> dict[str, str]:
    charter = freeze.about.charter
    found = {"charter": f"charter version {charter['version']}" if "version" in charter else ""}
    if charter.get("discordance"):
        found["discordance"] = str(charter["discordance"])
    if charter.get("cadrads"):
        found["cadrads"] = f"CAD-RADS profile {charter['cadrads']}"
    if freeze.about.profile:
        found["composition"] = f"composition profile {freeze.about.profile}"
    return found


def _agreement(answers: Mapping[str, Answer]) -> dict[str, str]:
    found = {}
    if "agreement" in answers:
        results = answers["agreement"].results
        found = {"icc": results["icc"].sentence(), "bias": results["bland_altman"].sentence()}
        found["icc_form"] = f"ICC({results['icc'].form})"
        dropped = results["icc"].dropped_count
        found["missing_reads"] = (
            f"{count(dropped)} lesions without a read were left out" if dropped else "no lesion lacked a read"
        )
        groups = results.get("groups", {})
        if groups and groups.get("heterogeneity") is not None:
            found["heterogeneity"] = groups["heterogeneity"].sentence()
    if "readers" in answers:
        results = answers["readers"].results
        pair = results.get("expert_expert total_plaque_volume")
        if pair:
            found["inter_observer"] = pair["icc"].sentence()
        if "disagreement" in results and results["disagreement"].estimate is not None:
            found["adjudication"] = results["disagreement"].sentence()
        if "interchangeability" in results:
            found["interchangeability"] = results["interchangeability"].sentence()
    return found


def _accuracy(answers: Mapping[str, Answer]) -> dict[str, str]:
    for name in ("cadrads network_ica", "cadrads network_expert"):
        found = answers.get(name)
        if found is None or "accuracy_patient_50" not in found.results:
            continue
        one = found.results["accuracy_patient_50"]
        cells = one.table
        return {
            "accuracy": one.table.sentence(),
            "cells": f"true positive {cells.tp}, false positive {cells.fp}, false negative {cells.fn}, true negative {cells.tn}",
            "reference": found.title.split(": ")[1],
            "indeterminate": " ".join(n for n in found.notes if "non-diagnostic" in n)
            or "no grade was non-diagnostic",
        }
    return {}


def _outcome(answers: Mapping[str, Answer]) -> dict[str, str]:
    found = answers.get("outcome total_plaque_volume")
    if found is None:
        return {}
    incidence, roc = found.results["incidence"], found.results["roc"]
    events = sum(c.total_events for c in incidence.curves)
    n = sum(c.n for c in incidence.curves)
    facts = {
        "endpoint": found.title.split(" and ")[-1],
        "events": f"{count(events)} events in {count(n)} patients",
        "incidence": incidence.sentence(),
        "auc": roc.sentence(),
        "cut_off": found.notes[0],
    }
    if incidence.follow_up_median is not None:
        low, high = incidence.follow_up_quartiles
        spread = "" if low is None or high is None else f" (quartiles {half_up(low, 1)}–{half_up(high, 1)})"
        facts["follow_up"] = f"median follow-up {half_up(incidence.follow_up_median, 1)} years{spread}"
    cox = found.results.get("cox", {})
    if "multivariable" in cox:
        facts["cox"] = cox["multivariable"].sentence()
        facts["adjusted"] = ", ".join(t.covariate for t in cox["multivariable"].terms[1:])
    if "gain" in found.results and found.results["gain"].estimate is not None:
        facts["gain"] = found.results["gain"].sentence()
    youden = found.results["cut_offs"]["youden"]
    if youden.corrected is not None and youden.apparent is not None:
        facts["optimism"] = (
            f"Youden's index {half_up(youden.apparent.youden, 3)} on the same data, {half_up(youden.corrected.youden, 3)} corrected for optimism"
        )
    lost = [n for n in found.notes if "left out" in n]
    facts["missing_outcome"] = (
        " ".join(lost) if lost else "no patient was left out for a missing marker or outcome"
    )
    return facts


def _quality(answers: Mapping[str, Answer]) -> dict[str, str]:
    found = answers.get("quality")
    if found is None:
        return {}
    facts = {}
    for name in ("failed exams", "evaluable exams", "evaluable vessels"):
        if name in found.results and found.results[name].estimate is not None:
            facts[name.replace(" ", "_")] = found.results[name].sentence()
    return facts
