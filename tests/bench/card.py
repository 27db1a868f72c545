"""Write the figures of inference/weights/model_card.md from evaluations, so that no figure there is typed by hand.

usage: python tests/bench/card.py EVALUATION.json ...     (of `python -m inference evaluate --out`)
Keeps what it reads in inference/weights/scores.json: which weights, scenario and patients every figure is of. Phantoms
of another generator are measured when ../shared/data/phantom is at hand; without it their columns stay as they were.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from networks import OTHER, other_generator  # noqa: E402
from page import WORDS  # noqa: E402

from inference.networks import WEIGHTS, load_network, served_name  # noqa: E402

SHOWN = ("tree_test", "tree_validation")  # whose lesions the card tells of: the first that was evaluated
CARD, SCORES = WEIGHTS / "model_card.md", WEIGHTS / "scores.json"
MEASURES = ("n", "truth_mean", "bias", "mae", "icc_a1")


def kept(evaluation: dict[str, Any]) -> dict[str, Any]:
    """What the card needs of one evaluation, with the hash of the weights it was made with."""
    return {
        **{k: evaluation[k] for k in ("network", "scenario", "first_seed", "patients", "displacement_mm", "profile")},
        "weights": evaluation["weights_sha256"],
        "dice": {k: v["dice"] for k, v in evaluation["dice_by_patient"].items()},
        "lesions": {m: {k: evaluation["lesion_measures"][m][k] for k in MEASURES} for m in WORDS},
    }  # fmt: skip


def networks_table() -> str:
    """One line a network: size, training and hash, as its weights file says."""
    lines = [
        "| network | parameters | presentations of a section | SHA-256 of the weights |",
        "|---|---|---|---|",
    ]
    for path in sorted(WEIGHTS.glob("*.safetensors"), key=lambda p: p.stem != served_name()):
        network, card = load_network(path.stem)
        shown = int(card.about["presentations"]) + int(card.about.get("presentations_before", 0))
        served = " (served)" if path.stem == served_name() else ""
        size = sum(p.numel() for p in network.parameters())
        lines.append(f"| `{path.stem}`{served} | {size:,} | {shown:,} | `{card.sha256}` |")
    return "\n".join(lines)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form).replace("-", "−")


def scores_table(scores: dict[str, Any]) -> str:
    """Dice and the total volume's ICC, one line an evaluation; two figures where the card gives two."""
    lines = [
        "| | Dice wall | lumen | plaque | plaque anywhere | total plaque volume ICC(A,1) |",
        "|---|---|---|---|---|---|",
    ]
    for key, s in scores["evaluations"].items():
        pairs = [
            f"{_number(s['dice'][k], '.3f')} / {_number(s['dice'][f'{k}_measured'], '.3f')}"
            for k in ("wall", "lumen", "plaque")
        ]
        cells = [*pairs, _number(s["dice"]["plaque_anywhere"], ".3f")]
        cells.append(_number(s["lesions"]["total_plaque_volume"]["icc_a1"], ".3f"))
        name = f"`{s['network']}`, {s['scenario']} (seeds {s['first_seed']}–{s['first_seed'] + s['patients'] - 1})"
        if key == scores["test"]:
            name, cells = f"**{name}**", [f"**{c}**" for c in cells]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def lesions_table(scores: dict[str, Any]) -> str:
    """Per-lesion agreement of the served network on `tree_test` and, beside, on phantoms of another generator."""
    lines = [
        "| | n | truth | bias | mean error | ICC(A,1) | other generator: n | bias | ICC(A,1) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for metric, words in WORDS.items():
        ours, other = (
            scores["evaluations"][scores["test"]]["lesions"][metric],
            scores["other_generator"][metric],
        )
        cells = [str(ours["n"]), _number(ours["truth_mean"], ".1f"), _number(ours["bias"], "+.2f")]
        cells += [_number(ours["mae"], ".2f"), _number(ours["icc_a1"], ".3f"), str(other["n"])]
        cells += [_number(other["bias"], "+.2f"), _number(other["icc_a1"], ".3f")]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def filled(text: str, tables: dict[str, str]) -> str:
    """The card with each part between its two markers replaced."""
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, found = pattern.subn(lambda m, table=table: m[1] + table + "\n" + m[2], text)
        if found != 1:
            raise ValueError(
                f"{CARD.name} needs exactly one pair of markers '<!-- {name} -->' and '<!-- end -->'"
            )
    return text


def card(text: str, scores: dict[str, Any]) -> str:
    """The model card with today's weights and these scores in its tables."""
    tables = {
        "networks": networks_table(),
        "scores": scores_table(scores),
        "lesions": lesions_table(scores),
    }
    return filled(text, tables)


def main() -> None:
    """Read the evaluations, keep their scores, and fill the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("evaluations", nargs="*", type=Path)
    options = parser.parse_args()
    before: dict[str, Any] = json.loads(SCORES.read_text()) if SCORES.exists() else {"evaluations": {}}
    hashes = {p.stem: load_network(p.stem)[1].sha256 for p in WEIGHTS.glob("*.safetensors")}
    evaluations = {k: v for k, v in before["evaluations"].items() if v["weights"] == hashes.get(v["network"])}
    for path in options.evaluations:
        found = kept(json.loads(path.read_text()))
        evaluations[f"{found['network']} {found['scenario']}"] = found
    other = before.get("other_generator")
    if OTHER.exists():
        other = {m: {k: v[k] for k in MEASURES} for m, v in other_generator()[0].items()}
    opened = next(s for s in SHOWN if f"{served_name()} {s}" in evaluations)
    test = f"{served_name()} {opened}"
    scores = {"test": test, "evaluations": evaluations, "other_generator": other}
    text = card(CARD.read_text(), scores)
    SCORES.write_text(json.dumps(scores, indent=1) + "\n")
    CARD.write_text(text)
    print(f"written: {SCORES.name}, {CARD.name}")


if __name__ == "__main__":
    main()
