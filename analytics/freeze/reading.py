"""Reading a freeze: hashes first, then each table when it is asked for, checked against its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.errors import AnalyticsError
from analytics.freeze.checking import check, check_together, typed_frame
from analytics.freeze.manifest import FORMAT_VERSION, About, sha256, whole_hash
from analytics.freeze.schema import TABLES
from analytics.freeze.writing import ARROW

T = TypeVar("T")


@dataclass(frozen=True)
class Freeze:
    """An opened freeze.

    folder : where it lies
    about : where it comes from
    hash : SHA-256 over all of it
    manifest : the whole manifest

    ``table(name)`` returns a DataFrame: text as categorical, numbers as float64, integers and flags as int64 and
    bool, or as float64 with NaN where cells are null. Do not change it: it is shared.
    """

    folder: Path
    about: About
    hash: str
    manifest: Mapping[str, Any]
    _tables: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _derived: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def simulated(self) -> bool:
        """Whether any of its data is simulated."""
        return self.about.simulated

    def has(self, name: str) -> bool:
        """Whether the freeze has a table of that name with at least one row."""
        return bool(self.manifest["tables"].get(name, {}).get("rows", 0))

    def table(self, name: str) -> pd.DataFrame:
        """One table; without rows where the freeze has none of that name.

        Raises AnalyticsError when its file does not match the manifest or breaks the schema.
        """
        if name not in self._tables:
            self._tables[name] = self._read(name)
        return self._tables[name]

    def _read(self, name: str) -> pd.DataFrame:
        if name not in TABLES:
            raise AnalyticsError(f"There is no table {name!r}; a freeze has {', '.join(TABLES)}.")
        schema, entry = TABLES[name], self.manifest["tables"].get(name)
        if entry is None:
            return typed_frame(schema, {column.name: [] for column in schema.columns})
        path = self.folder / str(entry["file"])
        content = _bytes(path)
        if sha256(content) != entry["sha256"]:
            raise AnalyticsError(
                f"{path}: the file was changed after the freeze was made (its SHA-256 differs)."
            )
        try:
            read = pq.read_table(pa.BufferReader(content))
        except pa.ArrowInvalid as error:
            raise AnalyticsError(f"{path}: not a Parquet file ({str(error)[:80]}).") from None
        for part in read.schema:
            column = schema.column(part.name)
            if column is not None and part.type != ARROW[column.type]:
                raise AnalyticsError(
                    f"Table {name}: column {part.name!r} holds {part.type}; {ARROW[column.type]} is needed."
                )
        frame = typed_frame(schema, read.to_pandas(strings_to_categorical=True, integer_object_nulls=False))
        check(schema, frame)
        return frame

    def derived(self, key: Any, make: Callable[[], T]) -> T:
        """What ``make`` returns, computed once per opened freeze: a freeze does not change."""
        if key not in self._derived:
            self._derived[key] = make()
        found: T = self._derived[key]
        return found

    def panel(self, name: str) -> bytes:
        """One stored picture. Raises AnalyticsError when there is none such or it was changed."""
        if name not in self.manifest["panels"]:
            raise AnalyticsError(f"The freeze has no picture {name!r}.")
        content = _bytes(self.folder / "panels" / name)
        if sha256(content) != self.manifest["panels"][name]:
            raise AnalyticsError(f"panels/{name}: the picture was changed after the freeze was made.")
        return content

    def verify(self) -> None:
        """Read and check everything; raises AnalyticsError at the first thing that is wrong."""
        check_together({name: self.table(name) for name in TABLES if name in self.manifest["tables"]})
        for name in self.manifest["panels"]:
            self.panel(name)
        if sha256(_bytes(self.folder / "dictionary.json")) != self.manifest["dictionary"]:
            raise AnalyticsError("dictionary.json was changed after the freeze was made.")


def read_freeze(folder: Path) -> Freeze:
    """Open a freeze.

    Raises
    ------
    AnalyticsError
        When the folder is no freeze, its format is newer, or the manifest does not match its own hash. Tables are
        checked when they are asked for; :meth:`Freeze.verify` checks all at once.
    """
    folder = Path(folder)
    path = folder / "manifest.json"
    try:
        manifest = json.loads(_bytes(path))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise AnalyticsError(f"{path}: not a JSON file.") from None
    if not isinstance(manifest, dict) or manifest.get("format") != "plaquelab freeze":
        raise AnalyticsError(f"{path}: not the manifest of a freeze.")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise AnalyticsError(
            f"{path}: format version {manifest.get('format_version')}; this version reads {FORMAT_VERSION}."
        )
    if whole_hash(manifest) != manifest.get("hash"):
        raise AnalyticsError(
            f"{path}: the manifest was changed after the freeze was made (its hash differs)."
        )
    return Freeze(folder, About.from_dict(manifest["about"]), manifest["hash"], manifest)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise AnalyticsError(
            f"{path}: there is no such file. Give the folder that holds manifest.json."
        ) from None
