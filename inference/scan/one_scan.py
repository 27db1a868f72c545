"""Whether the images of a series are one scan: what geometry or HU cannot be one of is refused, the rest is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from pydicom.dataset import Dataset

from inference.errors import VolumeError
from inference.scan.kinds import is_reformat
from inference.scan.likeness import same_image_plane
from inference.scan.values import number, tag_name

SMALLEST_FIELD_MM, LARGEST_FIELD_MM = 80.0, 600.0
"""A heart does not fit into less; no scanner's field is more."""
SAME_HU = 0.5  # what rounding HU to whole numbers loses
LARGEST_STORED = 4096  # 12 bits, what slopes are compared over
THICKEST_MM = 1.0  # plaque of small vessels needs thinner slices


def check_one_scan(headers: Sequence[Dataset], called: Sequence[str]) -> None:
    """Refuse images that cannot be one volume.

    Raises
    ------
    VolumeError
        ``two-patients``, ``mixed-series``, ``two-frames``, ``mixed-size``, ``mixed-orientation``, ``two-kvp``,
        ``rescale-jumps``.
    """
    patients = {str(d.get("PatientID") or "").strip() for d in headers}
    if len(patients) > 1:
        raise VolumeError(
            "two-patients", f"The files belong to {len(patients)} patients: send one patient at a time."
        )
    series = Counter(str(d.get("SeriesInstanceUID") or "") for d in headers)
    if len(series) > 1:
        sizes = ", ".join(str(n) for n in series.values())
        raise VolumeError(
            "mixed-series", f"The files belong to {len(series)} series ({sizes} images): choose one."
        )
    _check_planes(headers, called)
    _only(
        headers,
        called,
        "FrameOfReferenceUID",
        _text,
        "two-frames",
        "positions of two frames of reference cannot be laid onto one grid",
    )
    _only(
        headers,
        called,
        "KVP",
        _number,
        "two-kvp",
        "contrast and calcium have other HU at another tube voltage",
    )
    _check_rescale(headers, called)


def told_of(headers: Sequence[Dataset], spacing_mm: Sequence[float]) -> list[str]:
    """Return what a person should know of a series that is one volume: mixtures, reformats, its field, its slices."""
    told = []
    for keyword, read, why in (
        ("AcquisitionNumber", _number, "heart and contrast may differ between them"),
        ("ConvolutionKernel", _text, "sharpness and noise differ between them"),
        ("SliceThickness", _number, "sharpness and noise differ between them"),
        ("NominalPercentageOfCardiacPhase", _number, "the heart was not at rest in one place"),
    ):
        values = Counter(x for d in headers if (x := read(d, keyword)))
        if len(values) > 1:
            some = ", ".join(f"{value} in {n} images" for value, n in sorted(values.items())[:4])
            told.append(f"The series holds several values of {tag_name(keyword)} ({some}): {why}.")
    reformats = sum(is_reformat(d) for d in headers)
    if reformats:
        told.append(
            f"{reformats} of {len(headers)} images are reformats (ImageType), interpolated from another series: small plaque "
            "is blurred. Send the original axial series."
        )
    rows, columns = (int(number(headers[0], x) or 0) for x in ("Rows", "Columns"))
    field = sorted((rows * spacing_mm[1], columns * spacing_mm[0]))
    if field[0] < SMALLEST_FIELD_MM or field[1] > LARGEST_FIELD_MM:
        told.append(
            f"The field of view is {columns * spacing_mm[0]:.0f} × {rows * spacing_mm[1]:.0f} mm; of a heart it is between "
            f"{SMALLEST_FIELD_MM:.0f} and {LARGEST_FIELD_MM:.0f} mm: check {tag_name('PixelSpacing')}."
        )
    return told + _slices(headers, spacing_mm[2])


def _slices(headers: Sequence[Dataset], spacing: float) -> list[str]:
    told = []
    thickness = number(headers[0], "SliceThickness") or 0.0
    if max(spacing, thickness) > THICKEST_MM:
        told.append(
            f"Slices are {max(spacing, thickness):.2f} mm: too thick for plaque of small vessels (at most 1 mm)."
        )
    if thickness > spacing * 2.05:
        told.append(f"Slices of {thickness:.2f} mm overlap every {spacing:.2f} mm.")
    return told


def _number(header: Dataset, keyword: str) -> str:
    value = number(header, keyword)
    return "" if value is None else f"{value:g}"


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    values = [value] if isinstance(value, str) else list(value or [])
    return "\\".join(str(x).strip() for x in values)


def _only(
    headers: Sequence[Dataset],
    called: Sequence[str],
    keyword: str,
    read: Callable[[Dataset, str], str],
    code: str,
    why: str,
) -> None:
    """Refuse a second value of an attribute by the first file that has it; images without one say nothing."""
    values = [read(d, keyword) for d in headers]
    counts = Counter(x for x in values if x)
    if len(counts) < 2:
        return
    usual = counts.most_common(1)[0][0]
    where = next(name for name, x in zip(called, values, strict=True) if x and x != usual)
    raise VolumeError(
        code,
        f"{where}: {tag_name(keyword)} is not that of the other images ({len(counts)} values in {len(headers)} images); {why}. "
        "Send the images of one reconstruction.",
        where,
    )


def _check_planes(headers: Sequence[Dataset], called: Sequence[str]) -> None:
    for header, what in zip(headers, called, strict=True):
        keyword = same_image_plane(headers[0], header)
        if keyword == "ImageOrientationPatient":
            raise VolumeError(
                "mixed-orientation", f"{what} is oriented otherwise than the first image.", what
            )
        if keyword:
            raise VolumeError(
                "mixed-size",
                f"{what}: {tag_name(keyword)} is {header.get(keyword)}, elsewhere {headers[0].get(keyword)}.",
                what,
            )


def _check_rescale(headers: Sequence[Dataset], called: Sequence[str]) -> None:
    """Refuse an image whose HU are scaled otherwise than most images' of its series."""
    for keyword, reach in (("RescaleIntercept", 1), ("RescaleSlope", LARGEST_STORED)):
        values = [number(d, keyword) or 0.0 for d in headers]
        usual = Counter(values).most_common(1)[0][0]
        for value, what in zip(values, called, strict=True):
            if abs(value - usual) * reach > SAME_HU:
                raise VolumeError(
                    "rescale-jumps",
                    f"{what}: {tag_name(keyword)} is {value:g}, in the other images {usual:g}; their HU cannot both be right. "
                    "Export the series again.",
                    what,
                )
