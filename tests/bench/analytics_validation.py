"""Write docs/validation-statistics.md from what the benchmarks of analytics kept in var/bench.

usage: python tests/bench/analytics_validation.py
analytics_speed.py, analytics_coverage.py and dashboard_pages.py run first. A part that was not measured stops the page, for a page with holes
would be read as complete.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from analytics.paper import check_paper  # noqa: E402

KEPT = ROOT / "var" / "bench"
PAGE = ROOT / "docs" / "validation-statistics.md"
EXACT_LEAST, LOW, HIGH = 0.95, 0.93, 0.97
ENOUGH_CLUSTERS, ENOUGH_EVENTS = 50, 20
MEMORY_MIB = 2_048
PAGE_TARGETS = {"2,000 lesions": 0.5, "100,000 lesions": 2.0}
SERVER_TARGETS = ((10_000, 1.0), (10_000_000, 3.0))
"""Up to so many pairs of lesions a page may take so many seconds of the server."""
REPORT_TARGETS = {"report, 0 bootstraps": 5.0, "report, 10,000 bootstraps": 30.0}


def kept(name: str) -> dict[str, Any]:
    """What a benchmark kept; a message where it did not run."""
    path = KEPT / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"{path.relative_to(ROOT)} is missing: run tests/bench/{name}.py.")
    return dict(json.loads(path.read_text()))


def spread(n: int) -> float:
    """Two standard errors of a share of 0.95 counted over n studies."""
    return 2 * (0.95 * 0.05 / n) ** 0.5


def enough(row: dict[str, Any]) -> bool:
    """Whether a scenario has the clusters and events from which intervals are expected to hold."""
    clusters, events = row["clusters"], row["events"]
    return (clusters is None or clusters >= ENOUGH_CLUSTERS) and (events is None or events >= ENOUGH_EVENTS)


def verdict(row: dict[str, Any]) -> str:
    """``holds``, ``falls short``, ``falls short, warned`` or, for intervals shown as a foil, ``not for use``."""
    value, n = row["coverage"], row["studies"]
    if value is None:
        return "no interval"
    if row["kind"] == "naive":
        return "beside only"
    if row["kind"] == "exact":
        good = value >= EXACT_LEAST - spread(n)
    else:
        good = LOW - spread(n) / 2 <= value <= HIGH + spread(n) / 2 or (value > HIGH and not enough(row))
    if good:
        return "holds"
    if value > HIGH:
        return "wide"
    return "falls short, result warns" if row["warned"] >= 0.9 else "falls short"


def coverage(found: dict[str, Any]) -> list[str]:
    """The table of coverage and what it says."""
    rows = list(found.values())
    judged = [r for r in rows if r["kind"] != "naive" and r["coverage"] is not None]
    full = [r for r in judged if enough(r)]
    short = [r for r in full if verdict(r).startswith("falls short")]
    few = [r for r in judged if not enough(r)]
    studies = rows[0]["studies"]
    out = [
        "## Coverage",
        "",
        f"Each row: {studies:,} simulated studies whose truth is known; in how many does the 95 % interval hold it? Counted over "
        f"{studies:,} studies, 95 % itself scatters by ± {100 * spread(studies):.1f} points. Exact intervals are to reach 95 %, "
        f"approximate ones 93–97 % from {ENOUGH_CLUSTERS} clusters and {ENOUGH_EVENTS} events on. “Beside only”: intervals that "
        "take lesions as independent, which papers print and which stand beside ours. Warned: share of the studies in which "
        "the result itself carried a warning.",
        "",
        f"**{sum(verdict(r) in ('holds', 'wide') for r in full)} of {len(full)} scenarios with enough clusters and events hold; "
        f"of {len(few)} with fewer, {sum(verdict(r).startswith('falls short') for r in few)} fall short, "
        f"{sum(verdict(r) == 'falls short, result warns' for r in few)} of them with a warning in the result.**",
        "",
    ]
    if short:
        named = "; ".join(_named(r) for r in short)
        out += [f"Short with enough clusters and events: {named}.", ""]
    out += [
        "| estimate | interval | kind | clusters or n | events | coverage, % | truth above, % | warned, % | verdict |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        events = "–" if r["events"] is None else f"{r['events']:,}"
        clusters = "–" if r["clusters"] is None else f"{r['clusters']:,}"
        share = "–" if r["coverage"] is None else f"{100 * r['coverage']:.1f}"
        above = "–" if r["truth_above"] is None else f"{100 * r['truth_above']:.1f}"
        note = f" ({r['note']})" if r["note"] else ""
        missing = f"; {r['missing']} studies without interval" if r["missing"] else ""
        out.append(
            f"| {r['name']}{note} | {r['what']} | {r['kind']} | {clusters} | {events} | {share} | {above} | {100 * r['warned']:.0f} | {verdict(r)}{missing} |"
        )
    return [*out, ""]


def _named(row: dict[str, Any]) -> str:
    size = f"{row['clusters']} clusters" + ("" if row["events"] is None else f", {row['events']} events")
    warned = ", warned" if row["warned"] >= 0.9 else ""
    return f"{row['name']} ({row['what']}, {size}: {100 * row['coverage']:.1f} %{warned})"


def busy(found: dict[str, Any], part: str) -> str:
    """A remark where the machine was not quiet."""
    load = found.get(f"{part} load")
    return (
        f" The machine was not quiet ({load:.1f} busy processes per core): seconds are too long, ratios hold."
        if load and load > 0.7
        else ""
    )


def speed(found: dict[str, Any]) -> list[str]:
    """Ours beside a library, growth, pages, memory."""
    names = ", ".join(f"{n} {v}" for n, v in found["versions"].items())
    out = [
        "## Speed beside the usual library",
        "",
        f"Both timed in one run. Versions: {names}.{busy(found, 'beside')}",
        "",
        "| task | ours, s | target, s | library | theirs, s | times faster |",
        "|---|---|---|---|---|---|",
    ]
    for r in found["beside"]:
        target = "–" if r["target"] is None else f"{r['target']:g}"
        theirs = "not installed" if r["theirs"] is None else f"{r['theirs']:,.3g}"
        times = "–" if r["theirs"] is None else f"{r['theirs'] / r['ours']:,.3g}"
        note = f" ({r['note']})" if r["note"] else ""
        out.append(
            f"| {r['task']} | {r['ours']:.3g} | {target} | {r['library']}{note} | {theirs} | {times} |"
        )
    sizes = found["growth"][0]["sizes"]
    out += [
        "",
        "## Growth",
        "",
        f"Seconds from 10³ to 10⁶ rows; the exponent is that of the last decade (1: linear).{busy(found, 'growth')}",
        "",
        "| task | " + " | ".join(f"{n:,}" for n in sizes) + " | exponent |",
        "|---|" + "---|" * (len(sizes) + 1),
    ]
    out += [
        f"| {r['task']} | " + " | ".join(f"{s:.2g}" for s in r["seconds"]) + f" | {r['exponent']:.2f} |"
        for r in found["growth"]
    ]
    out += [
        "",
        "## Pages and report",
        "",
        f"One answer without resamples, and what travels to the page.{busy(found, 'pages')}",
        "",
        "| page | scale | s | target, s | kB |",
        "|---|---|---|---|---|",
    ]
    for r in found["pages"]:
        target = REPORT_TARGETS.get(
            r["page"], PAGE_TARGETS[r["scale"]] if "freeze" not in r["page"] else None
        )
        shown = "–" if target is None else f"{target:g}"
        size = "–" if r["kB"] is None else f"{r['kB']:.0f}"
        out.append(f"| {r['page']} | {r['scale']} | {r['seconds']:.2f} | {shown} | {size} |")
    most = max(r["MiB"] for r in found["memory"])
    out += [
        "",
        "## Peak memory",
        "",
        f"Each task in its own process, libraries included; at most {most:.0f} MiB (limit {MEMORY_MIB:,}).",
        "",
        "| task | MiB |",
        "|---|---|",
    ]
    out += [f"| {r['task']} | {r['MiB']:.0f} |" for r in found["memory"]]
    return [*out, ""]


def server(found: dict[str, Any]) -> list[str]:
    """Server time of the dashboards' pages."""
    out = [
        "## Pages of the server",
        "",
        "The server's whole answer to an investigator (session, permissions, statistics, cases, template), without the network "
        "between: asked for the first time, and again when the answer is kept by freeze and parameters. "
        f"Measured on {found['date']} at commit {found['commit']}.{busy(found, 'pages')}",
        "",
        "| page | patients | pairs of lesions, all kinds | first, s | kept, s | target, s | kB |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in found["pages"]:
        target = next(seconds for most, seconds in SERVER_TARGETS if r["lesion_pairs"] <= most)
        out.append(
            f"| {r['page']} | {r['patients']:,} | {r['lesion_pairs']:,} | {r['first']:.2f} | {r['kept']:.2f} | {target:g} | {r['kB']:.0f} |"
        )
    return [*out, ""]


def paper() -> list[str]:
    """How the published numbers fare."""
    lines = check_paper()
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.verdict] = counts.get(line.verdict, 0) + 1
    words = ", ".join(f"{n} {v.replace('_', ' ')}" for v, n in counts.items())
    return [
        "## Published numbers",
        "",
        f"`make paper` asks {len(lines)} published numbers of Lin et al. 2022 line by line; all {sum(line.holds for line in lines)} verdicts "
        f"of the reconstruction hold ({words}). Nothing is tuned to match.",
        "",
    ]


def main() -> None:
    """Put the page together."""
    fast, held, served = kept("analytics_speed"), kept("analytics_coverage"), kept("dashboard_pages")
    for part in ("beside", "growth", "pages", "memory"):
        if part not in fast:
            raise SystemExit(f"{part} was not measured: run tests/bench/analytics_speed.py --only {part}.")
    lines = [
        "# How good the statistics are",
        "",
        f"Measured on {fast['date']} at commit {fast['commit']}: {fast['machine']}. Everything is simulated; research use only.",
        "",
        "Right to the last digit: the 63 public oracle cases, made in R with psych, irr, pROC, survival, cmprsk, coxphf, MRMCaov and others, "
        "are met strictly, each with its own tolerance (`make acceptance`); properties that must hold for any data (relabelling, scaling, "
        "permutation, weights as repeated rows, one cluster per row) are tested with random data in `tests/analytics`.",
        "",
        *paper(),
        *coverage(held),
        *speed(fast),
        *server(served),
    ]
    PAGE.write_text("\n".join(lines))
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
