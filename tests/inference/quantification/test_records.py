"""Records: the long table is made from them, and a table that holds the same makes the same records again."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from inference.composition_profiles import PROFILES
from inference.contours import THETA
from inference.quantification import (
    Lesion,
    LesionRecord,
    Measurement,
    StretchRecord,
    Value,
    VesselRead,
    VesselRecord,
    measure,
    quantify,
    records_of,
    roll_up,
    roll_up_records,
    value_of,
)
from inference.quantification.roll_up import STAYS_WITH_THE_LESION
from inference.vocabulary import METRICS
from tests.inference.quantification.solids import bent, tube, with_plaque


@pytest.fixture(scope="module")
def record() -> VesselRecord:
    vessel = bent(120, vessel="RCA")
    names = tuple("pRCA" if n < 60 else "mRCA" for n in range(120))
    half = np.pi > THETA
    contours = with_plaque(with_plaque(tube(120, 1.2, 1.6), 20, 40, 2.4, half), 70, 95, 2.0, half)
    lesions = (Lesion(1, 6.0, 12.0), Lesion(2, 21.0, 28.5))
    return measure(replace(vessel, segment=names), VesselRead("RCA", contours, lesions), PROFILES["qangio"])


def test_every_metric_has_its_field_in_the_records_of_its_levels() -> None:
    of_lesions, of_stretches, of_vessels = (
        {field.name for field in fields(kind)} for kind in (LesionRecord, StretchRecord, VesselRecord)
    )
    missing = []
    for metric in METRICS.values():
        if "lesion" in metric.levels and metric.name not in of_lesions:
            missing.append(f"LesionRecord.{metric.name}: a metric of lesions")
        held = of_stretches | of_vessels if metric.levels == ("vessel",) else of_stretches
        if set(metric.levels) - {"lesion"} and metric.name not in held:
            missing.append(f"StretchRecord.{metric.name}: a metric of {', '.join(metric.levels)}")
        rolls_up = metric.roll_up in ("highest", "lowest") and metric.name not in STAYS_WITH_THE_LESION
        if rolls_up and metric.name not in of_stretches:
            missing.append(f"StretchRecord.{metric.name}: its {metric.roll_up} lesion counts")
    assert not missing, "inference/quantification/records.py lacks " + "; ".join(missing)


def test_records_hold_metrics_of_the_vocabulary_alone() -> None:
    kinds = (LesionRecord, StretchRecord, VesselRecord)
    held = {field.name for kind in kinds for field in fields(kind) if field.type == "Value | None"}
    assert held - METRICS.keys() == set()


def test_rows_and_record_say_the_same(record: VesselRecord) -> None:
    rows = record.rows()
    assert records_of(rows) == [record]
    lesion = record.lesions[1]
    assert lesion.total_plaque_volume is not None
    (row,) = [r for r in rows if r.lesion == 2 and r.metric == "total_plaque_volume"]
    assert (row.value, row.low, row.high) == (
        lesion.total_plaque_volume.value,
        lesion.total_plaque_volume.low,
        lesion.total_plaque_volume.high,
    )
    assert row.low is not None
    assert row.low < float(row.value or 0) < (row.high or 0)


def test_every_row_has_a_metric_of_its_level_and_lesions_come_first(record: VesselRecord) -> None:
    rows = record.rows()
    assert rows[-1].metric == "pericoronary_fat_attenuation"
    levels = [row.level for row in rows[:-1]]
    assert levels == sorted(levels, key=["lesion", "vessel", "segment"].index)
    for row in rows:
        assert row.level in METRICS[row.metric].levels
        assert row.unit == METRICS[row.metric].unit
    first = [r.metric for r in rows if r.lesion == 1]
    assert first[:4] == ["lesion_start", "lesion_end", "lesion_length", "total_plaque_volume"]
    assert first[-2:] == ["cadrads", "high_risk_features"]


def test_four_classes_make_rows_where_the_profile_tells_them_apart(record: VesselRecord) -> None:
    four = {"necrotic_core_volume", "fibrofatty_volume", "fibrous_volume", "dense_calcium_volume"}
    assert four <= {r.metric for r in record.rows()}
    two = quantify(bent(120), VesselRead("LAD", tube(120, 1.2, 1.6)), PROFILES["fixed"])
    assert not four & {r.metric for r in two}


def test_the_patient_follows_from_records_as_from_rows(record: VesselRecord) -> None:
    rolled = roll_up_records([record])
    assert [(r.level, r.vessel) for r in rolled] == [("territory", "RCA"), ("patient", "")]
    rows = [row for r in rolled for row in r.rows("qangio")]
    assert rows == roll_up([record.rows()], PROFILES["qangio"])
    assert record.whole is not None
    assert rolled[1].total_plaque_volume == record.whole.total_plaque_volume


def test_a_table_from_elsewhere_may_hold_less_and_more() -> None:
    rows = [
        Measurement("lesion", "LAD", "", 3, "diameter_stenosis", 62.0, "%"),
        Measurement("lesion", "LAD", "", 3, "percent_atheroma_volume", 20.0, "%"),
        Measurement("territory", "LAD", "", None, "diameter_stenosis", 99.0, "%"),
    ]
    (found,) = records_of(rows)
    assert found == VesselRecord(
        vessel="LAD",
        profile="",
        lesions=(LesionRecord(vessel="LAD", segment="", number=3, diameter_stenosis=Value(62.0)),),
    )
    territory, patient = roll_up_records([found])
    assert (territory.vessel, territory.diameter_stenosis, territory.cadrads) == (
        "LAD",
        Value(62.0),
        Value("3"),
    )
    assert (patient.diameter_stenosis, patient.total_plaque_volume) == (Value(62.0), None)


def test_what_a_record_does_not_hold_is_not_measurable() -> None:
    record = StretchRecord(level="vessel", vessel="LM", cadrads=Value("5"))
    assert value_of(record, "cadrads").number is None
    assert value_of(record, "total_plaque_volume") == Value(None)
    assert value_of(record, "level") == Value(None)
