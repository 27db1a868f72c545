"""VTK polydata of lines: the legacy ASCII form (``.vtk``, up to version 5.1) and the XML form (``.vtp``).

Source: VTK file formats, https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html. Written files are ASCII
and name their space; read are ASCII files and, for ``.vtp``, also base64 arrays, compressed by zlib or not.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import numpy as np

from inference.errors import CentrelineError

TITLE = "coronary centrelines, mm. SPACE=LPS"
_TYPES = {
    "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4",
    "Int64": "i8", "UInt64": "u8", "Float32": "f4", "Float64": "f8",
}  # fmt: skip
LINE_CELLS = (3, 4)  # VTK_LINE, VTK_POLY_LINE


@dataclass(frozen=True)
class Polydata:
    """Points (n, 3), lines as point indices, numbers per point, and a name per line (empty list where there is none)."""

    points: np.ndarray
    cells: list[np.ndarray]
    point_data: dict[str, np.ndarray] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def vtk_text(data: Polydata) -> str:
    """Return the legacy ASCII file; names are an array of strings, percent-encoded as VTK does."""
    out = [
        "# vtk DataFile Version 4.2",
        TITLE,
        "ASCII",
        "DATASET POLYDATA",
        f"POINTS {len(data.points)} double",
    ]
    out += [" ".join(f"{x:.4f}" for x in p) for p in data.points]
    out.append(f"LINES {len(data.cells)} {sum(len(c) + 1 for c in data.cells)}")
    out += [" ".join(str(x) for x in (len(c), *c)) for c in data.cells]
    out += [f"CELL_DATA {len(data.cells)}", "FIELD FieldData 1", f"vessel 1 {len(data.cells)} string"]
    out += [quote(name) for name in data.names]
    out += [f"POINT_DATA {len(data.points)}", f"FIELD FieldData {len(data.point_data)}"]
    for name, values in data.point_data.items():
        out += [f"{name} 1 {len(values)} double", *(f"{x:.4f}" for x in values)]
    return "\n".join(out) + "\n"


def vtp_text(data: Polydata) -> str:
    """Return the XML file; names are an array of strings, as VTK does: code points, each name closed by 0."""
    ends = np.cumsum([len(c) for c in data.cells])
    codes = " ".join(str(b) for name in data.names for b in (*name.encode(), 0))
    arrays = "".join(
        f'<DataArray type="Float64" Name="{name}" format="ascii">{_text(values)}</DataArray>'
        for name, values in data.point_data.items()
    )
    return (
        f'<?xml version="1.0"?>\n<!-- {TITLE} -->\n'
        '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n<PolyData>\n'
        '<FieldData><Array type="String" Name="SPACE" NumberOfTuples="1" format="ascii">76 80 83 0</Array></FieldData>\n'
        f'<Piece NumberOfPoints="{len(data.points)}" NumberOfVerts="0" NumberOfLines="{len(data.cells)}" '
        'NumberOfStrips="0" NumberOfPolys="0">\n'
        f"<PointData>{arrays}</PointData>\n"
        f'<CellData><Array type="String" Name="vessel" NumberOfTuples="{len(data.names)}" format="ascii">{codes}</Array></CellData>\n'
        f'<Points><DataArray type="Float64" NumberOfComponents="3" format="ascii">{_text(data.points)}</DataArray></Points>\n'
        f'<Lines><DataArray type="Int64" Name="connectivity" format="ascii">{" ".join(str(x) for c in data.cells for x in c)}</DataArray>'
        f'<DataArray type="Int64" Name="offsets" format="ascii">{" ".join(map(str, ends))}</DataArray></Lines>\n'
        "</Piece>\n</PolyData>\n</VTKFile>\n"
    )


def read_vtk(path: Path) -> Polydata:
    """Read a legacy ASCII polydata file.

    Raises
    ------
    CentrelineError
        ``bad-file``: not such a file, binary, or cut short; the section is named.
    """
    raw = path.read_bytes()
    head = raw[:400].decode("latin-1").splitlines()
    if len(head) < 4 or not head[0].startswith("# vtk DataFile"):
        raise _bad(path, "the header", "it is not a VTK file")
    if head[2].strip().upper() != "ASCII":
        raise _bad(path, "row 3", "a binary legacy file is not read; save it as ASCII or as .vtp")
    words = raw.decode("utf-8", errors="replace").split("\n", 3)[3].split()
    reader = _Words(path, words)
    return _turned(_legacy(reader), ras="SPACE=RAS" in head[1])


def read_vtp(path: Path) -> Polydata:
    """Read an XML polydata file: ASCII or base64, inline or appended.

    Raises
    ------
    CentrelineError
        ``bad-file``: not such a file, raw appended data, other compressors; the element is named.
    """
    raw = path.read_bytes()
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise _bad(path, "the header", "a document type declaration is not allowed")
    try:
        root = ElementTree.fromstring(raw)  # noqa: S314 - no entities: a document type is refused above
    except ElementTree.ParseError as error:
        row = error.position[0]
        raise _bad(
            path, f"row {row}", "it is not well-formed XML, or holds raw binary data; save it as ASCII"
        ) from None
    if root.tag != "VTKFile" or root.get("type") != "PolyData":
        raise _bad(path, "the root element", "it is not VTK polydata")
    arrays = _Arrays(path, root)
    points, cells, names = [], [], []
    numbers: dict[str, list[np.ndarray]] = {}
    first = 0
    for piece in root.iter("Piece"):
        xyz = arrays.of(piece, "Points").reshape(-1, 3)
        if int(piece.get("NumberOfLines", "0")):
            index = arrays.of(piece, "Lines", "connectivity").astype(int)
            cells += [
                first + c for c in np.split(index, arrays.of(piece, "Lines", "offsets").astype(int))[:-1]
            ]
            names += arrays.strings(piece, "CellData", "vessel")
        for item in piece.findall("PointData/DataArray"):
            values = arrays.values(item)
            if len(values) == len(xyz):
                numbers.setdefault(item.get("Name", ""), []).append(values)
        points.append(xyz)
        first += len(xyz)
    data = {name: np.concatenate(parts) for name, parts in numbers.items()}
    found = _checked(path, np.concatenate(points) if points else np.zeros((0, 3)), cells, data, names)
    space = next(iter(arrays.strings(root, "PolyData/FieldData", "SPACE")), "LPS")
    return _turned(found, ras=space == "RAS")


class _Words:
    """The words of a legacy file, read one after the other."""

    def __init__(self, path: Path, words: list[str]) -> None:
        self.path, self.words, self.at = path, words, 0

    def next(self, where: str) -> str:
        if self.at >= len(self.words):
            raise _bad(self.path, where, "the file ends too early")
        self.at += 1
        return self.words[self.at - 1]

    def count(self, where: str) -> int:
        word = self.next(where)
        if not re.fullmatch(r"\d{1,9}", word):
            raise _bad(self.path, where, f"“{word}” is not a count")
        return int(word)

    def numbers(self, n: int, where: str) -> np.ndarray:
        part = self.words[self.at : self.at + n]
        if len(part) < n:
            raise _bad(self.path, where, "the file ends too early")
        self.at += n
        try:
            return np.array(part, float)
        except ValueError:
            raise _bad(self.path, where, "a value is not a number") from None


def _legacy(reader: _Words) -> Polydata:
    points = np.zeros((0, 3))
    cells: list[np.ndarray] = []
    numbers: dict[str, np.ndarray] = {}
    names: list[str] = []
    about, tuples = "", 0
    while reader.at < len(reader.words):
        word = reader.next("a section")
        if word == "DATASET" and reader.next("DATASET") not in ("POLYDATA", "UNSTRUCTURED_GRID"):
            raise _bad(reader.path, "DATASET", "it is neither POLYDATA nor UNSTRUCTURED_GRID")
        if word == "POINTS":
            n = reader.count(word)
            reader.next(word)
            points = reader.numbers(3 * n, word).reshape(-1, 3)
        elif word in ("LINES", "CELLS"):
            cells += _cells(reader, word)
        elif word == "CELL_TYPES":
            kinds = reader.numbers(reader.count(word), word)
            if len(kinds) == len(cells):
                cells = [cell for cell, kind in zip(cells, kinds, strict=True) if kind in LINE_CELLS]
        elif word in ("POINT_DATA", "CELL_DATA"):
            about, tuples = word, reader.count(word)
        elif word == "SCALARS":
            _scalars(reader, about, tuples, numbers)
        elif word == "FIELD":
            _field(reader, about, numbers, names)
    return _checked(reader.path, points, cells, numbers, names)


def _cells(reader: _Words, section: str) -> list[np.ndarray]:
    """The point indices of each line: sizes and points in one list, or offsets and points apart (from version 5.1 on)."""
    n, size = reader.count(section), reader.count(section)
    if reader.words[reader.at : reader.at + 1] == ["OFFSETS"]:
        reader.next(section), reader.next(section)
        offsets = reader.numbers(n, section).astype(int)
        if reader.next(section) != "CONNECTIVITY":
            raise _bad(reader.path, section, "CONNECTIVITY does not follow OFFSETS")
        reader.next(section)
        flat = reader.numbers(size, section).astype(int)
        if n and (offsets[0] != 0 or offsets[-1] != size or (np.diff(offsets) < 0).any()):
            raise _bad(reader.path, section, "its offsets contradict its size")
        return np.split(flat, offsets[1:-1]) if n > 1 else []
    flat = reader.numbers(size, section).astype(int)
    cells, at = [], 0
    for _ in range(n):
        if at >= size or flat[at] < 0:
            raise _bad(reader.path, section, "its sizes contradict each other")
        cells.append(flat[at + 1 : at + 1 + flat[at]])
        at += 1 + int(flat[at])
    return cells


def _scalars(reader: _Words, about: str, tuples: int, numbers: dict[str, np.ndarray]) -> None:
    """Read one array of numbers; it is kept where it has one number a point."""
    name, _ = reader.next("SCALARS"), reader.next("SCALARS")
    wide = 1
    if reader.words[reader.at : reader.at + 1] != ["LOOKUP_TABLE"]:
        wide = reader.count("SCALARS")
    reader.next("SCALARS"), reader.next("SCALARS")
    values = reader.numbers(tuples * wide, "SCALARS")
    if about == "POINT_DATA" and wide == 1:
        numbers[name] = values


def _field(reader: _Words, about: str, numbers: dict[str, np.ndarray], names: list[str]) -> None:
    reader.next("FIELD")
    for _ in range(reader.count("FIELD")):
        name = reader.next("FIELD")
        wide, n = reader.count(name), reader.count(name)
        if reader.next(name) == "string":
            strings = [unquote(reader.next(name)) for _ in range(wide * n)]
            if about == "CELL_DATA" and name == "vessel":
                names += strings
        else:
            values = reader.numbers(wide * n, name)
            if about == "POINT_DATA" and wide == 1:
                numbers[name] = values


class _Arrays:
    """The arrays of an XML file, whatever their encoding."""

    def __init__(self, path: Path, root: ElementTree.Element) -> None:
        self.path = path
        order = "<" if root.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
        self.order = order
        self.header = np.dtype(order + _TYPES.get(root.get("header_type", "UInt32"), "u4"))
        compressor = root.get("compressor", "")
        if compressor not in ("", "vtkZLibDataCompressor"):
            raise _bad(path, "VTKFile", f"the compressor {compressor} is not read; save it as ASCII")
        self.zipped = bool(compressor)
        appended = root.find("AppendedData")
        if appended is not None and appended.get("encoding") != "base64":
            raise _bad(path, "AppendedData", "raw binary data is not read; save it as ASCII")
        self.appended = "" if appended is None else (appended.text or "").strip().lstrip("_")

    def of(self, piece: ElementTree.Element, group: str, name: str = "") -> np.ndarray:
        for item in piece.findall(f"{group}/DataArray"):
            if not name or item.get("Name") == name:
                return self.values(item)
        raise _bad(self.path, group, f"the array {name or 'of points'} is missing")

    def strings(self, piece: ElementTree.Element, group: str, name: str) -> list[str]:
        for item in piece.findall(f"{group}/Array"):
            if item.get("Name") == name and item.get("type") == "String":
                codes = self.values(item, "Int8" if item.get("format") != "ascii" else "Int64")
                text = bytes(codes.astype(np.uint8)).decode("utf-8", errors="replace")
                return text.split("\0")[:-1]
        return []

    def values(self, item: ElementTree.Element, kind: str = "") -> np.ndarray:
        where = f"DataArray {item.get('Name', '')}".strip()
        kind = kind or item.get("type", "")
        if kind not in _TYPES:
            raise _bad(self.path, where, f"the type {kind} is not read")
        try:
            if item.get("format", "ascii") == "ascii":
                return np.array((item.text or "").split(), float)
            text = item.text or ""
            if item.get("format") == "appended":
                text = self.appended[int(item.get("offset", "0")) :]
            return np.frombuffer(self._decoded(text.strip()), self.order + _TYPES[kind]).astype(float)
        except (ValueError, zlib.error, binascii.Error, IndexError):
            raise _bad(self.path, where, "its values cannot be decoded") from None

    def _decoded(self, text: str) -> bytes:
        """Base64 with VTK's leading sizes; a compressed array has a header of its own, encoded apart."""
        word = self.header.itemsize
        if not self.zipped:
            size = int(np.frombuffer(_base64(text, word), self.header)[0])
            return _base64(text, word + size)[word:]
        blocks = int(np.frombuffer(_base64(text, word), self.header)[0])
        sizes = np.frombuffer(_base64(text, word * (3 + blocks)), self.header)[3:].astype(int)
        data = _base64(text[4 * -(-word * (3 + blocks) // 3) :], int(sizes.sum()))
        ends = np.cumsum(sizes)
        return b"".join(zlib.decompress(data[e - n : e]) for e, n in zip(ends, sizes, strict=True))


def _base64(text: str, count: int) -> bytes:
    """The first ``count`` bytes of base64 text."""
    return base64.b64decode(text[: 4 * -(-count // 3)])[:count]


def _checked(
    path: Path,
    points: np.ndarray,
    cells: list[np.ndarray],
    data: dict[str, np.ndarray],
    names: list[str],
) -> Polydata:
    if not cells:
        raise _bad(path, "LINES", "it holds no lines")
    for number, cell in enumerate(cells, start=1):
        if len(cell) < 2 or cell.min() < 0 or cell.max() >= len(points):
            raise _bad(path, f"line {number}", "it has fewer than two points, or points that are not there")
    kept = {name: values for name, values in data.items() if len(values) == len(points)}
    return Polydata(points, cells, kept, names)


def _turned(data: Polydata, *, ras: bool) -> Polydata:
    if not ras:
        return data
    return Polydata(data.points * [-1.0, -1.0, 1.0], data.cells, data.point_data, data.names)


def _text(values: np.ndarray) -> str:
    return " ".join(f"{x:.4f}" for x in np.ravel(values))


def _bad(path: Path, where: str, what: str) -> CentrelineError:
    return CentrelineError("bad-file", f"{path.name}, {where}: {what}.", where)
