"""The command line: ``python -m analytics COMMAND``.

simulate   write a simulated study as a freeze: cohort, reader studies, IVUS, ICA, outcomes; with --csv as CSV too
dictionary print the tables and columns of a freeze
report     the report of a freeze: HTML, PDF, every number as JSON
paper      the published numbers of Lin et al. 2022 beside ours, line by line
icc, bland-altman, spearman, kappa, roc, two-by-two, incidence, cox, firth, cause-specific, fine-gray,
competing, time-auc, spline, restricted-mean, calibration, subgroups, timing, rate
           one estimator on a CSV file; prints the sentence and, with --json, every number
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from analytics.errors import AnalyticsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what the user did wrong is one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m analytics", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    simulate = commands.add_parser("simulate", help="write a simulated study as a freeze")
    simulate.add_argument("--out", type=Path, required=True, help="folder to make")
    simulate.add_argument("--seed", type=int, help="another seed than the demonstration's")
    simulate.add_argument("--patients", type=int, default=1611, help="size of the prognostic cohort (1611)")
    simulate.add_argument(
        "--csv", type=Path, help="write cohort and reader study as CSV into this folder too"
    )
    commands.add_parser("dictionary", help="print the tables and columns of a freeze")
    report = commands.add_parser("report", help="write the report of a freeze")
    report.add_argument("freeze", type=Path, help="folder of the freeze")
    report.add_argument("--out", type=Path, required=True, help="folder to write into")
    report.add_argument("--profile", default="recommended", choices=("recommended", "lin2022"))
    report.add_argument(
        "--replicates", type=int, default=0, help="bootstrap resamples of patients (0: jackknife)"
    )
    report.add_argument("--seed", type=int, help="another seed than the freeze's")
    report.add_argument("--no-pdf", action="store_true", help="do not print a PDF")
    paper = commands.add_parser("paper", help="published numbers beside ours")
    paper.add_argument("--json", action="store_true", help="print as JSON")
    for name, (_, columns, options) in ESTIMATORS.items():
        command = commands.add_parser(name, help=f"columns: {', '.join(columns)}")
        command.add_argument("file", type=Path, help="CSV file with a heading")
        for column in columns:
            command.add_argument(f"--{column}", required=True)
        for option, settings in options.items():
            command.add_argument(f"--{option}", **settings)
        command.add_argument("--json", action="store_true", help="print every number as JSON")
    given = parser.parse_args(arguments)
    try:
        if given.command == "simulate":
            _simulate(given)
        elif given.command == "dictionary":
            _dictionary()
        elif given.command == "report":
            _report(given)
        elif given.command == "paper":
            return _paper(as_json=given.json)
        else:
            _estimate(given)
    except (AnalyticsError, OSError) as error:
        print(f"{given.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _simulate(given: argparse.Namespace) -> None:
    from analytics.freeze import read_freeze
    from analytics.simulation.freeze import simulate_freeze

    if given.patients < 1:
        raise AnalyticsError(f"--patients {given.patients}: at least one patient is needed.")
    simulate_freeze(given.out, seed=given.seed, patients=given.patients)
    freeze = read_freeze(given.out)
    for name, entry in freeze.manifest["tables"].items():
        print(f"{name}: {entry['rows']:,} rows, simulated")
    print(f"{given.out}: {freeze.about.note}; SHA-256 {freeze.hash}")
    if given.csv is not None:
        _simulate_csv(given.csv, given.seed)


def _simulate_csv(out: Path, seed: int | None) -> None:
    from analytics.simulation import demonstration_cohort, simulate_cohort, simulate_reader_study

    cohort = demonstration_cohort() if seed is None else simulate_cohort(seed=seed)
    study = simulate_reader_study() if seed is None else simulate_reader_study(seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    for name, table in (
        ("simulated_cohort.csv", cohort.table()),
        ("simulated_reader_study.csv", study.table()),
    ):
        target = out / name
        partial = target.with_suffix(".partial")
        with partial.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))
        partial.replace(target)
        print(f"{target}: {len(next(iter(table.values()))):,} rows, simulated")


def _dictionary() -> None:
    from analytics.freeze import TABLES

    for table in TABLES.values():
        print(f"{table.name}: {table.meaning}; key {', '.join(table.key)}")
        for column in (*table.columns, *table.metric_columns()):
            unit = f", {column.unit}" if column.unit else ""
            print(
                f"  {column.name} ({column.type}{unit}{', required' if column.required else ''}): {column.meaning}"
            )


def _report(given: argparse.Namespace) -> None:
    from analytics.freeze import read_freeze
    from analytics.report import make_report, write_report

    if given.replicates < 0:
        raise AnalyticsError(f"--replicates {given.replicates}: 0 or more are needed.")

    def told(done: int, total: int, what: str) -> None:
        print(f"\r{done}/{total} {what[:60]:60}", end="", file=sys.stderr, flush=True)

    report = make_report(
        read_freeze(given.freeze),
        profile_name=given.profile,
        replicates=given.replicates,
        seed=given.seed,
        progress=told if sys.stderr.isatty() else None,
    )
    written = write_report(report, given.out, pdf=not given.no_pdf)
    print(f"{written.html}\n{written.numbers}")
    print(written.pdf if written.pdf is not None else f"no PDF: {written.pdf_reason}")


def _paper(*, as_json: bool) -> int:
    from analytics.paper import check_paper, printed

    lines = check_paper()
    print(
        json.dumps([line.to_dict() for line in lines], indent=2, ensure_ascii=False)
        if as_json
        else printed(lines)
    )
    return 0 if all(line.holds for line in lines) else 1


def read_csv(path: Path) -> dict[str, list[str]]:
    """A CSV file as columns of text. Raises AnalyticsError for rows of another length than the heading."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.reader(stream))
    if not rows:
        raise AnalyticsError(f"{path}: the file is empty; a heading is needed.")
    heading = rows[0]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(heading):
            raise AnalyticsError(f"{path}, row {number}: {len(row)} cells under {len(heading)} headings.")
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(heading)}


def _estimate(given: argparse.Namespace) -> None:
    function, columns, options = ESTIMATORS[given.command]
    names = {name: getattr(given, name) for name in [*columns, *options] if getattr(given, name) is not None}
    result = function(read_csv(given.file), **names)
    print(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) if given.json else result.sentence())


def _icc(table: Any, **names: Any) -> Any:
    from analytics.agreement import icc

    return icc(table, **names | {"subject": names["subject"].split(",")})


def _bland_altman(table: Any, **names: Any) -> Any:
    from analytics.agreement import bland_altman

    return bland_altman(table, **names)


def _spearman(table: Any, **names: Any) -> Any:
    from analytics.agreement import spearman

    return spearman(table, **names)


def _kappa(table: Any, **names: Any) -> Any:
    from analytics.agreement import kappa

    return kappa(table, **names | {"levels": names["levels"].split(",")})


def _roc(table: Any, **names: Any) -> Any:
    from analytics.accuracy import roc

    return roc(table, **names)


def _two_by_two(table: Any, **names: Any) -> Any:
    from analytics.accuracy import two_by_two

    return two_by_two(table, **names)


def _incidence(table: Any, **names: Any) -> Any:
    from analytics.survival import cumulative_incidence

    return cumulative_incidence(table, **names)


def _cox(table: Any, **names: Any) -> Any:
    from analytics.survival import cox

    return cox(table, **_split(names, "covariates"))


def _split(names: dict[str, Any], *lists: str) -> dict[str, Any]:
    """Options that name several columns, as tuples."""
    return names | {name: tuple(names[name].split(",")) for name in lists if name in names}


def _survival(name: str, *lists: str) -> Callable[..., Any]:
    """An estimator of ``analytics.survival``; ``lists`` are its options that take several names."""

    def estimate(table: Any, **names: Any) -> Any:
        from analytics import survival

        return getattr(survival, name)(table, **_split(names, *lists))

    return estimate


def _time_auc(table: Any, **names: Any) -> Any:
    from analytics.survival import time_auc

    try:
        times = [float(t) for t in names["times"].split(",")]
    except ValueError:
        raise AnalyticsError(f"--times {names['times']}: numbers joined by commas are needed.") from None
    return time_auc(table, **names | {"times": times})


def _subgroups(table: Any, **names: Any) -> Any:
    from analytics.heterogeneity import subgroups

    return subgroups(table, **_split(names, "by", "covariates"))


def _timing(table: Any, **names: Any) -> Any:
    from analytics.monitoring.timing import paired_timing

    return paired_timing(table, **names)


def _rate(table: Any, **names: Any) -> Any:
    from analytics.monitoring.rate import rate

    return rate(table, **names)


OPTIONAL: dict[str, Any] = {}
ESTIMATORS: dict[str, tuple[Callable[..., Any], tuple[str, ...], dict[str, dict[str, Any]]]] = {
    "icc": (
        _icc,
        ("subject", "rater", "value"),
        {"cluster": OPTIONAL, "form": {"default": "A,1"}, "replicates": {"type": int, "default": 10_000}},
    ),
    "bland-altman": (
        _bland_altman,
        ("first", "second"),
        {"cluster": OPTIONAL, "value_unit": {"default": "mm³"}},
    ),
    "spearman": (_spearman, ("first", "second"), {"cluster": OPTIONAL}),
    "kappa": (
        _kappa,
        ("first", "second", "levels"),
        {
            "cluster": OPTIONAL,
            "weights": {"default": "unweighted", "choices": ("unweighted", "linear", "quadratic")},
        },
    ),
    "roc": (_roc, ("marker", "outcome"), {}),
    "two-by-two": (_two_by_two, ("test", "reference"), {"threshold": {"type": float, "required": True}}),
    "incidence": (
        _incidence,
        ("time", "event"),
        {"group": OPTIONAL, "horizon": {"type": float, "required": True}},
    ),
    "cox": (
        _cox,
        ("time", "event", "covariates"),
        {"ties": {"default": "Efron"}, "entry": OPTIONAL, "strata": OPTIONAL, "cluster": OPTIONAL},
    ),
    "firth": (_survival("firth", "covariates"), ("time", "event", "covariates"), {"entry": OPTIONAL}),
    "cause-specific": (_survival("cause_specific", "covariates"), ("time", "event", "covariates"), {}),
    "fine-gray": (_survival("fine_gray", "covariates"), ("time", "event", "covariates"), {}),
    "competing": (
        _survival("competing_incidence", "outcomes"),
        ("time", "event", "outcomes"),
        {"group": OPTIONAL, "horizon": {"type": float, "required": True}},
    ),
    "time-auc": (_time_auc, ("time", "event", "marker", "times"), {}),
    "spline": (
        _survival("spline", "covariates"),
        ("time", "event", "marker"),
        {"covariates": OPTIONAL, "knots": {"type": int, "default": 4}},
    ),
    "restricted-mean": (
        _survival("restricted_means"),
        ("time", "event"),
        {"group": OPTIONAL, "tau": {"type": float, "required": True}},
    ),
    "calibration": (_survival("calibration"), ("probability", "outcome"), {}),
    "subgroups": (_subgroups, ("time", "event", "marker", "by"), {"covariates": OPTIONAL}),
    "timing": (_timing, ("first", "second"), {"time_unit": {"default": "min"}}),
    "rate": (_rate, ("flag",), {"cluster": OPTIONAL, "reason": OPTIONAL}),
}

if __name__ == "__main__":
    raise SystemExit(main())
