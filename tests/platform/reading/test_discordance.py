"""The charter's discordance rule, case by case, at its limits."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import pytest

from plaquelab.reading.charter import DiscordanceRule, read_design
from plaquelab.reading.discordance import ReadSummary, compare, describe
from plaquelab.reading.errors import AssignmentError


def read(volume: float = 300.0, stage: str = "2", **cadrads: str) -> ReadSummary:
    return ReadSummary(volume, {"": "2", "LAD": "2", "LCx": "0", "RCA": "1", **cadrads}, stage)


@pytest.mark.parametrize(
    ("a", "b", "discordant"),
    [
        (300.0, 385.0, False),  # 25 % of the mean is 85.6: below; 85 mm³: below
        (300.0, 390.0, False),  # 90 mm³ is not more than 90
        (300.0, 391.0, True),  # 26 % and 91 mm³
        (1000.0, 1250.0, False),  # 250 mm³, but 22 %
        (1000.0, 1285.7, False),  # 25.0 % of the mean is not more than 25 %
        (1000.0, 1286.0, True),
        (0.0, 60.0, False),  # 200 %, but only 60 mm³
        (0.0, 90.5, True),
    ],
)
def test_volume_needs_both_limits(a: float, b: float, discordant: bool) -> None:
    for left, right in ((a, b), (b, a)):
        items = compare(read(left), read(right), DiscordanceRule(plaque_stage=False))
        assert [item.rule for item in items] == (["total_plaque_volume"] if discordant else [])


@pytest.mark.parametrize(
    ("a", "b", "limit"),
    [
        ("0", "2", None),
        ("1", "2", None),
        ("2", "3", 50.0),
        ("1", "4", 50.0),
        ("3", "4", 70.0),
        ("3", "4A", 70.0),
        ("4A", "4B", None),
        ("4", "5", None),
        ("N", "N", None),
        ("N", "3", "diagnostic"),
    ],
)
def test_cadrads_on_different_sides(a: str, b: str, limit: float | str | None) -> None:
    items = compare(read(LCx=a), read(LCx=b), DiscordanceRule())
    if limit is None:
        assert items == []
        return
    (item,) = items
    assert (item.rule, item.level, item.territory) == ("cadrads", "territory", "LCx")
    assert item.limit == (None if limit == "diagnostic" else limit)


def test_a_territory_without_rows_has_no_lesion() -> None:
    a, b = read(RCA="3"), ReadSummary(300.0, {"": "2", "LAD": "2", "LCx": "0"}, "2")
    (item,) = compare(a, b, DiscordanceRule())
    assert (item.territory, item.a, item.b) == ("RCA", "3", "0")


def test_stage_counts_only_where_the_charter_says_so() -> None:
    a, b = read(249.0, "1"), read(251.0, "2")
    assert [item.rule for item in compare(a, b, DiscordanceRule())] == ["plaque_stage"]
    assert compare(a, b, DiscordanceRule(plaque_stage=False)) == []


def test_sides_hide_who_is_who() -> None:
    (item,) = compare(read(100.0), read(300.0), DiscordanceRule(plaque_stage=False))
    straight, swapped = describe(asdict(item), swapped=False), describe(asdict(item), swapped=True)
    assert (straight["a"], straight["b"]) == (100.0, 300.0)
    assert (swapped["a"], swapped["b"]) == (300.0, 100.0)
    assert (
        swapped["text"]
        == "Total plaque volume: A 300.0 mm³, B 100.0 mm³ (difference 200.0 mm³, 100 % of the mean)"
    )


def test_the_charter_is_read_with_its_defaults_and_refused_when_impossible() -> None:
    design = read_design(SimpleNamespace(rules={"profile": "fixed", "discordance": {"volume_mm3": 40}}))  # type: ignore[arg-type]
    assert (design.profile, design.readers, design.saw_network) == ("fixed", 2, False)
    assert design.discordance == DiscordanceRule(volume_mm3=40.0)
    assert read_design(SimpleNamespace(rules={"start_from": "blank"})).start_from == "threshold"  # type: ignore[arg-type]
    for rules in ({"start_from": "truth"}, {"readers": 3}):
        with pytest.raises(AssignmentError):
            read_design(SimpleNamespace(rules=rules))  # type: ignore[arg-type]
