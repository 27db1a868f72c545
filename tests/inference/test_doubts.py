"""Doubts: what each says, and that JSON keeps it."""

from __future__ import annotations

import json

import pytest

from inference.doubts import DOUBTS, Doubt


@pytest.mark.parametrize(
    "doubt",
    [
        Doubt("dominance_unknown"),
        Doubt("not_found", "RCA", detail="It was looked for in the groove."),
        Doubt("scales_disagree", "LAD", 2, start_mm=12.0, end_mm=24.5, measure=31.0),
        Doubt("unexplained_vessel", place=(1.0, -20.5, 30.0), measure=42.0),
    ],
    ids=lambda doubt: doubt.code,
)
def test_json_keeps_a_doubt(doubt: Doubt) -> None:
    kept = json.loads(json.dumps(doubt.to_dict()))
    assert kept["message"] == doubt.message
    assert Doubt.from_dict(kept) == doubt


def test_a_doubt_says_where_and_how_much() -> None:
    doubt = Doubt("scales_disagree", "LAD", 2, start_mm=12.0, end_mm=24.4, measure=31.0)
    assert doubt.message.startswith("LAD, lesion 2, 12–24 mm: Seen smaller")
    assert doubt.message.endswith("correct it (31 %).")
    assert Doubt("dominance_unknown").message == DOUBTS["dominance_unknown"].sentence
    lies = Doubt("unexplained_vessel", place=(1.0, -20.4, 30.0)).message
    assert lies.startswith("at x 1, y -20, z 30 mm: ")


def test_every_kind_is_a_sentence() -> None:
    for code, kind in DOUBTS.items():
        assert kind.sentence[0].isupper(), code
        assert kind.sentence.endswith("."), code


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"code": "odd"}, "not a code"),
        ({"code": "not_found", "vessel": "XYZ"}, "is not one of"),
        ({"code": "stent_near", "lesion": 1}, "of a vessel"),
        ({"code": "stent_near", "vessel": "LAD", "start_mm": 3.0}, "both ends"),
        ({"code": "stent_near", "vessel": "LAD", "start_mm": 3.0, "end_mm": 2.0}, "not a stretch"),
    ],
)
def test_what_is_no_doubt_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Doubt.from_dict(fields)
