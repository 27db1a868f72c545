"""A report is valid DICOM, reads back to the same numbers, and names segments and images as it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import pydicom
import pytest
from pydicom.sr.codedict import codes

from inference.composition_profiles import PROFILES
from inference.dicom.agreement import lesion_agreement
from inference.dicom.codes import CONCEPTS, METRICS, PATHS, SITES, UNITS, dictionary
from inference.dicom.labels import voxelise
from inference.dicom.reading import read_report
from inference.dicom.report import make_report
from inference.dicom.segmentation import make_segmentation
from inference.dicom.segments import segments_of
from inference.dicom.voxels import Grid
from inference.errors import DicomObjectError
from inference.quantification import Lesion, Measurement, VesselRead, quantify, roll_up
from inference.scan import read_series, read_source
from inference.straightening import StraightenedVessel
from inference.vocabulary import SEGMENTS, VESSELS
from inference.vocabulary import UNITS as METRIC_UNITS
from tests.inference.dicom.cases import diseased, errors_of, grid_around, making, write_series

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[list[Measurement], Path]]:
    """Write segmentation and report of a table; a folder for each call."""
    vessel, read = diseased()
    # A second lesion whose extent holds no plaque has rows but no segment.
    read = replace(read, lesions=(*read.lesions, Lesion(2, 30.0, 33.0)))
    drawn, _ = grid_around(vessel)
    folder = write_series(
        tmp_path_factory.mktemp("scan") / "ct", drawn, identity={"SeriesDescription": "SIMULATED"}
    )
    volume = read_series(folder)
    source = read_source(folder, volume)

    def write(
        profile: str = "corrected",
        variant: str = "plaque",
        change: Callable[[list[Measurement]], list[Measurement]] = list,
        of: tuple[StraightenedVessel, VesselRead] = (vessel, read),
        **how: Any,
    ) -> tuple[list[Measurement], Path]:
        table = quantify(*of, PROFILES[profile], variant=variant)
        rows = change([*table, *roll_up([table], PROFILES[profile])] if variant == "plaque" else table)
        made = making(source.series_uid, **how)
        segments = segments_of([voxelise(*of, PROFILES[profile], Grid.of(volume))], rows, made)
        segmentation = make_segmentation(source, segments, made)
        out = tmp_path_factory.mktemp("out")
        segmentation.save_as(out / "segmentation.dcm", enforce_file_format=True)
        report = make_report(source, segmentation, segments, rows, made)
        report.save_as(out / "report.dcm", enforce_file_format=True)
        return rows, out

    return write


@pytest.mark.parametrize(
    ("profile", "variant"),
    [("corrected", "plaque"), ("qangio", "plaque"), ("adaptive", "plaque"), ("fixed", "wall_minus_lumen")],
)
def test_it_is_valid_and_reads_back_to_the_same_numbers(
    written: Callable[..., Any], profile: str, variant: str, dciodvfy: str
) -> None:
    rows, out = written(profile, variant)
    assert errors_of(dciodvfy, out / "report.dcm") == []
    found = read_report(out / "report.dcm")
    assert len(found.measurements) == len(rows)
    assert set(found.measurements) == set(rows)
    assert {m.level for m in rows} >= {"lesion", "segment", "vessel"}
    assert found.algorithm == ("Plaquelab unet_2_5d", "0.2.0")
    assert found.parameters == {"weights_sha256": "ab" * 32, "profile": "fixed/1"}
    assert found.simulated


def test_paths_and_segments_outside_the_scheme_read_back(written: Callable[..., Any], dciodvfy: str) -> None:
    vessel, read = diseased()
    names = ("",) * 20 + ("äußerer Ast",) * (vessel.sections - 20)
    rows, out = written(of=(replace(vessel, vessel="AM", segment=names), replace(read, vessel="AM")))
    assert {(m.vessel, m.segment) for m in rows} >= {("AM", ""), ("AM", "äußerer Ast"), ("RCA", "")}
    assert errors_of(dciodvfy, out / "report.dcm") == []
    assert set(read_report(out / "report.dcm").measurements) == set(rows)


def test_what_was_not_measurable_stays_so(written: Callable[..., Any], dciodvfy: str) -> None:
    def without(rows: list[Measurement]) -> list[Measurement]:
        gone = ("diameter_stenosis", "cadrads", "reference_luminal_area", "pericoronary_fat_attenuation")
        return [replace(m, value=None, low=None, high=None) if m.metric in gone else m for m in rows]

    rows, out = written(change=without)
    assert errors_of(dciodvfy, out / "report.dcm") == []
    found = read_report(out / "report.dcm").measurements
    assert set(found) == set(rows)
    assert sum(m.value is None for m in found) >= 6


def test_lesions_share_their_tracking_with_the_segmentation(written: Callable[..., Any]) -> None:
    _, out = written()
    seg, found = pydicom.dcmread(out / "segmentation.dcm"), read_report(out / "report.dcm")
    assert found.segmentation_uid == seg.SOPInstanceUID
    tracked = {x.TrackingUID: x.SegmentNumber for x in seg.SegmentSequence}
    row = ("lesion", "LAD", "pLAD", 1)
    assert found.tracking[row][0] == "LAD lesion 1"
    assert found.segments == {row: tracked[found.tracking[row][1]]}
    assert ("lesion", "LAD", "pLAD", 2) in found.tracking
    assert len({uid for _, uid in found.tracking.values()}) == len(found.tracking)


def test_other_software_reads_it(written: Callable[..., Any]) -> None:
    rows, out = written()
    seg = pydicom.dcmread(out / "segmentation.dcm")
    report = highdicom.sr.srread(out / "report.dcm")
    assert isinstance(report, highdicom.sr.Comprehensive3DSR)
    (lesion,) = report.content.get_volumetric_roi_measurement_groups()
    assert lesion.referenced_segment.referenced_sop_instance_uid == seg.SOPInstanceUID
    (volume,) = lesion.get_measurements(name=CONCEPTS["total_plaque_volume"].name)
    (row,) = [m for m in rows if m.level == "lesion" and m.lesion == 1 and m.metric == "total_plaque_volume"]
    assert volume.value == row.value
    assert volume.unit == codes.UCUM.CubicMillimeter
    assert [x.topographical_modifier for x in lesion.finding_sites] == [None]
    assert lesion.finding_sites[0].value.value == "68787002"
    others = report.content.get_image_measurement_groups()
    assert len(others) == len({(m.level, m.vessel, m.segment, m.lesion) for m in rows}) - 1
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert len(evidence[0].ReferencedSOPSequence) == len(
        seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    )
    assert evidence[1].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == seg.SOPInstanceUID


def test_it_carries_no_more_identity_and_says_what_it_is_for(written: Callable[..., Any]) -> None:
    _, out = written()
    report = pydicom.dcmread(out / "report.dcm")
    text = str(report)
    for other in ("HOSPITAL", "REFERRER", "Maker"):
        assert other not in text
    comment = report.ContentSequence[-1].TextValue
    assert comment.startswith("For research use only; not for diagnosis or treatment. Simulated scan")
    assert report.SeriesDescription.startswith("SIMULATED")
    assert report.ContentQualification == "RESEARCH"
    assert report.PatientID == "ID-1"


def test_the_files_alone_tell_how_volumes_agree(written: Callable[..., Any]) -> None:
    _, out = written()
    (one,) = lesion_agreement(out / "segmentation.dcm", out / "report.dcm")
    assert (one.vessel, one.lesion) == ("LAD", 1)
    assert one.contours_mm3 > 100
    assert abs(one.error_percent) < 1
    assert lesion_agreement(out / "segmentation.dcm", out / "report.dcm", least_mm3=1e4) == []
    _, other = written(content_sha256="00" * 32)
    with pytest.raises(DicomObjectError, match="of another segmentation"):
        lesion_agreement(other / "segmentation.dcm", out / "report.dcm")


def test_what_cannot_be_written_or_read_says_why(written: Callable[..., Any], tmp_path: Path) -> None:
    _, out = written()
    for wrong, code in ((tmp_path / "none.dcm", "not-dicom"), (out / "segmentation.dcm", "not-a-report")):
        with pytest.raises(DicomObjectError, match=wrong.name) as error:
            read_report(wrong)
        assert error.value.code == code
    report = pydicom.dcmread(out / "report.dcm")
    group = next(x for x in report.ContentSequence if x.ConceptNameCodeSequence[0].CodeValue == "126010")
    number = next(x for x in group.ContentSequence[0].ContentSequence if x.ValueType == "NUM")
    number.ConceptNameCodeSequence[0].CodeValue = "OTHER"
    report.save_as(tmp_path / "other.dcm")
    with pytest.raises(DicomObjectError, match="OTHER"):
        read_report(tmp_path / "other.dcm")
    with pytest.raises(DicomObjectError, match="no measurements"):
        written(change=lambda rows: [])
    with pytest.raises(DicomObjectError, match="mystery has no code"):
        written(change=lambda rows: [replace(rows[0], metric="mystery")])
    with pytest.raises(DicomObjectError, match="profiles"):
        written(change=lambda rows: [replace(rows[0], profile="mystery")])


def test_every_metric_unit_segment_and_path_has_one_code() -> None:
    assert set(CONCEPTS) == set(METRIC_UNITS)
    assert len(METRICS) == len(CONCEPTS)
    assert set(METRIC_UNITS.values()) - {"category"} == set(UNITS)
    assert {x.short for x in SEGMENTS} == set(SITES)
    assert set(PATHS) == set(VESSELS)
    assert len({x.value for x in SITES.values()}) == len(SITES)
    assert len({x.value for x in PATHS.values()}) == len(PATHS)


def test_the_dictionary_is_published_and_its_codes_fit() -> None:
    own = dictionary()
    assert len({x.value for x in own}) == len(own)
    assert all(len(x.value) <= 16 and len(x.meaning) <= 64 and x.meaning.isascii() for x in own)
    text = (ROOT / "docs" / "dicom.md").read_text()
    assert [x.value for x in own if f"| `{x.value}` | {x.meaning} |" not in text] == []
