"""Speed of analytics beside the library a user would otherwise pick, growth with the number of rows, and peak memory.

usage: python tests/bench/analytics_speed.py [--only beside|growth|pages|memory]
Keeps var/bench/analytics_speed.json; tests/bench/analytics_validation.py writes the page. Ours and theirs are timed in one
run on one machine, so that the ratio holds where seconds do not. Libraries that are not among the requirements
(pingouin, statsmodels, scikit-learn) are used where they are installed, for example with
``pip install --target DIR …`` and DIR on PYTHONPATH; where they are not, the page says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

KEPT = ROOT / "var" / "bench" / "analytics_speed.json"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
warnings.filterwarnings("ignore")


def installed(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def seconds(work: Callable[[], Any], repeat: int = 3) -> float:
    """Median wall seconds of a few runs."""
    spent = []
    for _ in range(repeat):
        begin = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent)


# --- data ----------------------------------------------------------------------------------------------------------


def lesions(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Volumes of n lesions in two reads and their patients (6.67 lesions each)."""
    rng = np.random.default_rng(seed)
    patient = np.arange(n) * 15 // 100
    first = rng.lognormal(3.88, 1.28, n)
    return first, rng.gamma(4, first / 4), patient


def cohort(n: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Years, event and three covariates of n patients; 2.5 % have an event."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([(rng.random(n) < 0.56), (rng.random(n) < 0.37), rng.lognormal(2.6, 0.6, n)]).astype(
        float
    )
    hazard = 0.0012 * np.exp(1.4 * x[:, 0] + 0.8 * x[:, 1] + 0.01 * x[:, 2])
    event_at, censored = rng.exponential(1, n) / hazard, rng.uniform(3.27, 7.12, n)
    return np.minimum(event_at, censored), (event_at <= censored).astype(float), x


def markers(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two markers and an outcome."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.0255).astype(float)
    first = rng.normal(size=n) + y
    return first, first + rng.normal(0, 0.5, n), y


# --- beside a library ----------------------------------------------------------------------------------------------


def beside() -> list[dict[str, Any]]:
    """Rows: task, our seconds, their library and seconds (extrapolated where a few of many repeats were timed)."""
    rows: list[dict[str, Any]] = []

    def row(
        task: str,
        ours: float,
        library: str,
        theirs: float | None,
        target: float | None = None,
        note: str = "",
    ) -> None:
        rows.append(
            {"task": task, "ours": ours, "library": library, "theirs": theirs, "target": target, "note": note}
        )
        shown = "not installed" if theirs is None else f"{theirs:.3f} s, {theirs / ours:.0f} times"
        print(f"{task}: ours {ours:.3f} s, {library} {shown}", flush=True)

    _icc(row)
    _rocs(row)
    _survival(row)
    _categories(row)
    return rows


def _icc(row: Callable[..., None]) -> None:
    from analytics.agreement.components import nested_icc_of
    from analytics.agreement.correlation import spearman_of
    from analytics.agreement.icc import icc_of

    pingouin = installed("pingouin")
    for n, repeats, target in ((1_901, 20, 0.5), (100_000, 2, 5.0)):
        a, b, patient = lesions(n)
        ratings = np.column_stack([a, b])
        ours = seconds(
            lambda ratings=ratings, patient=patient: icc_of(ratings, clusters=patient), 3 if n < 10_000 else 1
        )
        theirs = None
        if pingouin is not None:
            groups = pd.DataFrame({"a": a, "b": b}).groupby(patient)
            rng = np.random.default_rng(1)
            parts = [g for _, g in groups]

            def resample(parts: list[pd.DataFrame] = parts, rng: np.random.Generator = rng) -> None:
                drawn = pd.concat(
                    [parts[i] for i in rng.integers(0, len(parts), len(parts))], ignore_index=True
                )
                long = drawn.rename_axis("lesion").reset_index().melt(id_vars="lesion", value_vars=["a", "b"])
                pingouin.intraclass_corr(long, targets="lesion", raters="variable", ratings="value")

            begin = time.perf_counter()
            for _ in range(repeats):
                resample()
            theirs = (time.perf_counter() - begin) / repeats * 10_000
        row(
            f"ICC, 10,000 patient bootstraps, {n:,} lesions",
            ours,
            "pingouin in a loop",
            theirs,
            target,
            f"{repeats} of 10,000 timed",
        )
    a, b, patient = lesions(1_000_000)
    ours = seconds(lambda: nested_icc_of(np.column_stack([a, b]), clusters=patient, replicates=0), 1)
    statsmodels = installed("statsmodels.api")
    theirs = None
    if statsmodels is not None:
        x, y, who = lesions(1_901)
        long = pd.DataFrame(
            {
                "value": np.r_[x, y],
                "rater": np.repeat([0.0, 1.0], 1_901),
                "patient": np.r_[who, who],
                "lesion": np.r_[np.arange(1_901), np.arange(1_901)],
            }
        )

        def mixed() -> None:
            statsmodels.MixedLM.from_formula(
                "value ~ rater",
                groups="patient",
                vc_formula={"lesion": "0 + C(lesion)"},
                data=long[long["patient"] < 60],
            ).fit(reml=True)

        theirs = seconds(mixed, 1)
    row(
        "nested REML (lesions in patients), 1,000,000 lesions",
        ours,
        "statsmodels MixedLM, 400 lesions only",
        theirs,
        0.3,
        "the library needs minutes for 1,901 lesions",
    )
    scipy_stats = installed("scipy.stats")
    x, y, who = lesions(100_000)
    row(
        "Spearman ρ with an interval over patients, 100,000 lesions",
        seconds(lambda: spearman_of(x, y, clusters=who)),
        "SciPy, without interval",
        seconds(lambda: scipy_stats.spearmanr(x, y)),
    )


def _rocs(row: Callable[..., None]) -> None:
    from analytics.accuracy.roc import paired_difference, roc_of
    from analytics.accuracy.roc_bootstrap import bootstrapped_auc_of

    metrics = installed("sklearn.metrics")
    a, b, y = markers(1_000_000)
    theirs = (
        None
        if metrics is None
        else seconds(lambda: (metrics.roc_auc_score(y, a), metrics.roc_auc_score(y, b)), 1)
    )
    row(
        "DeLong, two markers compared, n = 1,000,000",
        seconds(lambda: paired_difference(a, b, y), 1),
        "scikit-learn, two AUCs without intervals",
        theirs,
        1.5,
    )
    a, _, y = markers(1_611)
    theirs = None
    if metrics is not None:
        rng = np.random.default_rng(1)

        def loop() -> None:
            for _ in range(100):
                rows = rng.integers(0, len(y), len(y))
                metrics.roc_auc_score(y[rows], a[rows])

        theirs = seconds(loop, 1) * 100
    row(
        "AUC, 10,000 bootstraps, n = 1,611",
        seconds(lambda: bootstrapped_auc_of(a, y)),
        "scikit-learn in a loop",
        theirs,
        2.0,
        "100 of 10,000 timed",
    )
    a, _, y = markers(100_000)
    theirs = None if metrics is None else seconds(lambda: metrics.roc_curve(y, a))
    row(
        "ROC with AUC, interval and Youden, n = 100,000",
        seconds(lambda: roc_of(a, y)),
        "scikit-learn roc_curve",
        theirs,
    )


def _survival(row: Callable[..., None]) -> None:
    from analytics.survival.concordance import concordance_of
    from analytics.survival.cox import cox_of
    from analytics.survival.kaplan_meier import cumulative_incidence_of
    from analytics.survival.partial_likelihood import RiskSets, maximise

    lifelines = installed("lifelines")
    for n, target in ((100_000, 0.2), (1_000_000, 3.0)):
        time_, event, x = cohort(n)
        centred = x - x.mean(0)

        def fit(t: np.ndarray = time_, e: np.ndarray = event, c: np.ndarray = centred) -> None:
            maximise(RiskSets(t, e == 1, c, None, True))

        theirs = None
        if lifelines is not None:
            table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(t=time_, e=event)
            theirs = seconds(lambda table=table: lifelines.CoxPHFitter().fit(table, "t", "e"), 1)
        row(
            f"Cox, Efron, 3 covariates, n = {n:,}: the fit",
            seconds(fit, 3 if n < 500_000 else 1),
            "lifelines",
            theirs,
            target,
        )
        if n == 100_000:
            columns = {name: x[:, j] for j, name in enumerate("abc")}
            whole = seconds(lambda t=time_, e=event, c=columns: cox_of(t, e, c), 1)
            row(
                "Cox with tests, concordance and proportionality, n = 100,000",
                whole,
                "lifelines, the fit alone",
                theirs,
            )
    time_, event, x = cohort(100_000)
    groups = [str(int(v)) for v in x[:, 0]]
    theirs = None
    if lifelines is not None:
        from lifelines.statistics import logrank_test

        def two() -> None:
            high = x[:, 0] == 1
            for rows in (high, ~high):
                lifelines.KaplanMeierFitter().fit(time_[rows], event[rows])
            logrank_test(time_[high], time_[~high], event[high], event[~high])

        theirs = seconds(two, 1)
    row(
        "Kaplan–Meier of two groups with log-rank, n = 100,000",
        seconds(lambda: cumulative_incidence_of(time_, event, groups=groups, horizon=5.0)),
        "lifelines",
        theirs,
    )
    if lifelines is not None:
        from lifelines.utils import concordance_index

        theirs = seconds(lambda: concordance_index(time_, -x[:, 2], event), 1)
    row(
        "C index with standard error, n = 100,000",
        seconds(lambda: concordance_of(time_, event, x[:, 2]), 1),
        "lifelines, without error",
        theirs,
    )


def _categories(row: Callable[..., None]) -> None:
    from analytics.agreement.kappa import kappa_of

    rng = np.random.default_rng(5)
    a = rng.integers(0, 6, 100_000)
    b = np.clip(a + rng.integers(-1, 2, 100_000), 0, 5)
    patient = np.arange(100_000) // 3
    metrics = installed("sklearn.metrics")
    theirs = (
        None if metrics is None else seconds(lambda: metrics.cohen_kappa_score(a, b, weights="quadratic"))
    )
    ours = seconds(lambda: kappa_of(a, b, levels=range(6), weights="quadratic", clusters=patient))
    row("κ with an interval over patients, n = 100,000", ours, "scikit-learn, without interval", theirs)


# --- growth --------------------------------------------------------------------------------------------------------


def growth(sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Seconds at 10³ … 10⁶ rows, and the exponent of the last decade."""
    from analytics.accuracy.roc import roc_of
    from analytics.agreement.bland_altman import bland_altman_of
    from analytics.agreement.correlation import spearman_of
    from analytics.agreement.icc import icc_of
    from analytics.agreement.kappa import kappa_of
    from analytics.survival.concordance import concordance_of
    from analytics.survival.cox import cox_of
    from analytics.survival.kaplan_meier import cumulative_incidence_of

    def pairs(of: Callable[..., Any]) -> Callable[[int], Callable[[], Any]]:
        def make(n: int) -> Callable[[], Any]:
            a, b, patient = lesions(n)
            return lambda: of(a, b, patient)

        return make

    def survived(of: Callable[..., Any]) -> Callable[[int], Callable[[], Any]]:
        def make(n: int) -> Callable[[], Any]:
            t, e, x = cohort(n)
            return lambda: of(t, e, x)

        return make

    def graded(n: int) -> Callable[[], Any]:
        rng = np.random.default_rng(5)
        a = rng.integers(0, 6, n)
        b = np.clip(a + rng.integers(-1, 2, n), 0, 5)
        patient = np.arange(n) // 3
        return lambda: kappa_of(a, b, levels=range(6), clusters=patient)

    def marked(n: int) -> Callable[[], Any]:
        a, _, y = markers(n)
        return lambda: roc_of(a, y)

    tasks: dict[str, Callable[[int], Callable[[], Any]]] = {
        "ICC with F and patient jackknife": pairs(
            lambda a, b, p: icc_of(np.column_stack([a, b]), clusters=p, replicates=0)
        ),
        "Bland–Altman with variance components": pairs(
            lambda a, b, p: bland_altman_of(a, b, clusters=p, replicates=0)
        ),
        "Spearman ρ over patients": pairs(lambda a, b, p: spearman_of(a, b, clusters=p)),
        "κ over patients": graded,
        "ROC, DeLong, Youden": marked,
        "Kaplan–Meier with log-rank": survived(
            lambda t, e, x: cumulative_incidence_of(t, e, groups=x[:, 0].tolist(), horizon=5.0)
        ),
        "Cox, 3 covariates, all tests": survived(
            lambda t, e, x: cox_of(t, e, {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]})
        ),
        "C index": survived(lambda t, e, x: concordance_of(t, e, x[:, 2])),
    }
    rows = []
    for name, make in tasks.items():
        spent = [seconds(make(n), 3 if n <= 100_000 else 1) for n in sizes]
        exponent = math.log(spent[-1] / spent[-2]) / math.log(sizes[-1] / sizes[-2])
        rows.append({"task": name, "sizes": list(sizes), "seconds": spent, "exponent": exponent})
        print(f"{name}: " + ", ".join(f"{s:.4f}" for s in spent) + f" s; exponent {exponent:.2f}", flush=True)
    return rows


# --- pages and report ----------------------------------------------------------------------------------------------


def pages() -> list[dict[str, Any]]:
    """Seconds of each question at paper scale and at 100,000 lesions, and of the report."""
    from analytics.freeze import read_freeze
    from analytics.questions import QUESTIONS
    from analytics.questions.outcome import SECTIONS, OutcomeParameters
    from analytics.report import make_report, write_report
    from analytics.simulation.freeze import simulate_freeze

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        # Outcome is asked of as many patients as have 100,000 lesions; the other tables keep the study's proportions.
        for label, patients in (("2,000 lesions", 1_611), ("100,000 lesions", 84_745)):
            out = Path(folder) / label.replace(",", "").replace(" ", "_")
            simulate_freeze(out, seed=None if patients == 1_611 else 1, patients=patients)
            freeze = read_freeze(out)
            begin = time.perf_counter()
            freeze.verify()
            rows.append(
                {
                    "page": "reading and verifying the freeze",
                    "scale": label,
                    "seconds": time.perf_counter() - begin,
                    "kB": None,
                }
            )
            for name, question in QUESTIONS.items():
                asked = {name: question.parameters()}
                if name == "outcome":
                    asked = {f"outcome, {s}": OutcomeParameters(section=s) for s in SECTIONS}
                for shown, parameters in asked.items():
                    spent = seconds(lambda q=question, p=parameters, f=freeze: q.answer(f, p), 2)
                    size = len(json.dumps(question.answer(freeze, parameters).to_dict()))
                    rows.append({"page": shown, "scale": label, "seconds": spent, "kB": size / 1000})
                    print(f"{shown}, {label}: {spent:.3f} s, {size / 1000:.0f} kB", flush=True)
            if patients == 1_611:
                for replicates in (0, 10_000):
                    begin = time.perf_counter()
                    report = make_report(read_freeze(out), replicates=replicates)
                    made = time.perf_counter() - begin
                    written = write_report(report, Path(folder) / f"report{replicates}", pdf=False)
                    spent = time.perf_counter() - begin
                    kilobytes = written.html.stat().st_size / 1000
                    rows.append(
                        {
                            "page": f"report, {replicates:,} bootstraps",
                            "scale": label,
                            "seconds": spent,
                            "kB": kilobytes,
                        }
                    )
                    print(
                        f"report, {replicates:,} bootstraps: {made:.2f} s, written after {spent:.2f} s",
                        flush=True,
                    )
    return rows


# --- memory --------------------------------------------------------------------------------------------------------

MEMORY_TASKS = {
    "ICC, 10,000 bootstraps, 100,000 lesions": "from analytics.agreement.icc import icc_of; a, b, p = lesions(100_000); icc_of(np.column_stack([a, b]), clusters=p)",
    "ICC with jackknife, 1,000,000 lesions": "from analytics.agreement.icc import icc_of; a, b, p = lesions(1_000_000); icc_of(np.column_stack([a, b]), clusters=p, replicates=0)",
    "Cox, 3 covariates, 1,000,000 patients": "from analytics.survival.cox import cox_of; t, e, x = cohort(1_000_000); cox_of(t, e, {'a': x[:, 0], 'b': x[:, 1], 'c': x[:, 2]})",
    "AUC, 10,000 bootstraps, 1,611 patients": "from analytics.accuracy.roc_bootstrap import bootstrapped_auc_of; a, b, y = markers(1_611); bootstrapped_auc_of(a, y)",
    "DeLong, two markers, 1,000,000 patients": "from analytics.accuracy.roc import paired_difference; paired_difference(*markers(1_000_000))",
    "Spearman ρ over patients, 1,000,000 lesions": "from analytics.agreement.correlation import spearman_of; a, b, p = lesions(1_000_000); spearman_of(a, b, clusters=p)",
}


def memory() -> list[dict[str, Any]]:
    """Peak resident memory of each task in its own process."""
    rows = []
    for name, code in MEMORY_TASKS.items():
        # The high-water mark of the kernel: that of getrusage is handed down by the parent process.
        mark = "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')][0])"
        path = [str(ROOT), str(Path(__file__).parent)]
        program = f"import sys; sys.path[:0] = {path!r}; import numpy as np; from analytics_speed import lesions, cohort, markers; {code}; {mark}"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        rows.append({"task": name, "MiB": float(done.stdout.split()[-1]) / 1024})
        print(f"{name}: {rows[-1]['MiB']:.0f} MiB", flush=True)
    return rows


def versions() -> dict[str, str]:
    """Versions of ours and of the libraries beside."""
    found = {}
    for name in ("analytics", "numpy", "scipy", "pandas", "lifelines", "pingouin", "statsmodels", "sklearn"):
        module = installed(name)
        found[name] = "not installed" if module is None else str(module.__version__)
    return found


def load() -> float:
    """How busy the machine was: running processes over the last minute, per core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def main() -> None:
    """Run the parts; each is kept when it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("beside", "growth", "pages", "memory"))
    given = parser.parse_args()
    from networks import commit
    from run import machine

    KEPT.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept |= {
        "machine": machine(),
        "commit": commit(),
        "versions": versions(),
        "date": time.strftime("%Y-%m-%d"),
    }
    for name, part in (("memory", memory), ("beside", beside), ("growth", growth), ("pages", pages)):
        if given.only in (None, name):
            before = load()
            kept[name] = part()
            kept[f"{name} load"] = max(before, load())
            KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False))
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
