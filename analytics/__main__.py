"""The command line of the statistics.

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
from collections.abc import Sequence
from pathlib import Path

from analytics import __version__
from analytics.commands import ESTIMATORS, read_csv
from analytics.errors import AnalyticsError
from analytics.freeze import TABLES, read_freeze
from analytics.paper import check_paper, printed
from analytics.report import make_report, write_report
from analytics.simulation import demonstration_cohort, simulate_cohort, simulate_reader_study
from analytics.simulation.freeze import simulate_freeze


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what the user did wrong is one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m analytics" if sys.argv[0].endswith("__main__.py") else None,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"plaquelab-analytics {__version__}")
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
    for name, estimator in ESTIMATORS.items():
        command = commands.add_parser(name, help=f"columns: {', '.join(estimator.columns)}")
        command.add_argument("file", type=Path, help="CSV file with a heading")
        estimator.add_to(command)
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
    for table in TABLES.values():
        print(f"{table.name}: {table.meaning}; key {', '.join(table.key)}")
        for column in (*table.columns, *table.metric_columns()):
            unit = f", {column.unit}" if column.unit else ""
            print(
                f"  {column.name} ({column.type}{unit}{', required' if column.required else ''}): {column.meaning}"
            )


def _report(given: argparse.Namespace) -> None:
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
    lines = check_paper()
    print(
        json.dumps([line.to_dict() for line in lines], indent=2, ensure_ascii=False)
        if as_json
        else printed(lines)
    )
    return 0 if all(line.holds for line in lines) else 1


def _estimate(given: argparse.Namespace) -> None:
    result = ESTIMATORS[given.command].run(read_csv(given.file), given)
    print(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) if given.json else result.sentence())


if __name__ == "__main__":
    raise SystemExit(main())
