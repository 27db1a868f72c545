"""A DICOM CT series → Volume. Refusals and warnings name what is wrong, where, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from scipy import ndimage

from inference.errors import VolumeError
from inference.scan.grid import resampled, stack
from inference.scan.hounsfield import check_hounsfield
from inference.scan.kinds import is_localiser, is_projection
from inference.scan.one_scan import check_one_scan, told_of
from inference.scan.opening import complete_meta, open_image
from inference.scan.stored import StoredValues, stored_values
from inference.scan.values import Settled, number, settle, tag_name, written
from inference.scan.volume import Volume

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
# pylibjpeg's open decoders do not cover 12-bit JPEG Extended and the two retired processes.
UNDECODABLE = {
    "1.2.840.10008.1.2.4.51": "JPEG Extended (12 bit)",
    "1.2.840.10008.1.2.4.53": "JPEG Spectral Selection (retired)",
    "1.2.840.10008.1.2.4.55": "JPEG Full Progression (retired)",
}
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"}
FEWEST_SLICES = 8  # fewer hold no vessel
AIR_HU = -1024  # what scanners write where nothing was measured
OTHER_UNITS = {"OD", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"}  # PS3.3, C.11.1.1.2
# Padding is written far below air or above what 12 bits hold as HU; between them it is a value that tissue has too.
TISSUE_HU = (-900, 3071)

Named = Callable[[int], str]


def read_series(
    source: Path | str | Sequence[Path] | Sequence[Dataset], *, name: Named | None = None
) -> Volume:
    """Read one CT series.

    Parameters
    ----------
    source : a folder (searched with its sub-folders), files, or datasets already read, whose headers are settled in
        place (``values.settle``).
    name : how a file is called in messages, by its place in ``source``; by default its file name.

    Raises
    ------
    VolumeError
        ``not-dicom``, ``damaged-dicom``, ``no-transfer-syntax``, ``not-a-number``, ``wrong-count``, ``missing-tag``,
        ``no-pixel-data``, ``unsupported-transfer-syntax``, ``damaged-pixels``, ``bad-bits``, ``not-ct``, ``localiser``,
        ``projection``, ``enhanced-multiframe``, ``8-bit``, ``non-hu``, ``rescale-slope-0``, ``negative-slope``; of the
        series ``mixed-series``, ``two-patients``, ``two-frames``, ``two-kvp``, ``mixed-orientation``, ``mixed-size``,
        ``rescale-jumps``, ``too-few-slices``, ``duplicate-slices``, ``missing-slices``, ``gantry-tilt``,
        ``shifted-slices``, ``no-geometry``.
    """
    datasets, called, settled = _load(source, name)
    check_one_scan(datasets, called)
    if len(datasets) < FEWEST_SLICES:
        raise VolumeError(
            "too-few-slices", f"The series has {len(datasets)} images; at least {FEWEST_SLICES} are needed."
        )
    laid = stack(datasets, called)
    datasets, called = [datasets[i] for i in laid.order], [called[i] for i in laid.order]
    with ThreadPoolExecutor(4) as pool:
        slices = list(pool.map(_hounsfield, datasets, called))
    hu = np.stack([x for x, _ in slices])
    if laid.at is not None:
        hu = resampled(hu, laid.at)
    metadata = _metadata(datasets, hu, laid.affine)
    if laid.at is not None:
        metadata["slices_at"] = [round(float(x), 6) for x in laid.at]
    warnings = [*settled.sentences(), *laid.warnings, *_said([notes for _, notes in slices])]
    first = datasets[0]
    if str(first.file_meta.TransferSyntaxUID) in LOSSY or str(first.get("LossyImageCompression", "")) == "01":
        warnings.append("The images were compressed with loss: HU and plaque borders are uncertain.")
    warnings += told_of(datasets, metadata["spacing_mm"])
    if hu.min() > -500 and hu.max() < 300:
        warnings.append("The values span little of the HU range: check the rescale slope and intercept.")
    warnings += check_hounsfield(hu)
    return Volume(hu=hu, affine=laid.affine, metadata=metadata, warnings=tuple(warnings))


def series_files(source: Path | str) -> list[Path]:
    """Return the files of a folder with its sub-folders, sorted; a DICOMDIR and hidden files are left out."""
    folder = Path(source)
    if not folder.exists():
        raise VolumeError("no-such-folder", f"There is no folder {folder.name}.")
    found = sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else [folder]
    return [p for p in found if p.name != "DICOMDIR" and not p.name.startswith(".")]


def _load(source: Any, name: Named | None) -> tuple[list[Dataset], list[str], Settled]:
    items: list[Any] = series_files(source) if isinstance(source, str | Path) else list(source)
    if not items:
        raise VolumeError("too-few-slices", "There are no files.")
    called = [
        name(i) if name else (x.name if isinstance(x, Path) else f"image {i + 1}")
        for i, x in enumerate(items)
    ]
    with ThreadPoolExecutor(4) as pool:
        datasets = list(pool.map(_open, items, called))
    settled = Settled()
    for dataset, what in zip(datasets, called, strict=True):
        settled.add(settle(dataset, what))
        _check_kind(dataset, what)
        _check_geometry(dataset, what)
        _check_rescale(dataset, what)
    return datasets, called, settled


def _open(item: Any, called: str) -> Dataset:
    if isinstance(item, Dataset):
        complete_meta(item, called)
        return item
    return open_image(item, called)


def _check_kind(dataset: Dataset, called: str) -> None:
    meta = getattr(dataset, "file_meta", None)
    syntax = str(getattr(meta, "TransferSyntaxUID", ""))
    # Some anonymisers empty the data set's own SOP class and leave the file meta's.
    sop_class = str(
        dataset.get("SOPClassUID") or getattr(meta, "MediaStorageSOPClassUID", "") or CT_IMAGE_STORAGE
    )
    if sop_class == ENHANCED_CT or (number(dataset, "NumberOfFrames") or 1) > 1:
        raise VolumeError(
            "enhanced-multiframe",
            f"{called} is an enhanced multi-frame CT: send the series as single-frame CT images.",
            called,
        )
    if str(dataset.get("Modality", "")) != "CT" or sop_class != CT_IMAGE_STORAGE:
        raise VolumeError(
            "not-ct", f"{called} is not a CT image (modality {dataset.get('Modality', 'missing')}).", called
        )
    if "PixelData" not in dataset:
        raise VolumeError("no-pixel-data", f"{called} holds no pixel data.", called)
    if syntax in UNDECODABLE:
        raise VolumeError(
            "unsupported-transfer-syntax",
            f"{called} is compressed as {UNDECODABLE[syntax]}, which cannot be decoded here: send it uncompressed or "
            "as JPEG 2000 or JPEG-LS lossless.",
            called,
        )
    if is_localiser(dataset):
        raise VolumeError(
            "localiser", f"{called} is a localiser (ImageType), no slice: leave it out.", called
        )
    if is_projection(dataset):
        raise VolumeError(
            "projection",
            f"{called} is a projection or a rendering (ImageType); its values are no HU of a place. Send the original axial "
            "series.",
            called,
        )


def _check_geometry(dataset: Dataset, called: str) -> None:
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns"):
        if not written(dataset, keyword):
            raise VolumeError(
                "no-geometry",
                f"{called}: {tag_name(keyword)} is missing; without it there is no geometry.",
                called,
            )
    if min(x.value for x in written(dataset, "PixelSpacing")) <= 0:
        raise VolumeError("no-geometry", f"{called}: {tag_name('PixelSpacing')} must be above 0.", called)


def _check_rescale(dataset: Dataset, called: str) -> None:
    if number(dataset, "BitsAllocated") == 8 or (number(dataset, "BitsStored") or 16) <= 8:
        raise VolumeError(
            "8-bit", f"{called} has 8 bits a pixel: HU need 12 or more. Send the original series.", called
        )
    slope = number(dataset, "RescaleSlope")
    if slope is None or number(dataset, "RescaleIntercept") is None:
        raise VolumeError(
            "non-hu",
            f"{called}: {tag_name('RescaleSlope')} or {tag_name('RescaleIntercept')} is missing; the values are not HU.",
            called,
        )
    if slope == 0:
        raise VolumeError(
            "rescale-slope-0",
            f"{called}: {tag_name('RescaleSlope')} is 0; every value would be the same.",
            called,
        )
    if slope < 0:
        raise VolumeError(
            "negative-slope",
            f"{called}: {tag_name('RescaleSlope')} is {slope:g}; below 0 it turns air into bone. Export the series again.",
            called,
        )
    kind = str(dataset.get("RescaleType", "HU") or "HU").strip().upper()
    if kind not in ("HU", "US", "HOUNSFIELD"):
        said = kind if kind in OTHER_UNITS else "something else"
        raise VolumeError(
            "non-hu",
            f"{called}: {tag_name('RescaleType')} is {said}, not HU (an energy or iodine map?).",
            called,
        )


def _hounsfield(dataset: Dataset, called: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(rows, columns) int16 HU, and codes of what is odd in the stored values.

    What is below air, as some scanners write outside the field without saying so, is air.
    """
    stored = stored_values(dataset, called)
    slope, intercept = number(dataset, "RescaleSlope") or 0.0, number(dataset, "RescaleIntercept") or 0.0
    hu = stored.values.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    notes = ["outside"] if stored.outside else []
    if stored.padding is not None and stored.padding.any():
        mask, note = _padding(stored, slope, intercept)
        hu[mask] = AIR_HU
        notes += [note] if note else []
    return np.asarray(np.clip(np.rint(hu), AIR_HU, 32767).astype(np.int16)), tuple(notes)


def _padding(stored: StoredValues, slope: float, intercept: float) -> tuple[np.ndarray, str]:
    """Return which pixels are padding, and a code where that cannot be told from tissue of the same value."""
    assert stored.padding is not None  # noqa: S101 - asked by the caller
    ends = [x * slope + intercept for x in stored.padding_values or ()]
    if not any(TISSUE_HU[0] <= x <= TISSUE_HU[1] for x in ends):
        return stored.padding, ""
    # What lies outside a field reaches the image's corners; the same value inside is tissue.
    parts, _ = ndimage.label(stored.padding)
    corners = np.unique(parts[[0, 0, -1, -1], [0, -1, 0, -1]])
    return np.isin(parts, corners[corners > 0]), "padding"


def _said(notes: Sequence[tuple[str, ...]]) -> list[str]:
    """Return what the stored values' oddities mean, one sentence a kind."""
    count = Counter(code for each in notes for code in each)
    said = []
    if count["outside"]:
        said.append(
            f"In {count['outside']} images bits outside {tag_name('BitsStored')} are set (a graphic, or values that do not "
            "fit); they were left out of the HU."
        )
    if count["padding"]:
        said.append(
            f"{tag_name('PixelPaddingValue')} is a value that tissue has too (in {count['padding']} images): only what reaches "
            "the image's corners was taken for padding, the rest kept its HU."
        )
    return said


def _metadata(headers: Sequence[Dataset], hu: np.ndarray, affine: np.ndarray) -> dict[str, Any]:
    """Facts of the acquisition; never identifiers."""
    first = headers[0]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    kernel = first.get("ConvolutionKernel", "")
    return {
        "manufacturer": str(first.get("Manufacturer", "")),
        "model": str(first.get("ManufacturerModelName", "")),
        "kvp": number(first, "KVP"),
        "kernel": kernel if isinstance(kernel, str) else "\\".join(str(x) for x in kernel or []),
        "slice_thickness_mm": number(first, "SliceThickness"),
        "rows": int(hu.shape[1]),
        "columns": int(hu.shape[2]),
        "slices": int(hu.shape[0]),
        "spacing_mm": [round(float(x), 5) for x in spacing],
        "contrast": bool(first.get("ContrastBolusAgent")) or None,
        "transfer_syntax": str(first.file_meta.TransferSyntaxUID),
        "simulated": any(
            "simulat" in str(first.get(keyword, "")).lower()
            for keyword in (
                "Manufacturer",
                "ManufacturerModelName",
                "SeriesDescription",
                "DerivationDescription",
            )
        ),
    }
