"""Segmentation and report of a drawn vessel in real, de-identified series of four vendors: valid, in place, to the volume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.analysis import Analysis
from inference.composition_profiles import PROFILES
from inference.dicom import export, lesion_agreement, read_report
from inference.quantification import measure, roll_up_records
from inference.scan import read_series, read_source
from tests import servers
from tests.inference.dicom.cases import diseased, errors_of

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
SERIES = (
    "ge_ctpa_rider_pilot",
    "siemens_chest_cptac_pda",
    "toshiba_abdomen_tcga_ov",
    "philips_neck_tcga_thca",
)
VERSIONS = dict.fromkeys(("model", "weights_sha256", "volume_sha256", "settings_sha256"), "ab" * 20)


@pytest.mark.parametrize("name", SERIES)
def test_a_drawn_vessel_is_written_where_it_lies(name: str, tmp_path: Path) -> None:
    folder = REAL / name / "dicom"
    volume = read_series(folder)
    vessel, read = diseased()
    middle = volume.to_patient((np.array(volume.hu.shape[::-1]) - 1) / 2)
    vessel = replace(vessel, centre=vessel.centre - vessel.centre.mean(0) + middle)
    records = (measure(vessel, read, PROFILES["fixed"]),)
    rolled = tuple(roll_up_records(records))
    analysis = Analysis((vessel,), (read,), records, rolled, {}, {**VERSIONS, "profile": "fixed/1"})
    export(analysis, volume, read_source(folder, volume)).save(tmp_path)
    dciodvfy = servers.ensure(["dciodvfy"])["dciodvfy"]
    assert errors_of(dciodvfy, tmp_path / "segmentation.dcm") == []
    assert errors_of(dciodvfy, tmp_path / "report.dcm") == []
    assert set(read_report(tmp_path / "report.dcm").measurements) == set(analysis.measurements)
    (lesion,) = lesion_agreement(tmp_path / "segmentation.dcm", tmp_path / "report.dcm")
    assert abs(lesion.error_percent) <= 5
