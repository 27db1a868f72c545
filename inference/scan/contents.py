"""What CT volumes a folder holds: its series, and within a series its phases, reconstructions and acquisitions."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from inference.errors import VolumeError
from inference.scan.kinds import is_localiser
from inference.scan.likeness import finest, same_image_plane
from inference.scan.opening import open_image
from inference.scan.series import CT_IMAGE_STORAGE, ENHANCED_CT, FEWEST_SLICES, read_series, series_files
from inference.scan.values import NEEDED, READ, number, settle, written
from inference.scan.volume import Volume

SAME_PLACE_MM = 0.05  # a tenth of the thinnest usual slice distance
LISTED = tuple(
    x for x in READ if x not in {"PatientName", "PatientBirthDate", "Manufacturer", "ManufacturerModelName"}
)


@dataclass(frozen=True)
class Part:
    """One volume among images of one series.

    Parameters
    ----------
    members : places of its images in what was given. what : what tells it from the others (“phase 45 %”), or empty.
    """

    members: tuple[int, ...]
    what: str


@dataclass(frozen=True)
class FolderVolume:
    """One volume of a folder.

    Parameters
    ----------
    files : its images. series_uid, series_number, description : of its series, as the header has them.
    thickness_mm, spacing_mm : of its slices, where they are known. kernel : its reconstruction kernel.
    part : what tells it from other volumes of its series (“phase 45 %”), or empty.
    """

    files: tuple[Path, ...]
    series_uid: str
    series_number: str
    description: str
    thickness_mm: float | None
    spacing_mm: float | None
    kernel: str
    part: str

    @property
    def slices(self) -> int:
        """How many images it has."""
        return len(self.files)


@dataclass(frozen=True)
class FolderContents:
    """What a folder holds: its volumes in the order of their series, and sentences about what is none."""

    volumes: tuple[FolderVolume, ...]
    left_out: tuple[str, ...]

    def table(self) -> str:
        """Return the volumes as a plain table."""
        head = ("series", "slices", "thickness", "spacing", "kernel", "phase", "description", "series UID")
        rows = [
            (
                v.series_number or "-",
                str(v.slices),
                _mm(v.thickness_mm),
                _mm(v.spacing_mm),
                v.kernel or "-",
                v.part or "-",
                v.description or "-",
                v.series_uid or "-",
            )
            for v in self.volumes
        ]
        wide = [max(len(row[c]) for row in (head, *rows)) for c in range(len(head))]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip()
            for row in (head, *rows)
        )


def _mm(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g} mm"


def list_volumes(source: Path | str | Sequence[Path]) -> FolderContents:
    """List the CT volumes of a folder by their headers.

    Parameters
    ----------
    source : a folder (searched with its sub-folders), or files.

    Raises
    ------
    VolumeError
        ``damaged-dicom``: a file begins as DICOM and is cut, so that a slice may be missing. ``no-volumes``: there is no
        CT image. ``no-such-folder``.
    """
    files = series_files(source) if isinstance(source, str | Path) else list(source)
    with ThreadPoolExecutor(4) as pool:
        headers = list(pool.map(_header, files))
    left: Counter[str] = Counter()
    series: dict[str, list[tuple[Path, Dataset]]] = defaultdict(list)
    seen: dict[str, Path] = {}
    for path, header in zip(files, headers, strict=True):
        why = "not-dicom" if header is None else _no_slice(header)
        if header is not None and not why and _is_copy(path, header, seen):
            why = "copy"
        if why or header is None:
            left[why] += 1
        else:
            series[_text(header, "SeriesInstanceUID")].append((path, header))
    if not series:
        raise VolumeError(
            "no-volumes", "There is no CT image that could be a slice of a scan in this folder."
        )
    volumes = [volume for images in series.values() for volume in _volumes_of(images)]
    volumes.sort(key=lambda v: (_order(v.series_number), v.series_uid, v.part))
    return FolderContents(tuple(volumes), tuple(_LEFT[code].format(_files(n)) for code, n in left.items()))


_LEFT = {
    "not-dicom": "{} no DICOM image: left out.",
    "localiser": "{} a localiser: left out.",
    "other": "{} another DICOM object than a CT image: left out.",
    "copy": "{} a copy of another: left out.",
}


def _files(n: int) -> str:
    return "1 file is" if n == 1 else f"{n} files are each"


def choose_volume(contents: FolderContents, *, series: str = "", phase: str = "") -> FolderVolume:
    """Choose one volume of a folder.

    Parameters
    ----------
    series : its series number, or its UID (the end of it is enough). phase : the cardiac phase in % (“75”, “75%”), or the
        words that stand under “phase” in the table. Either may be left out where one volume alone could be meant.

    Raises
    ------
    VolumeError
        ``several-volumes`` with the table of those that could be meant; ``no-such-volume`` with the table of all.
    """
    fitting = [v for v in contents.volumes if _is_series(v, series) and _is_phase(v, phase)]
    if not fitting:
        raise VolumeError(
            "no-such-volume",
            f"No volume of this folder is {_asked(series, phase)}. It holds:\n{contents.table()}",
        )
    large = [v for v in fitting if v.slices >= FEWEST_SLICES] or fitting
    if len(large) > 1:
        by = "--series and --phase" if len({v.series_uid for v in large}) > 1 else "--phase"
        raise VolumeError(
            "several-volumes",
            f"The folder holds {len(large)} CT volumes; choose one with {by}:\n"
            f"{FolderContents(tuple(large), ()).table()}",
        )
    return large[0]


def read_volume(source: Path | str, *, series: str = "", phase: str = "") -> tuple[Volume, FolderVolume]:
    """Read one volume of a folder, chosen as ``choose_volume`` does; its warnings say what of the folder was left out.

    Raises
    ------
    VolumeError
        As ``list_volumes``, ``choose_volume`` and ``read_series`` do.
    """
    contents = list_volumes(source)
    chosen = choose_volume(contents, series=series, phase=phase)
    volume = read_series(chosen.files)
    said = list(contents.left_out)
    others = len(contents.volumes) - 1
    if others:
        what = " ".join(x for x in (f"series {chosen.series_number or chosen.series_uid}", chosen.part) if x)
        said.append(f"The folder holds {others} other CT volume{'s' * (others > 1)}; {what} was taken.")
    return replace(volume, warnings=(*volume.warnings, *said)), chosen


def _asked(series: str, phase: str) -> str:
    said = [f"series {series}"] if series else []
    return " ".join(said + ([f"phase {phase}"] if phase else []))


def _is_series(volume: FolderVolume, asked: str) -> bool:
    asked = asked.strip()
    if not asked or asked in (volume.series_number, volume.series_uid):
        return True
    return "." in asked and volume.series_uid.endswith(asked)


def _is_phase(volume: FolderVolume, asked: str) -> bool:
    def bare(text: str) -> str:
        return text.lower().replace(" ", "").removeprefix("phase").removesuffix("%")

    return not asked.strip() or bare(asked) == bare(volume.part)


def parts_of(headers: Sequence[Dataset]) -> tuple[Part, ...]:
    """Part the images of one series, whose headers are settled, into volumes.

    A series is parted where its images lie in several planes (eight of each at least), where places repeat and one
    attribute tells the repeats apart, or where phases, kernels, tube voltages or thicknesses lie among each other. What no
    attribute tells apart stays together, and is refused by the file where it is read.
    """
    found = []
    for members in _planes(headers):
        for part in _parted([headers[i] for i in members]):
            found.append(Part(tuple(members[i] for i in part.members), part.what))
    if len(found) > 1 and len({x.what for x in found}) < len(found):
        found = [Part(x.members, f"{x.what} ({_plane_words(headers[x.members[0]])})".strip()) for x in found]
    return tuple(found)


def _plane_words(header: Dataset) -> str:
    size = " × ".join(_text(header, keyword) for keyword in ("Columns", "Rows"))
    return f"{size} pixels of {' × '.join(f'{x.value:g}' for x in written(header, 'PixelSpacing'))} mm"


def _planes(headers: Sequence[Dataset]) -> list[list[int]]:
    groups: list[list[int]] = []
    for i, header in enumerate(headers):
        for group in groups:
            if not same_image_plane(headers[group[0]], header):
                group.append(i)
                break
        else:
            groups.append([i])
    groups.sort(key=len, reverse=True)
    large = [x for x in groups if len(x) >= FEWEST_SLICES] or groups[:1]
    # A few that lie otherwise belong to the series, and are refused by name where it is read.
    large[0] = sorted(large[0] + [i for group in groups if group not in large for i in group])
    return large


def _phase_words(header: Dataset) -> str:
    value = number(header, "NominalPercentageOfCardiacPhase")
    return "" if value is None else f"phase {value:g} %"


def _words(name: str, keyword: str, unit: str = "") -> Callable[[Dataset], str]:
    def say(header: Dataset) -> str:
        value = _text(header, keyword)
        return f"{name} {value}{unit}" if value else ""

    return say


# What tells volumes of one series apart, most telling first; the first part does so wherever values lie among each other.
_AMONG = (
    _phase_words,
    _words("phase", "TemporalPositionIdentifier"),
    _words("", "KVP", " kV"),
    _words("kernel", "ConvolutionKernel"),
    _words("thickness", "SliceThickness", " mm"),
)
_REPEATED = (
    *_AMONG,
    _words("trigger", "TriggerTime", " ms"),
    _words("acquisition", "AcquisitionNumber"),
    _words("", "ImageType"),
    _words("time", "AcquisitionTime"),
)


def _parted(headers: Sequence[Dataset]) -> list[Part]:
    at = _positions(headers)
    whole = [Part(tuple(range(len(headers))), "")]
    for tellers, needed in ((_REPEATED, _repeats(at)), (_AMONG, True)):
        for say in tellers if needed else ():
            groups: dict[str, list[int]] = defaultdict(list)
            for i, header in enumerate(headers):
                groups[say(header).strip()].append(i)
            parts = list(groups.values())
            if len(parts) < 2 or min(map(len, parts)) < FEWEST_SLICES:
                continue
            leaves = [
                Part(
                    tuple(groups[what][i] for i in leaf.members), ", ".join(x for x in (what, leaf.what) if x)
                )
                for what in sorted(groups)
                for leaf in _parted([headers[i] for i in groups[what]])
            ]
            if any(_repeats(at[list(x.members)]) for x in leaves):
                continue
            if _repeats(at) or _among(at, parts):
                return leaves
    return whole


def _positions(headers: Sequence[Dataset]) -> np.ndarray:
    """Return where images lie along their normal; NaN where a header does not say."""
    turns = [
        x
        for x in headers
        if len(written(x, "ImageOrientationPatient")) == NEEDED["ImageOrientationPatient"].count
    ]
    if not turns:
        return np.full(len(headers), np.nan)
    turn = [x.value for x in finest(turns, "ImageOrientationPatient")]
    normal = np.cross(turn[:3], turn[3:])
    places = [written(x, "ImagePositionPatient") for x in headers]
    return np.array(
        [np.dot([x.value for x in p], normal) if len(p) == len(normal) else np.nan for p in places]
    )


def _repeats(at: np.ndarray) -> bool:
    known = np.sort(at[np.isfinite(at)])
    return bool((np.diff(known) < SAME_PLACE_MM).any())


def _among(at: np.ndarray, parts: Sequence[Sequence[int]]) -> bool:
    """Whether the parts lie among each other rather than one behind the other."""
    ends = sorted(
        (float(np.nanmin(at[x])), float(np.nanmax(at[x])))
        for x in map(list, parts)
        if np.isfinite(at[x]).any()
    )
    return any(
        low[1] - high[0] > 0.5 * min(low[1] - low[0], high[1] - high[0]) for low, high in pairwise(ends)
    )


def _header(path: Path) -> Dataset | None:
    """Return a file's header as far as it is listed, None for what is no DICOM file.

    A value that cannot be read stays as it is; who reads the volume is told of it.
    """
    try:
        header = open_image(path, path.name, only=LISTED)
    except VolumeError as error:
        if error.code != "not-dicom":
            raise
        return None
    settle(header, path.name, only=LISTED, refuse=False)
    return header


def listed(header: Dataset) -> Dataset:
    """Return what of a settled header parts volumes, and nothing else."""
    kept = Dataset()
    for keyword in LISTED:
        if keyword in header:
            kept.add(header[keyword])
    return kept


def _no_slice(header: Dataset) -> str:
    """Return why a DICOM object is no slice of a scan, or nothing."""
    if is_localiser(header):
        return "localiser"
    sop_class = _text(header, "SOPClassUID") or CT_IMAGE_STORAGE
    if sop_class not in (CT_IMAGE_STORAGE, ENHANCED_CT) or _text(header, "Modality") not in ("CT", ""):
        return "other"
    return ""


def _is_copy(path: Path, header: Dataset, seen: dict[str, Path]) -> bool:
    """Whether a file repeats an earlier one byte for byte."""
    uid = _text(header, "SOPInstanceUID")
    first = seen.setdefault(uid, path) if uid else path
    return (
        first is not path
        and os.path.getsize(first) == os.path.getsize(path)
        and first.read_bytes() == path.read_bytes()
    )


def _volumes_of(images: Sequence[tuple[Path, Dataset]]) -> list[FolderVolume]:
    headers = [header for _, header in images]
    return [
        FolderVolume(
            files=tuple(images[i][0] for i in part.members),
            series_uid=_text(first := headers[part.members[0]], "SeriesInstanceUID"),
            series_number=_text(first, "SeriesNumber"),
            description=_text(first, "SeriesDescription"),
            thickness_mm=number(first, "SliceThickness"),
            spacing_mm=_spacing([headers[i] for i in part.members]),
            kernel=_text(first, "ConvolutionKernel"),
            part=part.what,
        )
        for part in parts_of(headers)
    ]


def _spacing(headers: Sequence[Dataset]) -> float | None:
    known = np.sort([x for x in _positions(headers) if np.isfinite(x)])
    return float(np.median(np.diff(known))) if len(known) > 1 else None


def _text(header: Dataset, keyword: str) -> str:
    value = header.get(keyword)
    if value is None:
        return ""
    values = [value] if isinstance(value, str | int | float) else list(value)
    return "\\".join(str(x).strip() for x in values)


def _order(series_number: str) -> tuple[float, str]:
    return (float(series_number) if series_number.lstrip("-").isdigit() else np.inf, series_number)
