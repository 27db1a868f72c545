"""A segmentation is valid DICOM, lies on the CT's grid, and carries no more identity than its series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from scipy.spatial.transform import Rotation

from inference.composition_profiles import PROFILES
from inference.dicom.labels import voxelise
from inference.dicom.making import Making
from inference.dicom.segmentation import make_segmentation
from inference.dicom.segments import Segment, segments_of
from inference.dicom.voxels import Grid
from inference.errors import DicomObjectError
from inference.quantification import VesselRead, quantify
from inference.scan import SourceSeries, Volume, read_series, read_source
from inference.straightening import StraightenedVessel
from tests.inference.dicom.cases import diseased, errors_of, grid_around, making, write_series

TURNS = {
    "axial": Rotation.identity(),
    "prone": Rotation.from_euler("z", 180, degrees=True),
    "head first": Rotation.from_euler("y", 180, degrees=True),
    "coronal": Rotation.from_euler("x", 90, degrees=True),
    "oblique": Rotation.from_euler("xyz", [20, -35, 70], degrees=True),
}
DEIDENTIFIED = {
    "PatientName": "",
    "PatientID": "",
    "PatientBirthDate": "",
    "PatientSex": "",
    "StudyDate": None,
    "StudyTime": None,
    "StudyID": None,
    "AccessionNumber": None,
    "ReferringPhysicianName": None,
    "InstitutionName": None,
    "FrameOfReferenceUID": "",
    "SOPInstanceUID": "",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "Basic profile",
}


@dataclass(frozen=True)
class Case:
    folder: Path
    volume: Volume
    vessel: StraightenedVessel
    read: VesselRead
    source: SourceSeries
    segments: list[Segment]
    made: Dataset
    path: Path


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Case]:
    """Write a CT series, read it back, and write the segmentation of the one diseased vessel in it."""

    def built(turn: str = "axial", how: Making | None = None, **options: object) -> Case:
        vessel, read = diseased()
        drawn, _ = grid_around(vessel, (0.4, 0.43, 0.5), TURNS[turn])
        folder = write_series(tmp_path / "ct", drawn, **options)  # type: ignore[arg-type]
        volume = read_series(folder)
        source = read_source(folder, volume)
        found = voxelise(vessel, read, PROFILES["fixed"], Grid.of(volume))
        rows = quantify(vessel, read, PROFILES["fixed"])
        segments = segments_of([found], rows, how or making(source.series_uid))
        made = make_segmentation(source, segments, how or making(source.series_uid))
        made.save_as(tmp_path / "segmentation.dcm", enforce_file_format=True)
        path = tmp_path / "segmentation.dcm"
        return Case(folder, volume, vessel, read, source, segments, made, path)

    return built


@pytest.mark.parametrize("turn", TURNS)
def test_it_is_valid_and_lies_inside_the_contours(
    build: Callable[..., Case], turn: str, dciodvfy: str
) -> None:
    case = build(turn, from_top=turn == "head first")
    assert errors_of(dciodvfy, case.path) == []
    seg = highdicom.seg.segread(case.path)
    (number,) = seg.get_segment_numbers(segment_label="LAD lesion 1")
    found = seg.get_volume(segment_numbers=[number], combine_segments=True)
    rows = quantify(case.vessel, case.read, PROFILES["fixed"])
    (total,) = [r.value for r in rows if r.metric == "total_plaque_volume" and r.level == "lesion"]
    voxel = np.prod(found.spacing)
    assert (found.array > 0).sum() * voxel == pytest.approx(total, rel=0.01)
    lps = found.map_indices_to_reference(np.argwhere(found.array > 0))
    section, u, v = case.vessel.from_patient(lps)
    near = 0.5 * np.linalg.norm(case.volume.spacing_mm)
    assert (np.hypot(u, v) > 1.5 - near).all()
    assert (np.hypot(u, v) < 3.0 + near).all()
    assert (v > -near).all()
    assert section.min() == pytest.approx(30, abs=3)
    assert section.max() == pytest.approx(90, abs=3)


def test_each_frame_is_tied_to_its_ct_image(build: Callable[..., Case]) -> None:
    case = build("oblique", from_top=True)
    images = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, case.folder.iterdir())}
    seg = pydicom.dcmread(case.path)
    assert (seg.Rows, seg.Columns) == case.volume.hu.shape[1:]
    assert {x.FrameOfReferenceUID for x in images.values()} == {seg.FrameOfReferenceUID}
    for frame in seg.PerFrameFunctionalGroupsSequence:
        image = images[frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID]
        np.testing.assert_allclose(
            frame.PlanePositionSequence[0].ImagePositionPatient, image.ImagePositionPatient, atol=1e-6
        )
    named = seg.ReferencedSeriesSequence[0]
    assert {x.ReferencedSOPInstanceUID for x in named.ReferencedInstanceSequence} == set(images)
    pixels = seg.pixel_array
    assert len(pixels) == seg.NumberOfFrames
    assert pixels.any(axis=(1, 2)).all()


def test_segments_are_named_coded_and_tracked(build: Callable[..., Case]) -> None:
    case = build()
    items = list(case.made.SegmentSequence)
    assert [x.SegmentLabel for x in items] == [
        "Lumen",
        "Vessel wall",
        "Calcified plaque",
        "Non-calcified plaque",
        "LAD lesion 1",
    ]
    assert [x.SegmentNumber for x in items] == list(range(1, len(items) + 1))
    assert len({x.TrackingUID for x in items}) == len(items)
    modifiers = [
        x.SegmentedPropertyTypeCodeSequence[0].get("SegmentedPropertyTypeModifierCodeSequence", [None])[0]
        for x in items
    ]
    assert [m.CodeValue if m else None for m in modifiers] == [None, None, "18115005", "17589002", None]
    assert items[-1].AnatomicRegionSequence[0].CodeValue == "68787002"  # proximal LAD
    algorithm = items[-1].SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == "Plaquelab unet_2_5d"
    assert "weights_sha256=" + "ab" * 32 in algorithm.AlgorithmParameters
    assert items[-1].SegmentAlgorithmType == "AUTOMATIC"


def test_it_says_that_it_is_for_research(build: Callable[..., Case]) -> None:
    case = build()
    assert case.made.ContentLabel == "RESEARCH"
    assert case.made.ContentQualification == "RESEARCH"
    assert "research use only" in case.made.ContentDescription
    assert "SIMULATED" not in case.made.SeriesDescription


def test_a_simulated_series_stays_marked(build: Callable[..., Case]) -> None:
    case = build(identity={"SeriesDescription": "SIMULATED CCTA"})
    assert case.made.SeriesDescription.startswith("SIMULATED")
    assert case.made.ContentDescription.startswith("SIMULATED")


def test_identity_is_the_series_own_and_no_more(build: Callable[..., Case], dciodvfy: str) -> None:
    case = build()
    assert case.made.PatientID == "ID-1"
    assert case.made.StudyInstanceUID == case.source.study_uid
    text = str(pydicom.dcmread(case.path))
    for other in ("HOSPITAL", "REFERRER", "Maker"):
        assert other not in text


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    "identity", [DEIDENTIFIED, {"PatientSex": "X", "StudyDate": "2020.3.4", "PatientName": "X"}]
)
def test_deidentified_series_work(
    build: Callable[..., Case], identity: dict[str, object], dciodvfy: str
) -> None:
    case = build(identity=identity)
    assert errors_of(dciodvfy, case.path) == []
    seg = pydicom.dcmread(case.path)
    assert seg.get("PatientIdentityRemoved") == identity.get("PatientIdentityRemoved")
    assert str(seg.PatientName) == identity["PatientName"]
    assert seg.StudyDate == ""
    assert seg.FrameOfReferenceUID


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        ("ISO_IR 192", "Łukasz^Żak"),
    ],
)
def test_names_survive_in_any_character_set(
    build: Callable[..., Case], charset: object, name: str, dciodvfy: str
) -> None:
    case = build(identity={"SpecificCharacterSet": charset, "PatientName": name, "StudyDescription": "CT"})
    assert errors_of(dciodvfy, case.path) == []
    assert str(pydicom.dcmread(case.path).PatientName) == name


def test_contours_of_a_reader_are_not_automatic(build: Callable[..., Case]) -> None:
    case = build(how=making(automatic=False))
    assert {x.SegmentAlgorithmType for x in case.made.SegmentSequence} == {"SEMIAUTOMATIC"}


def test_the_same_export_has_the_same_uids_another_has_others(build: Callable[..., Case]) -> None:
    case = build()
    again = make_segmentation(case.source, case.segments, making(case.source.series_uid))
    assert again.SOPInstanceUID == case.made.SOPInstanceUID
    other = make_segmentation(
        case.source, case.segments, making(case.source.series_uid, content_sha256="ef" * 32)
    )
    assert other.SOPInstanceUID != case.made.SOPInstanceUID
    assert other.SeriesInstanceUID != case.made.SeriesInstanceUID


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_what_does_not_fit_is_refused(build: Callable[..., Case], tmp_path: Path) -> None:
    case = build()
    files = sorted(case.folder.iterdir())
    with pytest.raises(DicomObjectError, match=r"images, the analysed volume") as error:
        read_source(files[:-1], case.volume)
    assert error.value.code == "wrong-series"
    datasets = [pydicom.dcmread(x) for x in files]
    datasets[4].Rows = 3
    with pytest.raises(DicomObjectError, match="image 5 is not an image of"):
        read_source(datasets, case.volume)
    datasets = [pydicom.dcmread(x) for x in files]
    for shifted in datasets:
        shifted.ImagePositionPatient[2] += 0.5
    with pytest.raises(DicomObjectError, match="does not lie on"):
        read_source(datasets, case.volume)
    datasets = [pydicom.dcmread(x) for x in files]
    datasets[0].StudyInstanceUID = ""
    with pytest.raises(DicomObjectError, match="StudyInstanceUID is empty") as error:
        read_source(datasets, case.volume)
    assert error.value.code == "missing-tag"
    datasets = [pydicom.dcmread(x) for x in files]
    datasets[2].SOPInstanceUID = "1.02.3"
    with pytest.raises(DicomObjectError, match=r"image 3: SOPInstanceUID is not a valid UID.*--no-dicom"):
        read_source(datasets, case.volume)
    with pytest.raises(DicomObjectError, match="nothing to segment"):
        make_segmentation(case.source, [], making())
