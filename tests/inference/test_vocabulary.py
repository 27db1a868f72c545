"""The field's words: what the table of metrics says is what the measurements are."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from inference.composition_profiles import PROFILES
from inference.contours import ANGLES
from inference.errors import QuantificationError
from inference.quantification import Lesion, Measurement, VesselRead, quantify, roll_up
from inference.vocabulary import METRICS, SEGMENTS, TERRITORIES, UNITS, Coded, Metric, territory_of
from tests.inference.quantification.solids import bent, tube, with_plaque


@pytest.fixture(scope="module")
def rows() -> list[Measurement]:
    """Every row of a diseased LAD and what rolls up from it, with three classes and with four."""
    vessel = bent(200)
    contours = with_plaque(tube(200, 1.5, 1.9), 60, 120, 2.6, np.ones(ANGLES, bool))
    read = VesselRead("LAD", contours, (Lesion(1, 18.0, 36.0),))
    found = []
    for name in ("fixed", "qangio"):
        measured = quantify(vessel, read, PROFILES[name])
        found += [*measured, *roll_up([measured], PROFILES[name])]
    return found


def test_every_metric_is_measured_at_the_levels_it_names_and_no_other_is(rows: list[Measurement]) -> None:
    levels: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        levels[row.metric].add(row.level)
    for metric in METRICS.values():
        assert levels.pop(metric.name, set()) == set(metric.levels), f"{metric.name}: where it is measured"
    assert not levels


def test_stored_units_and_classes_are_those_of_the_table(rows: list[Measurement]) -> None:
    assert {row.metric: row.unit for row in rows} == UNITS
    three = {row.metric for row in rows if row.profile == "fixed"}
    assert {name for name in METRICS if name not in three} == {
        m.name for m in METRICS.values() if m.four_classes
    }


def test_a_ratio_of_the_patient_is_the_ratio_of_the_sums_that_it_names(rows: list[Measurement]) -> None:
    patient = {row.metric: row.value for row in rows if row.level == "patient" and row.profile == "fixed"}
    for metric in METRICS.values():
        if metric.ratio:
            part, whole = (patient[name] for name in metric.ratio)
            assert patient[metric.name] == pytest.approx(100 * part / whole, rel=1e-12)
            assert patient[metric.name] > 0 or "calcified" in metric.name or "low" in metric.name
    with pytest.raises(ValueError, match="divided by what"):
        Metric("odd", "Odd", "Odd", "%", 1, Coded("X", "DCM", "x"), roll_up="ratio")


def test_labels_are_different_and_ri_is_the_ramus_alone() -> None:
    for words in ([m.label for m in METRICS.values()], [m.short for m in METRICS.values()]):
        assert len(set(words)) == len(words)
    assert [s.number for s in SEGMENTS if s.short == "RI"] == [17]
    assert not {m.short for m in METRICS.values()} & {s.short for s in SEGMENTS}
    assert METRICS["remodelling_index"].heading == "Remodelling index"
    assert METRICS["minimal_luminal_area"].heading == "Minimal luminal area (mm²)"


def test_territories_of_segments_and_vessels() -> None:
    assert {s.short: s.territory for s in SEGMENTS if s.artery == "LM"} == {"LM": "LAD"}
    assert {s.territory for s in SEGMENTS} == set(TERRITORIES)
    assert (territory_of("RI"), territory_of("AM"), territory_of("L-PDA")) == ("LCx", "RCA", "LCx")
    with pytest.raises(QuantificationError, match="RPDA"):
        territory_of("RPDA")
