"""Header styles of four vendors: valid DICOM whose HU, geometry and facts the reader gets back."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from inference.phantom import SCENARIOS, generate, write_dicom
from inference.phantom.headers import STYLES, HeaderStyle, draw_header, file_name
from inference.scan import read_series


@pytest.fixture(scope="module")
def patient():
    return generate(3, "tree_tiny")


def styled(phantom, name: str, **changes):
    """The same scan under another vendor's header."""
    header = draw_header(np.random.default_rng(1), vendors=(name,), kvp=100, overshoot=0.1, noise_hu=25.0)
    header = replace(header, **{"prone": False, "from_head": True} | changes)
    volume = replace(
        phantom.volume, hu=phantom.volume.hu[:24], metadata=phantom.volume.metadata | header.metadata
    )
    return replace(phantom, volume=volume, patient=replace(phantom.patient, header=header))


@pytest.mark.parametrize("name", sorted(STYLES))
@pytest.mark.parametrize("from_head", [True, False])
def test_each_style_reads_back(patient, tmp_path, name, from_head):
    phantom = styled(patient, name, from_head=from_head)
    files = write_dicom(phantom, tmp_path / "dicom")
    header = pydicom.dcmread(files[0])
    style = STYLES[name]
    assert header.Manufacturer == style.manufacturer
    assert int(header.RescaleIntercept) == style.intercept
    assert header.PixelRepresentation == int(style.signed)
    assert header.BitsStored == style.bits
    assert header.InstanceNumber == (24 if from_head else 1)
    assert not [e for e in header if e.tag.is_private]
    assert "SIMULATED" in header.StudyDescription
    assert "SIMULATED" in header.SeriesDescription
    volume = read_series(tmp_path / "dicom")
    assert np.array_equal(volume.hu, phantom.volume.hu)
    assert np.allclose(volume.affine, phantom.volume.affine, atol=1e-3)
    for key in ("manufacturer", "model", "kernel", "kvp"):
        assert volume.metadata[key] == phantom.volume.metadata[key], key
    assert [w[:17] for w in volume.warnings] == ["The field of view"]  # a tiny tree is smaller than a heart


def test_siemens_kernels_have_two_values_and_others_one(patient, tmp_path):
    for name, values in (("Siemens", 2), ("GE", 1), ("Philips", 1), ("Canon", 1)):
        files = write_dicom(styled(patient, name), tmp_path / name)
        kernel = pydicom.dcmread(files[0], stop_before_pixels=True)["ConvolutionKernel"]
        assert values == kernel.VM


def test_a_prone_series_keeps_every_voxel_at_its_place(patient, tmp_path):
    """Rows and columns run backwards; a point of the patient still shows the same HU."""
    phantom = styled(patient, "Philips", prone=True)
    files = write_dicom(phantom, tmp_path / "dicom")
    first = pydicom.dcmread(files[0])
    assert [float(x) for x in first.ImageOrientationPatient] == [-1, 0, 0, 0, -1, 0]
    assert first.PatientPosition == "HFP"
    volume = read_series(tmp_path / "dicom")
    rng = np.random.default_rng(2)
    k, j, i = (rng.integers(0, n, 200) for n in phantom.volume.hu.shape)
    points = phantom.volume.to_patient(np.stack([i, j, k], axis=1))
    there = np.rint(volume.to_index(points)).astype(int)
    assert np.abs(volume.to_index(points) - there).max() < 0.02
    assert np.array_equal(volume.hu[there[:, 2], there[:, 1], there[:, 0]], phantom.volume.hu[k, j, i])


def test_padding_outside_the_field_reads_as_air(patient, tmp_path):
    phantom = styled(patient, "GE")
    rows, columns = phantom.volume.hu.shape[1:]
    y, x = np.ogrid[:rows, :columns]
    outside = np.hypot(y - rows / 2, x - columns / 2) > 0.5 * max(rows, columns)
    hu = phantom.volume.hu.copy()
    hu[:, outside] = -1024
    phantom = replace(
        phantom,
        volume=replace(phantom.volume, hu=hu),
        patient=replace(phantom.patient, outside=outside),
    )
    files = write_dicom(phantom, tmp_path / "dicom")
    header = pydicom.dcmread(files[0])
    assert header.PixelPaddingValue == -2000
    assert (header.pixel_array == -2000).any()
    assert np.array_equal(read_series(tmp_path / "dicom").hu, hu)


def test_same_seed_same_files(patient, tmp_path):
    def digest(folder):
        write_dicom(styled(patient, "GE"), folder)
        return [(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in sorted(folder.iterdir())]

    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_file_names_are_unique_and_do_not_give_the_order_away():
    header = draw_header(np.random.default_rng(1), vendors=("GE",), kvp=120, overshoot=0.0, noise_hu=25.0)
    names = [file_name(header, instance=n + 1, slices=280) for n in range(280)]
    assert len(set(names)) == 280
    assert sorted(names) != names


def test_noisier_scans_name_a_lower_exposure_and_sharper_ones_a_sharper_kernel():
    def drawn(overshoot, noise):
        return draw_header(
            np.random.default_rng(1), vendors=("Canon",), kvp=80, overshoot=overshoot, noise_hu=noise
        )

    assert drawn(0.0, 60.0).exposure < drawn(0.0, 20.0).exposure
    assert [drawn(x, 25.0).kernel for x in (-0.1, 0.1, 0.3)] == [("FC03",), ("FC08",), ("FC43",)]


def test_vendors_are_drawn_from_the_scenario():
    for name in ("tree_validation", "tree_test", "full_chest"):
        vendors = SCENARIOS[name].tree.vendors
        drawn = {
            draw_header(
                np.random.default_rng(n), vendors=vendors, kvp=100, overshoot=0.0, noise_hu=25.0
            ).style.name
            for n in range(40)
        }
        assert drawn == set(vendors)


def test_a_style_that_cannot_hold_the_hu_range_is_refused():
    fields = {**STYLES["Philips"].__dict__, "bits": 10}
    with pytest.raises(ValueError, match="do not fit"):
        HeaderStyle(**fields)


REQUIRED = (
    *("ImageType", "InstanceNumber", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "PatientPosition", "Modality"),
    *("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored"),
    *("HighBit", "PixelRepresentation", "RescaleIntercept", "RescaleSlope", "SOPClassUID", "SOPInstanceUID"),
)


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_style_is_a_valid_ct_image(patient, tmp_path, name):
    """Type 1 and 1C elements of the CT Image IOD are there; where dicom3tools is installed it finds no error."""
    files = write_dicom(styled(patient, name), tmp_path / "dicom")
    header = pydicom.dcmread(files[3])
    assert [x for x in REQUIRED if header.get(x) in (None, "")] == []
    assert header.HighBit == header.BitsStored - 1
    assert len(header.PixelData) == 2 * header.Rows * header.Columns
    checker = shutil.which("dciodvfy")
    if checker:
        done = subprocess.run([checker, "-new", str(files[3])], capture_output=True, text=True, check=False)
        assert "Error" not in done.stdout + done.stderr
        assert done.returncode == 0
