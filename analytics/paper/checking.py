"""One line per published number: what the paper prints, what we get, and whether the verdict of the file holds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from analytics.accuracy.roc import hanley_mcneil_se
from analytics.accuracy.two_by_two import two_by_two_of
from analytics.agreement.icc import f_limits
from analytics.agreement.kappa import kappa_of_matrix
from analytics.agreement.limits import Z, limit_intervals
from analytics.distributions import normal_two_sided_p
from analytics.paper.absolute import bias_ratios_that_fit
from analytics.rounding import half_up, p_value, percent

Case = Mapping[str, Any]
ROUNDED_INPUT = 1e-3
"""Half a unit of the third decimal for the printed ICC, which the interval follows, and half for the printed limit."""

MEASURES = {"sens": "sensitivity", "spec": "specificity", "ppv": "ppv", "npv": "npv"}


@dataclass(frozen=True)
class Line:
    """One published number. ``verdict`` is the file's, ``found`` ours; ``holds`` when they say the same."""

    case: str
    source: str
    published: str
    ours: str
    verdict: str
    found: str
    note: str

    @property
    def holds(self) -> bool:
        """Whether what we find is what the file says."""
        return self.found == self.verdict

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**vars(self), "holds": self.holds}


def stored() -> dict[str, Any]:
    """The file of cases."""
    found: dict[str, Any] = json.loads(
        (files("analytics.paper") / "lin2022_cases.json").read_text(encoding="utf-8")
    )
    return found


def check_paper() -> list[Line]:
    """Every case in the order of the file."""
    return [_line(case) for case in stored()["cases"]]


def _line(case: Case) -> Line:
    ours, found = CHECKS[case["group"]](case)
    published = "; ".join(f"{name} {_text(value)}" for name, value in case["published"].items()) or "–"
    return Line(case["id"], case["source"], published, ours, case["verdict"], found, case["note"])


def _text(value: Any) -> str:
    return f"{value[0]} to {value[1]}" if isinstance(value, list) else str(value)


def printed(lines: list[Line]) -> str:
    """The lines as text, with the legend of the verdicts and how many hold."""
    legend = stored()["verdict_legend"]
    text = [f"{stored()['paper']}: published numbers and ours", ""]
    for line in lines:
        mark = "=" if line.holds else "≠"
        text += [
            f"{mark} {line.case}: {line.source}",
            f"    published  {line.published}",
            f"    ours       {line.ours}",
        ]
        text.append(f"    verdict    {line.verdict}: {legend[line.verdict]}")
        if not line.holds:
            text.append(f"    but we find {line.found}")
    holds = sum(line.holds for line in lines)
    counts = {v: sum(line.verdict == v for line in lines) for v in legend}
    text += [
        "",
        f"{holds} of {len(lines)} verdicts hold: " + ", ".join(f"{n} {v}" for v, n in counts.items() if n),
    ]
    return "\n".join(text)


def _diagnostic(case: Case) -> tuple[str, str]:
    result = two_by_two_of(**case["input"], profile="lin2022")
    ours = {}
    for short, name in MEASURES.items():
        value = getattr(result, name)
        if value.estimate is None or value.interval is None:
            return f"{short}: {value.printed()}", "inconsistent"
        low, high = (percent(v) for v in value.interval)
        ours[short] = f"{percent(value.estimate)} ({low}-{high})"
    same = all(ours[name] == text for name, text in case["published"].items())
    return "; ".join(f"{n} {ours[n]}" for n in case["published"]), "reproduces" if same else "inconsistent"


def _kappa(case: Case) -> tuple[str, str]:
    if not case["input"]:
        return "–", "not_derivable"
    result = kappa_of_matrix(
        np.array(case["input"]["matrix"]), levels=case["input"]["levels"], weights="unweighted"
    )
    if result.estimate is None:
        return result.sentence(), "inconsistent"
    agree, near = (f"{x} ({half_up(100 * x / result.n, 0)}%)" for x in (result.agree, result.within_one))
    ours = f"agree {agree}; within_one {near}; kappa {half_up(result.estimate, 2)}"
    same = half_up(result.estimate, 2) == case["published"]["kappa"] and agree == case["published"]["agree"]
    return ours, "reproduces" if same else "inconsistent"


def _bland_altman(case: Case) -> tuple[str, str]:
    given = case["input"]
    mean, sd = (given["lower"] + given["upper"]) / 2, (given["upper"] - given["lower"]) / (2 * Z)
    low, high = limit_intervals(mean, sd, given["n"])
    half = Z * sd / math.sqrt(given["n"])
    ours = (
        f"bias {half_up(mean, 2)} ({half_up(mean - half, 2)} to {half_up(mean + half, 2)}), SD {half_up(sd, 2)}; limits "
        f"{half_up(mean - Z * sd, 2)} ({low.text(2)}) to {half_up(mean + Z * sd, 2)} ({high.text(2)}), lesions as independent"
    )
    return ours, "reproduces" if half_up(mean, 2) == half_up(case["published"]["mean"], 2) else "inconsistent"


def _icc(case: Case) -> tuple[str, str]:
    """Which form of the ICC has the printed interval: single consistency, mean of two, absolute agreement with some bias."""
    icc, n, k = (case["input"][name] for name in ("icc", "n", "k"))
    low, high = case["published"]["ci"]
    single = f_limits((1 + (k - 1) * icc) / (1 - icc), "C,1", n, k)
    average = f_limits(1 / (1 - icc), "C,k", n, k)
    ratios = bias_ratios_that_fit(icc, n, low, high, ROUNDED_INPUT)
    shown = [
        f"C,1 {half_up(single[0], 3)}–{half_up(single[1], 3)}",
        f"C,2 {half_up(average[0], 3)}–{half_up(average[1], 3)}",
    ]
    if ratios is None:
        shown.append("no bias gives A,1 such limits")
    else:
        shown.append(f"A,1 with bias/SD {half_up(ratios[0], 2)} to {half_up(ratios[1], 2)}")

    def fits(limits: tuple[float, float]) -> bool:
        return bool(abs(limits[0] - low) <= ROUNDED_INPUT and abs(limits[1] - high) <= ROUNDED_INPUT)

    if fits(single):
        found = "consistent"
    elif fits(average):
        found = "consistent_only_average"
    else:
        found = "inconsistent" if ratios is None else "consistent_only_with_bias"
    return "; ".join(shown), found


def _roc(case: Case) -> tuple[str, str]:
    """Whether the printed interval is as wide as the events allow."""
    given, (low, high) = case["input"], case["published"]["ci"]
    se = hanley_mcneil_se(given["auc"], given["n_cases"], given["n_controls"])
    ours = f"Hanley–McNeil {half_up(given['auc'] - Z * se, 3)}–{half_up(given['auc'] + Z * se, 3)} (half-width {half_up(Z * se, 3)})"
    near = abs((high - low) / 2 - Z * se) <= 0.25 * Z * se
    return ours, "consistent" if near else "inconsistent"


def _cox(case: Case) -> tuple[str, str]:
    """Whether ratio, limits and p belong to one Wald test, rounding allowed for."""
    given, (low, high) = case["input"], case["published"]["ci"]
    middle = math.sqrt(low * high)
    se = math.log(high / low) / (2 * Z)
    p = normal_two_sided_p(math.log(given["hr"]) / se)
    edge = 0.005
    reach = [math.sqrt((low + s * edge) * (high + s * edge)) for s in (-1, 1)]
    centred = reach[0] - edge <= given["hr"] <= reach[1] + edge
    ours = f"middle of the limits {half_up(middle, 2)}; SE {half_up(se, 3)}; {p_value(p)}"
    return ours, "reproduces" if centred and _p_fits(given, low, high, edge) else "inconsistent"


def _p_fits(given: Case, low: float, high: float, edge: float) -> bool:
    """Whether some unrounded limits give the printed p."""
    spread = [math.log((high + s * edge) / (low - s * edge)) / (2 * Z) for s in (-1, 1)]
    values = [normal_two_sided_p(math.log(given["hr"] + t * edge) / se) for se in spread for t in (-1, 1)]
    if isinstance(given["p"], str):
        return min(values) < float(given["p"].lstrip("<"))
    printed: float = given["p"]
    return min(values) - 5e-5 <= printed <= max(values) + 5e-5


def _counts(case: Case) -> tuple[str, str]:
    given = case["input"]
    if "events" in given:
        ours = {"pct": percent(given["events"] / given["n"])}
    else:
        ours = {
            "patients": given["ext"][0] + given["invasive"][0],
            "lesions": given["ext"][1] + given["invasive"][1],
        }
    same = all(ours[name] == value for name, value in case["published"].items())
    return "; ".join(f"{n} {v}" for n, v in ours.items()), "reproduces" if same else "inconsistent"


def _timing(case: Case) -> tuple[str, str]:
    given = case["input"]
    expert = given["expert_min"][0]
    gpu, cpu = 60 * expert / given["dl_gpu_s"][0], expert / given["dl_cpu_min"][0]
    ours = f"expert ÷ network {half_up(gpu, 1)} (graphics processor), {half_up(cpu, 2)} (central processor)"
    return ours, "derived"


def _method(_case: Case) -> tuple[str, str]:
    return (
        "paired reads: signed-rank in profile recommended, rank-sum in profile lin2022 with a warning",
        "method_flag",
    )


CHECKS: dict[str, Callable[[Case], tuple[str, str]]] = {
    "diagnostic": _diagnostic,
    "kappa": _kappa,
    "bland_altman": _bland_altman,
    "icc": _icc,
    "roc": _roc,
    "cox": _cox,
    "counts": _counts,
    "timing": _timing,
    "method": _method,
}
