"""Coverage of the intervals of analytics: in how many of 2,000 simulated studies does an interval hold the truth?

usage: python tests/bench/analytics_coverage.py [--studies 2000] [--only TEXT]
Keeps var/bench/analytics_coverage.json; tests/bench/analytics_validation.py writes the page. Every scenario draws a study
whose truth is known (in closed form, or from a very large simulation of the same law, and then says so), asks the library
for an interval as a user would, and counts. Simulated throughout.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from scipy import special  # noqa: E402

from analytics.accuracy.binomial import agresti_coull, clopper_pearson, wilson  # noqa: E402
from analytics.accuracy.clustered import clustered_proportion  # noqa: E402
from analytics.accuracy.clustered_roc import clustered_roc_of  # noqa: E402
from analytics.accuracy.mrmc import mrmc_of  # noqa: E402
from analytics.accuracy.roc import roc_of  # noqa: E402
from analytics.accuracy.roc_bootstrap import bootstrapped_auc_of  # noqa: E402
from analytics.accuracy.two_by_two import two_by_two_of  # noqa: E402
from analytics.agreement.bland_altman import bland_altman_of  # noqa: E402
from analytics.agreement.correlation import spearman_of  # noqa: E402
from analytics.agreement.equivalence import interchangeability_of  # noqa: E402
from analytics.agreement.icc import icc_of  # noqa: E402
from analytics.agreement.kappa import kappa_of  # noqa: E402
from analytics.agreement.lin import concordance_correlation_of  # noqa: E402
from analytics.agreement.ratio_limits import ratio_limits_of  # noqa: E402
from analytics.agreement.regression import deming_of  # noqa: E402
from analytics.agreement.repeatability import repeatability_of  # noqa: E402
from analytics.agreement.signed_rank import signed_rank_of  # noqa: E402
from analytics.heterogeneity.pooling import pool  # noqa: E402
from analytics.monitoring.rate import rate_of  # noqa: E402
from analytics.monitoring.timing import paired_timing_of  # noqa: E402
from analytics.result import Interval, Result  # noqa: E402
from analytics.simulation.reader_study import gamma_read  # noqa: E402
from analytics.survival.competing import competing_incidence_of  # noqa: E402
from analytics.survival.cox import cox_of  # noqa: E402
from analytics.survival.firth import firth_of  # noqa: E402
from analytics.survival.hazard_ratio import Cox  # noqa: E402
from analytics.survival.kaplan_meier import cumulative_incidence_of  # noqa: E402
from analytics.survival.restricted_mean import restricted_means_of  # noqa: E402

KEPT = ROOT / "var" / "bench" / "analytics_coverage.json"
STUDIES = 2_000
REPLICATES = 999
Draw = Callable[[np.random.Generator], Interval | None]
Z = 1.959963984540054


@dataclass(frozen=True)
class Scenario:
    """An interval under one law: what it is of, its kind, size of the study, the truth, and how a study is drawn."""

    name: str
    what: str
    kind: str
    truth: float
    draw: Draw
    clusters: int | None = None
    events: int | None = None
    note: str = ""


# --- agreement -----------------------------------------------------------------------------------------------------


def reads(
    rng: np.random.Generator, patients: int, lesions: int = 7
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two reads of lesions nested in patients: patients differ in size of plaque and in how the reads disagree."""
    patient = np.repeat(np.arange(patients), lesions)
    truth = rng.normal(0, 2, patients)[patient] + rng.normal(0, 2, len(patient))
    second = truth + 0.5 + rng.normal(0, 0.6, patients)[patient] + rng.normal(0, 0.8, len(patient))
    return truth + rng.normal(0, 0.6, patients)[patient] + rng.normal(0, 0.8, len(patient)), second, patient


SUBJECT = 8.0
ERROR = 0.6**2 + 0.8**2
BIAS = 0.5
DIFFERENCE_SD = math.sqrt(2 * ERROR)
ICC_A1 = SUBJECT / (SUBJECT + ERROR + BIAS**2 / 2)


def agreement() -> Iterator[Scenario]:  # noqa: C901 - a list of scenarios, each with its own maker
    """ICC, Bland–Altman, correlation and their companions, lesions clustered in patients or not."""
    for patients in (20, 50, 100, 275):

        def icc_boot(rng: np.random.Generator, p: int = patients, bca: bool = False) -> Interval | None:
            a, b, c = reads(rng, p)
            seed = int(rng.integers(2**31))
            found = icc_of(np.column_stack([a, b]), clusters=c, replicates=REPLICATES, seed=seed)
            return found.bca_interval if bca else found.cluster_interval

        def icc_jack(rng: np.random.Generator, p: int = patients) -> Interval | None:
            a, b, c = reads(rng, p)
            return icc_of(np.column_stack([a, b]), clusters=c, replicates=0).cluster_interval

        def icc_naive(rng: np.random.Generator, p: int = patients) -> Interval | None:
            a, b, _ = reads(rng, p)
            return icc_of(np.column_stack([a, b]), replicates=0).interval

        yield Scenario(
            "ICC(A,1)",
            "patient-cluster bootstrap, expanded percentile",
            "approximate",
            ICC_A1,
            icc_boot,
            patients,
        )
        bca = partial(icc_boot, bca=True)
        yield Scenario("ICC(A,1)", "patient-cluster bootstrap, BCa", "approximate", ICC_A1, bca, patients)
        yield Scenario(
            "ICC(A,1)", "jackknife over patients, Fisher z", "approximate", ICC_A1, icc_jack, patients
        )
        yield Scenario(
            "ICC(A,1)", "F, lesions taken as independent (they are not)", "naive", ICC_A1, icc_naive, patients
        )
        for what, pick, truth in (
            ("bias", lambda r: r.cluster_interval, BIAS),
            ("upper limit of agreement", lambda r: r.upper_interval, BIAS + Z * DIFFERENCE_SD),
        ):

            def limits(
                rng: np.random.Generator, p: int = patients, pick: Any = pick, r: int = REPLICATES
            ) -> Interval | None:
                a, b, c = reads(rng, p)
                found: Interval | None = pick(
                    bland_altman_of(a, b, clusters=c, replicates=r, seed=int(rng.integers(2**31)))
                )
                return found

            def quick(rng: np.random.Generator, p: int = patients, pick: Any = pick) -> Interval | None:
                return limits(rng, p, pick, 0)

            yield Scenario(
                f"Bland–Altman, {what}",
                "patient-cluster bootstrap, expanded percentile",
                "approximate",
                truth,
                limits,
                patients,
            )
            yield Scenario(
                f"Bland–Altman, {what}", "jackknife over patients, t", "approximate", truth, quick, patients
            )

        def spearman(rng: np.random.Generator, p: int = patients) -> Interval | None:
            a, b, c = reads(rng, p)
            return spearman_of(a, b, clusters=c).cluster_interval

        rho = (SUBJECT) / (SUBJECT + ERROR)
        yield Scenario(
            "Spearman ρ",
            "jackknife over patients, Fisher z",
            "approximate",
            6 / math.pi * math.asin(rho / 2),
            spearman,
            patients,
        )

    def independent(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.normal(0, 2.83, n)
        return truth + rng.normal(0, 1, n), truth + 0.5 + rng.normal(0, 1, n)

    icc_free = 8.0 / (8.0 + 1.0 + 0.125)
    for n in (30, 84):
        yield Scenario(
            "ICC(A,1)",
            "F (McGraw and Wong), independent units",
            "approximate",
            icc_free,
            lambda rng, n=n: icc_of(np.column_stack(independent(rng, n)), replicates=0).interval,
            n,
        )
        yield Scenario(
            "ICC(C,1)",
            "F, independent units",
            "exact",
            8.0 / 9.0,
            lambda rng, n=n: icc_of(np.column_stack(independent(rng, n)), form="C,1", replicates=0).interval,
            n,
        )
        upper = 0.5 + Z * math.sqrt(2)
        yield Scenario(
            "Bland–Altman, upper limit",
            "Bland and Altman 1999, independent",
            "approximate",
            upper,
            lambda rng, n=n: bland_altman_of(*independent(rng, n), replicates=0).classical["1999"][1],
            n,
        )
        yield Scenario(
            "Bland–Altman, upper limit",
            "exact (noncentral t), independent",
            "exact",
            upper,
            lambda rng, n=n: bland_altman_of(*independent(rng, n), replicates=0).classical["exact"][1],
            n,
        )
        yield Scenario(
            "Bland–Altman, bias",
            "t, independent",
            "exact",
            0.5,
            lambda rng, n=n: bland_altman_of(*independent(rng, n), replicates=0).interval,
            n,
        )
        true_rho = 6 / math.pi * math.asin(8.0 / 9.0 / 2)
        yield Scenario(
            "Spearman ρ",
            "Bonett and Wright, independent",
            "approximate",
            true_rho,
            lambda rng, n=n: spearman_of(*independent(rng, n)).interval,
            n,
        )
        ccc = 2 * 8.0 / (2 * 9.0 + 0.25)
        yield Scenario(
            "Lin's concordance",
            "asymptotic, Fisher z, independent",
            "approximate",
            ccc,
            lambda rng, n=n: concordance_correlation_of(*independent(rng, n), replicates=0).interval,
            n,
        )
        yield Scenario(
            "Deming slope",
            "jackknife, independent",
            "approximate",
            1.0,
            lambda rng, n=n: deming_of(*independent(rng, n)).interval,
            n,
        )
        yield Scenario(
            "Hodges–Lehmann shift",
            "signed-rank inverted, independent",
            "exact",
            0.5,
            lambda rng, n=n: signed_rank_of(*independent(rng, n)).interval,
            n,
        )
        yield Scenario(
            "Within-subject SD",
            "χ², independent",
            "exact",
            1.0,
            lambda rng, n=n: (
                repeatability_of(
                    np.column_stack([a - b for a, b in zip(independent(rng, n), (0, 0.5), strict=True)]),
                    replicates=0,
                ).interval
            ),
            n,
        )
        yield Scenario(
            "Geometric mean ratio",
            "t of logarithms, independent",
            "exact",
            math.exp(0.1),
            lambda rng, n=n: ratio_limits_of(*_ratios(rng, n), replicates=0).interval,
            n,
        )
    for patients in (50, 275):
        yield Scenario(
            "Interchangeability γ",
            "t over patients",
            "approximate",
            0.0,
            lambda rng, p=patients: _interchange(rng, p),
            patients,
        )
    skewed = _skewed_icc()
    for patients in (50, 100, 275):
        yield Scenario(
            "ICC(A,1) of skewed volumes",
            "patient-cluster bootstrap, BCa",
            "approximate",
            skewed,
            lambda rng, p=patients: _skewed(rng, p).bca_interval,
            patients,
            note="lognormal volumes, SD ∝ √volume; truth from 4 million lesions",
        )


def _ratios(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    truth = rng.lognormal(3, 1, n)
    return truth * rng.lognormal(0, 0.2, n), truth * rng.lognormal(0.1, 0.2, n)


def _interchange(rng: np.random.Generator, patients: int) -> Interval | None:
    patient = np.repeat(np.arange(patients), 4)
    n = len(patient)
    truth = rng.normal(0, 3, n)
    a, b, x = (truth + rng.normal(0, 0.6, patients)[patient] + rng.normal(0, 1, n) for _ in range(3))
    return interchangeability_of(x, a, b, clusters=patient.tolist()).interval


def _volumes(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    expert = rng.lognormal(3.88, 1.28, n)
    return expert, gamma_read(rng, expert, 5.4, 61.0)


def _skewed(rng: np.random.Generator, patients: int) -> Any:
    a, b = _volumes(rng, patients * 7)
    return icc_of(
        np.column_stack([a, b]),
        clusters=np.repeat(np.arange(patients), 7),
        replicates=REPLICATES,
        seed=int(rng.integers(2**31)),
    )


def _skewed_icc() -> float:
    a, b = _volumes(np.random.default_rng(77), 4_000_000)
    found = icc_of(np.column_stack([a, b]), replicates=0).estimate
    assert found is not None
    return found


# --- categories and accuracy ---------------------------------------------------------------------------------------


def graded(
    rng: np.random.Generator, patients: int, territories: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two gradings 0–5 of territories nested in patients."""
    patient = np.repeat(np.arange(patients), territories)
    truth = 35 + 18 * rng.normal(size=patients)[patient] + 18 * rng.normal(size=len(patient))
    cuts = np.array([1, 25, 50, 70, 100])
    noise = [4 * rng.normal(size=patients)[patient] + 8 * rng.normal(size=len(patient)) for _ in range(2)]
    return (*(np.searchsorted(cuts, truth + e, "right") for e in noise), patient)  # type: ignore[return-value]


def _true_kappa(weights: str) -> float:
    a, b, _ = graded(np.random.default_rng(78), 700_000)
    found = kappa_of(a, b, levels=range(6), weights=weights).estimate
    assert found is not None
    return found


def binormal(
    rng: np.random.Generator, patients: int, per: int, share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Marker, disease and patient; patients shift all their units' markers. Marginal AUC Φ(1.2/√(2·1.5))."""
    patient = np.repeat(np.arange(patients), per)
    y = (rng.random(len(patient)) < share).astype(float)
    return (
        1.2 * y + rng.normal(0, math.sqrt(0.5), patients)[patient] + rng.normal(size=len(patient)),
        y,
        patient,
    )


def categories() -> Iterator[Scenario]:  # noqa: C901 - a list of scenarios, each with its own maker
    """κ, proportions, predictive values, ROC, MRMC."""
    for weights in ("unweighted", "quadratic"):
        truth = _true_kappa(weights)
        for patients in (20, 50, 100):

            def clustered(rng: np.random.Generator, p: int = patients, w: str = weights) -> Interval | None:
                a, b, c = graded(rng, p)
                return kappa_of(a, b, levels=range(6), weights=w, clusters=c).cluster_interval

            def classical(rng: np.random.Generator, p: int = patients, w: str = weights) -> Interval | None:
                a, b, _ = graded(rng, p)
                return kappa_of(a, b, levels=range(6), weights=w).interval

            yield Scenario(
                f"κ, {weights}",
                "jackknife over patients",
                "approximate",
                truth,
                clustered,
                patients,
                note="truth from 2.1 million territories",
            )
            yield Scenario(
                f"κ, {weights}",
                "Fleiss, Cohen and Everitt, units taken as independent",
                "naive",
                truth,
                classical,
                patients,
            )
    for n, p in ((41, 0.902), (50, 0.975), (150, 0.87), (1570, 0.443)):
        for name, make, kind in (
            ("Clopper–Pearson", clopper_pearson, "exact"),
            ("Wilson", wilson, "approximate"),
            ("Agresti–Coull", agresti_coull, "approximate"),
        ):
            yield Scenario(
                f"Proportion {p:g}",
                name,
                kind,
                p,
                lambda rng, n=n, p=p, make=make: make(int(rng.binomial(n, p)), n),
                n,
                round(n * min(p, 1 - p)),
            )
    for patients in (20, 50, 100):

        def sensitivity(rng: np.random.Generator, p: int = patients) -> Interval | None:
            share = rng.beta(0.8 * 4, 0.2 * 4, p)
            patient = np.repeat(np.arange(p), 3)
            right = rng.random(3 * p) < share[patient]
            found = clustered_proportion("s", right, clusters=patient)
            return found.interval or found.exact_interval

        yield Scenario(
            "Sensitivity 0.8, territories",
            "patient-cluster, logit",
            "approximate",
            0.8,
            sensitivity,
            patients,
            round(0.2 * 3 * patients),
        )
        yield Scenario(
            "Failure rate 0.1, vessels",
            "Wilson, effective sample size (Rao and Scott)",
            "approximate",
            0.1,
            lambda rng, p=patients: _rate(rng, p),
            patients,
            round(0.1 * 4 * patients),
        )
    for n in (200, 1611):
        for profile, what, kind in (
            ("recommended", "Wilson", "approximate"),
            ("lin2022", "Mercaldo logit, prevalence taken as known (it is not)", "naive"),
        ):

            def predictive(rng: np.random.Generator, n: int = n, profile: str = profile) -> Interval | None:
                return _predictive(rng, n, profile)

            events = round(n * 0.1 * 0.2)
            yield Scenario("Negative predictive value", what, kind, _npv(), predictive, n, events)
    auc = float(special.ndtr(1.2 / math.sqrt(2)))
    for cases, n in ((10, 200), (20, 400), (41, 1611)):

        def delong(
            rng: np.random.Generator, c: int = cases, n: int = n, logit: bool = False
        ) -> Interval | None:
            y = np.r_[np.ones(c), np.zeros(n - c)]
            found = roc_of(rng.normal(size=n) + 1.2 * y, y)
            return found.logit_interval if logit else found.interval

        yield Scenario("AUC 0.80", "DeLong", "approximate", auc, delong, n, cases)
        yield Scenario(
            "AUC 0.80",
            "DeLong, logit",
            "approximate",
            auc,
            lambda rng, d=delong: d(rng, logit=True),
            n,
            cases,
        )
    y41 = np.r_[np.ones(41), np.zeros(1570)]
    yield Scenario(
        "AUC 0.80",
        "bootstrap, expanded percentile",
        "approximate",
        auc,
        lambda rng: (
            bootstrapped_auc_of(
                rng.normal(size=1611) + 1.2 * y41, y41, replicates=REPLICATES, seed=int(rng.integers(2**31))
            ).interval
        ),
        1611,
        41,
    )
    marginal = float(special.ndtr(1.2 / math.sqrt(3.0)))
    for patients in (20, 50, 100):

        def obuchowski(rng: np.random.Generator, p: int = patients) -> Interval | None:
            x, y, c = binormal(rng, p, 6, 0.3)
            return clustered_roc_of(x, y, clusters=c.tolist()).interval

        yield Scenario(
            "AUC of lesions",
            "Obuchowski, patients as clusters",
            "approximate",
            marginal,
            obuchowski,
            patients,
            round(1.8 * patients),
        )
    for readers in (3, 5):
        yield Scenario(
            f"Difference of AUCs, {readers} readers × 2 modalities",
            "Obuchowski–Rockette, Hillis's df",
            "approximate",
            0.0,
            lambda rng, r=readers: _mrmc(rng, r, 80),
            80,
            40,
        )


def _rate(rng: np.random.Generator, patients: int) -> Interval | None:
    share = rng.beta(0.1 * 5, 0.9 * 5, patients)
    patient = np.repeat(np.arange(patients), 4)
    return rate_of(
        (rng.random(4 * patients) < share[patient]).astype(float), clusters=patient.tolist(), name="f"
    ).interval


def _npv() -> float:
    return 0.7 * 0.9 / (0.7 * 0.9 + 0.2 * 0.1)


def _predictive(rng: np.random.Generator, n: int, profile: str) -> Interval | None:
    diseased = int(rng.binomial(n, 0.1))
    tp, fp = int(rng.binomial(diseased, 0.8)), int(rng.binomial(n - diseased, 0.3))
    return two_by_two_of(tp=tp, fp=fp, fn=diseased - tp, tn=n - diseased - fp, profile=profile).npv.interval


def _mrmc(rng: np.random.Generator, readers: int, cases: int) -> Interval | None:
    """Roe and Metz's law with equal modalities."""
    truth = np.arange(cases) < cases // 2
    case, case_modality = rng.normal(0, 0.55, cases), rng.normal(0, 0.4, (2, cases))
    reader = rng.normal(0, 0.1, (readers, 2))
    ratings = np.empty((2, readers, cases))
    for i in range(2):
        for j in range(readers):
            skill = rng.normal(0, 0.1, 2)
            shift = np.where(truth, 1.5 + reader[j, 1] + skill[1], reader[j, 0] + skill[0])
            ratings[i, j] = (
                shift + case + case_modality[i] + rng.normal(0, 0.45, cases) + rng.normal(0, 0.55, cases)
            )
    return mrmc_of(ratings, truth).interval


# --- survival and the rest -----------------------------------------------------------------------------------------


def followed(
    rng: np.random.Generator, n: int, hazard: float, ratio: float = 1.0, share: float = 0.5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponential times of two groups, follow-up uniform over 3.3 to 7.1 years."""
    group = (rng.random(n) < share).astype(float)
    event_at = rng.exponential(1, n) / (hazard * np.where(group == 1, ratio, 1.0))
    censored = rng.uniform(3.27, 7.12, n)
    return np.minimum(event_at, censored), (event_at <= censored).astype(float), group


def survival() -> Iterator[Scenario]:
    """Kaplan–Meier, Cox, Firth, competing risks, restricted means, sites, times."""
    for n, hazard in ((200, 0.01), (400, 0.01), (1611, 0.0052), (1611, 0.02)):
        events = round(n * (1 - math.exp(-hazard * 5)))
        incidence = 1 - math.exp(-3 * hazard)
        yield Scenario(
            "Cumulative incidence at 3 years",
            "Kaplan–Meier, log-log",
            "approximate",
            incidence,
            lambda rng, n=n, h=hazard: _incidence(rng, n, h),
            n,
            round(n * incidence),
        )
        ratio = 3.0
        total = round(n * (0.5 * (1 - math.exp(-hazard * 5)) + 0.5 * (1 - math.exp(-hazard * 5 * ratio))))

        def wald(rng: np.random.Generator, n: int = n, h: float = hazard) -> Interval | None:
            t, e, g = followed(rng, n, h, 3.0)
            return cox_of(t, e, {"g": g}).terms[0].interval

        yield Scenario("Hazard ratio 3", "Cox, Wald", "approximate", ratio, wald, n, total)

        def profile(rng: np.random.Generator, n: int = n, h: float = hazard) -> Interval | None:
            t, e, g = followed(rng, n, h, 3.0)
            return firth_of(t, e, {"g": g}).terms[0].interval

        if n < 1611:
            yield Scenario(
                "Hazard ratio 3", "Firth, profile likelihood", "approximate", ratio, profile, n, total
            )
        del events
    yield Scenario(
        "Hazard ratio 3, 20 visits a patient",
        "Cox, robust, clustered by patient",
        "approximate",
        3.0,
        _clustered_cox,
        100,
        200,
    )
    a, b = 0.02, 0.01
    truth = a / (a + b) * (1 - math.exp(-3 * (a + b)))
    for n in (200, 1611):
        yield Scenario(
            "Incidence with competing events at 3 years",
            "Aalen–Johansen, log-log",
            "approximate",
            truth,
            lambda rng, n=n: _competing(rng, n, a, b),
            n,
            round(n * truth),
        )
    tau, low, high = 3.0, 0.05, 0.15
    gap = (1 - math.exp(-high * tau)) / high - (1 - math.exp(-low * tau)) / low
    for n in (100, 400):
        yield Scenario(
            "Restricted mean, difference",
            "normal",
            "approximate",
            gap,
            lambda rng, n=n: _restricted(rng, n),
            n,
            round(n * 0.25),
        )
    for sites in (5, 11):
        yield Scenario(
            f"Effect pooled over {sites} sites",
            "Hartung–Knapp",
            "approximate",
            0.3,
            lambda rng, k=sites: _pooled(rng, k).hartung_knapp,
            sites,
        )
        yield Scenario(
            f"Effect pooled over {sites} sites",
            "Wald (REML)",
            "naive",
            0.3,
            lambda rng, k=sites: _pooled(rng, k).interval,
            sites,
        )
    for n in (30, 100):
        yield Scenario(
            "Ratio of paired times", "t of log ratio", "exact", 6.0, lambda rng, n=n: _times(rng, n), n
        )


def _incidence(rng: np.random.Generator, n: int, hazard: float) -> Interval | None:
    t, e, _ = followed(rng, n, hazard)
    found = cumulative_incidence_of(t, e, horizon=3.0)
    return found.curves[0].incidence_at(3.0)[1]


def _clustered_cox(rng: np.random.Generator) -> Interval | None:
    patients, per = 100, 20
    patient = np.repeat(np.arange(patients), per)
    frailty = rng.gamma(2, 0.5, patients)[patient]
    x = (rng.random(patients) < 0.5).astype(float)[patient]
    # A positive stable law would keep the ratio exactly; with short follow-up a gamma frailty does nearly.
    event_at = rng.exponential(1, len(patient)) / (0.02 * frailty * np.where(x == 1, 3.0, 1.0))
    time = np.minimum(event_at, 1.0)
    return (
        cox_of(time, (event_at <= 1.0).astype(float), {"x": x}, clusters=patient.tolist()).terms[0].interval
    )


def _competing(rng: np.random.Generator, n: int, a: float, b: float) -> Interval | None:
    t1, t2, c = rng.exponential(1 / a, n), rng.exponential(1 / b, n), rng.uniform(3.27, 7.12, n)
    time = np.minimum(np.minimum(t1, t2), c)
    event = np.where(time == c, 0, np.where(time == t1, 1, 2)).astype(float)
    return competing_incidence_of(time, event, outcomes=("infarction", "death"), horizon=3.0).interval


def _restricted(rng: np.random.Generator, n: int) -> Interval | None:
    t, e, g = followed(rng, n, 0.05, 3.0)
    return restricted_means_of(t, e, tau=3.0, groups=[str(int(v)) for v in g]).interval


def _pooled(rng: np.random.Generator, sites: int) -> Any:
    variances = rng.uniform(0.01, 0.09, sites)
    return pool(0.3 + rng.normal(0, 0.15, sites) + rng.normal(0, np.sqrt(variances)), variances)


def _times(rng: np.random.Generator, n: int) -> Interval | None:
    shared = rng.normal(3, 0.25, n)
    return paired_timing_of(
        np.exp(shared + math.log(6) + rng.normal(0, 0.2, n)), np.exp(shared + rng.normal(0, 0.2, n))
    ).interval


# --- warnings ---

HEARD: list[str] = []


def listen() -> None:
    """Hear the warnings of every result that is made, so that the page can say whether a short interval carries one."""
    made = Result.__post_init__

    def heard(self: Result) -> None:
        made(self)
        HEARD.extend(self.warnings)

    Result.__post_init__ = heard  # type: ignore[method-assign]
    model = Cox.__init__

    def fitted(self: Cox, *args: Any, **fields: Any) -> None:
        model(self, *args, **fields)
        HEARD.extend(self.warnings)

    Cox.__init__ = fitted  # type: ignore[method-assign]


# --- run -----------------------------------------------------------------------------------------------------------


def run(scenario: Scenario, studies: int, number: int) -> dict[str, Any]:
    """Draw studies; an interval that does not exist counts apart."""
    held = missing = below = warned = 0
    widths = []
    begin = time.perf_counter()
    for study in range(studies):
        HEARD.clear()
        interval = scenario.draw(np.random.default_rng([20_260_101, number, study]))
        warned += bool(HEARD)
        if interval is None:
            missing += 1
            continue
        held += interval.low <= scenario.truth <= interval.high
        below += scenario.truth > interval.high
        widths.append(interval.high - interval.low)
    n = studies - missing
    return {
        "name": scenario.name,
        "what": scenario.what,
        "kind": scenario.kind,
        "truth": scenario.truth,
        "clusters": scenario.clusters,
        "events": scenario.events,
        "note": scenario.note,
        "studies": studies,
        "missing": missing,
        "warned": warned / studies,
        "coverage": held / n if n else None,
        "truth_above": below / n if n else None,
        "width": float(np.median(widths)) if widths else None,
        "seconds": round(time.perf_counter() - begin, 1),
    }


def main() -> None:
    """Run the scenarios one after the other; what is finished is kept after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    given = parser.parse_args()
    listen()
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    scenarios = {
        f"{s.name} | {s.what} | {s.clusters} | {s.events}": s
        for s in (*agreement(), *categories(), *survival())
    }
    kept = {key: row for key, row in kept.items() if key in scenarios}  # what is no longer asked goes
    for number, (key, scenario) in enumerate(scenarios.items()):
        if given.only and given.only.lower() not in key.lower():
            continue
        if kept.get(key, {}).get("studies") == given.studies and not given.only:
            continue
        kept[key] = run(scenario, given.studies, number)
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False))
        found = kept[key]
        shown = "–" if found["coverage"] is None else f"{100 * found['coverage']:.1f} %"
        print(f"{shown:>8}  {key}  ({found['seconds']} s)", flush=True)


if __name__ == "__main__":
    main()
