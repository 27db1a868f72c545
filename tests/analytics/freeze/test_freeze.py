"""A freeze comes back as it was written, byte for byte; what is wrong is named."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import AnalyticsError
from analytics.freeze import TABLES, About, read_freeze, write_freeze
from analytics.freeze.schema import dictionary

ABOUT = About(study="Test study", made="2026-01-31", simulated=True, software={"platform": "1.0"})


def tables():
    return {
        "patients": {
            "patient": ["P1", "P2"],
            "site": ["A", "B"],
            "cohort": ["one", "one"],
            "purpose": ["test", "external_validation"],
            "excluded": [False, True],
            "exclusion_reason": [None, "motion"],
            "image_quality": [4, None],
            "age": [61.5, None],
        },
        "lesion_pairs": {
            "pair": ["network_expert"] * 3,
            "extents": ["own"] * 3,
            "match": ["matched", "first_only", "second_only"],
            "patient": ["P1"] * 3,
            "vessel": ["LAD", "LAD", "RCA"],
            "segment": [6, 7, None],
            "first_lesion": [1, 2, None],
            "second_lesion": [1, None, 1],
            "total_plaque_volume_first": [100.25, 12.3, 0],
            "total_plaque_volume_second": [101.0, 0, 5.5],
        },
        "outcomes": {
            "patient": ["P1", "P1", "P2"],
            "event": ["myocardial_infarction", "end_of_follow_up", "end_of_follow_up"],
            "years": [1.5, 4.5, 5.0],
        },
    }


@pytest.fixture
def folder(tmp_path):
    write_freeze(tables(), ABOUT, tmp_path / "freeze")
    return tmp_path / "freeze"


def test_comes_back_as_written(folder):
    freeze = read_freeze(folder)
    freeze.verify()
    lesions = freeze.table("lesion_pairs")
    assert lesions["total_plaque_volume_second"].tolist() == [101.0, 0.0, 5.5]
    assert lesions["second_lesion"].isna().tolist() == [False, True, False]
    assert lesions["vessel"].tolist() == ["LAD", "LAD", "RCA"]
    assert "calcified_plaque_volume_first" not in lesions, "a metric that was not measured has no column"
    patients = freeze.table("patients")
    assert patients["excluded"].dtype == bool
    assert patients["vendor"].isna().all(), "an optional column that was not given is null"
    assert freeze.simulated
    assert freeze.about == ABOUT
    assert not freeze.has("markers")
    assert len(freeze.table("markers")) == 0


def test_same_content_gives_the_same_bytes(folder, tmp_path):
    again = write_freeze(tables(), ABOUT, tmp_path / "again")
    assert again == read_freeze(folder).hash
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_another_value_gives_another_hash(folder, tmp_path):
    changed = tables()
    changed["lesion_pairs"]["total_plaque_volume_first"][0] += 1e-9
    assert write_freeze(changed, ABOUT, tmp_path / "changed") != read_freeze(folder).hash


def test_whole_numbers_and_flags_are_stored_as_such(folder):
    stored = pq.read_schema(folder / "lesion_pairs.parquet")
    assert str(stored.field("second_lesion").type) == "int64"
    assert str(pq.read_schema(folder / "patients.parquet").field("excluded").type) == "bool"
    assert pq.read_table(folder / "lesion_pairs.parquet")["second_lesion"].null_count == 1


@pytest.mark.parametrize(
    ("table", "column", "values", "message"),
    [
        ("patients", "colour", ["red", "red"], "Table patients: there is no column 'colour'"),
        ("patients", "age", [61, "sixty"], "Table patients: Column 'age', row 2: 'sixty' is not a number"),
        ("patients", "age", [61, -1], "Table patients: column 'age', row 2: -1 years lies below 0"),
        ("patients", "image_quality", [4, 7], "column 'image_quality', row 2: 7 lies above 5"),
        ("patients", "image_quality", [4, 2.5], "row 2: 2.5 is not a whole number"),
        ("patients", "excluded", [0, 3], "column 'excluded', row 2: 3 is not yes or no"),
        ("patients", "site", ["A", None], "column 'site', row 2: the cell is empty"),
        ("patients", "site", ["A", 7], "column 'site', row 2: 7 is a int, not a text"),
        ("patients", "purpose", ["test", "fun"], "'fun' is none of training"),
        ("patients", "patient", ["P1", "P1"], "Table patients, row 2: a second row with the same key"),
        ("patients", "cohort", ["one"], "columns differ in length"),
        ("lesion_pairs", "patient", ["P1", "P1", "P9"], "row 3: 'P9' is not in the table patients"),
        ("lesion_pairs", "second_lesion", [1, 2, 1], "row 2: the match says first_only"),
        ("lesion_pairs", "diameter_stenosis_first", [1, 2, 101], "row 3: 101 % lies above 100"),
        ("lesion_pairs", "lesion_length_first", [1, float("inf"), 1], "row 2: the value is infinite"),
        (
            "outcomes",
            "years",
            [4.6, 4.5, 5],
            "row 1: the event 'myocardial_infarction' of 'P1' lies after the end",
        ),
        ("outcomes", "years", [-0.1, 4.5, 5], "row 1: -0.1 years lies below 0"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, table, column, values, message):
    content = tables()
    content[table][column] = values
    with pytest.raises(AnalyticsError) as caught:
        write_freeze(content, ABOUT, tmp_path / "freeze")
    assert message in str(caught.value)
    assert not (tmp_path / "freeze").exists(), "nothing half-written"


def test_missing_columns_and_tables_are_named(tmp_path):
    content = tables()
    del content["patients"]["site"]
    with pytest.raises(AnalyticsError, match="Table patients: the column 'site' is missing"):
        write_freeze(content, ABOUT, tmp_path / "freeze")
    with pytest.raises(AnalyticsError, match="The table patients is missing"):
        write_freeze({}, ABOUT, tmp_path / "freeze")
    with pytest.raises(AnalyticsError, match="There is no table 'lesions'"):
        write_freeze({**tables(), "lesions": {}}, ABOUT, tmp_path / "freeze")


def test_a_freeze_is_never_overwritten(folder):
    with pytest.raises(AnalyticsError, match="exists already"):
        write_freeze(tables(), ABOUT, folder)


def test_a_changed_table_or_manifest_is_found(folder):
    path = folder / "outcomes.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    freeze = read_freeze(folder)
    assert len(freeze.table("patients")) == 2, "the other tables are still good"
    with pytest.raises(AnalyticsError, match="changed after the freeze was made"):
        freeze.table("outcomes")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["about"]["simulated"] = False
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(AnalyticsError, match="manifest was changed"):
        read_freeze(folder)


def test_what_is_no_freeze_is_refused(tmp_path):
    with pytest.raises(AnalyticsError, match="no such file"):
        read_freeze(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(AnalyticsError, match="not the manifest"):
        read_freeze(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(AnalyticsError, match="not a JSON file"):
        read_freeze(tmp_path)


def test_pictures_belong_to_panels(tmp_path):
    content = tables() | {
        "panels": {"file": ["a.png"], "patient": ["P1"], "vessel": ["LAD"], "lesion": [1], "kind": ["vessel"]}
    }
    with pytest.raises(AnalyticsError, match=r"picture 'a.png' was not given"):
        write_freeze(content, ABOUT, tmp_path / "freeze")
    with pytest.raises(AnalyticsError, match=r"'b.png' is in no row"):
        write_freeze(content, ABOUT, tmp_path / "freeze", files={"a.png": b"1", "b.png": b"2"})
    write_freeze(content, ABOUT, tmp_path / "freeze", files={"a.png": b"1"})
    freeze = read_freeze(tmp_path / "freeze")
    assert freeze.panel("a.png") == b"1"
    (tmp_path / "freeze" / "panels" / "a.png").write_bytes(b"3")
    with pytest.raises(AnalyticsError, match="picture was changed"):
        freeze.panel("a.png")


def test_dates_must_be_iso():
    with pytest.raises(AnalyticsError, match="not ISO"):
        About(study="s", made="31.1.2026", simulated=False)


def test_every_column_is_described_with_a_unit_where_it_is_a_number():
    for name, table in dictionary().items():
        for column in table["columns"]:
            assert column["meaning"], (name, column)
    assert {c.unit for c in TABLES["lesion_pairs"].metric_columns() if "volume" in c.name} == {"mm³"}
    assert TABLES["lesion_pairs"].column("percent_atheroma_volume_first") is None, (
        "it does not exist for a lesion"
    )
    assert TABLES["patient_pairs"].column("percent_atheroma_volume_first") is not None


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(0, 1e6), st.integers(0, 2**40)), min_size=1, max_size=20)
)
def test_any_numbers_come_back_exactly(values, tmp_path_factory):
    out = tmp_path_factory.mktemp("freeze") / "f"
    names = [f"P{i}" for i in range(len(values))]
    patients = {
        "patient": names,
        "site": ["A"] * len(names),
        "cohort": ["c"] * len(names),
        "purpose": ["test"] * len(names),
        "excluded": [False] * len(names),
    }
    write_freeze(
        {"patients": patients, "markers": {"patient": names, "total_plaque_volume": values}}, ABOUT, out
    )
    back = read_freeze(out).table("markers")["total_plaque_volume"]
    expected = pd.Series([np.nan if v is None else float(v) for v in values])
    assert back.tolist() == pytest.approx(expected.tolist(), abs=0, nan_ok=True)
