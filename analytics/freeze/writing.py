"""Writing a freeze."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analytics import __version__
from analytics.code_version import code_version
from analytics.errors import AnalyticsError
from analytics.freeze.checking import check, check_together, typed_frame
from analytics.freeze.manifest import FORMAT_VERSION, About, canonical, sha256, whole_hash
from analytics.freeze.schema import FLAG, INTEGER, NUMBER, TABLES, TEXT, TableSchema, dictionary

ARROW = {TEXT: pa.string(), INTEGER: pa.int64(), NUMBER: pa.float64(), FLAG: pa.bool_()}


def write_freeze(
    tables: Mapping[str, Any], about: About, out: Path, *, files: Mapping[str, bytes] | None = None
) -> str:
    """Write a freeze and return its hash.

    Parameters
    ----------
    tables : table name → DataFrame, or mapping of column name to values. ``patients`` is needed; tables that are
        left out do not exist in the freeze. Columns: :data:`analytics.freeze.TABLES`.
    about : where it comes from
    out : folder to make; it may not exist yet. It appears only when all of it is written.
    files : name → content of the pictures that the table ``panels`` names

    Raises
    ------
    AnalyticsError
        When a table breaks its schema, a picture is missing, or the folder exists.
    """
    out = Path(out)
    if out.exists():
        raise AnalyticsError(
            f"{out}: the folder exists already. A freeze is never changed: choose another folder."
        )
    if unknown := sorted(set(tables) - set(TABLES)):
        raise AnalyticsError(f"There is no table {unknown[0]!r}; a freeze has {', '.join(TABLES)}.")
    frames: dict[str, pd.DataFrame] = {}
    for name in TABLES:
        if name in tables:
            frames[name] = typed_frame(TABLES[name], tables[name])
            check(TABLES[name], frames[name])
    check_together(frames)
    files = dict(files or {})
    _check_files(frames, files)
    partial = out.with_name(out.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    content: dict[str, dict[str, Any]] = {}
    for name, frame in frames.items():
        path = partial / f"{name}.parquet"
        pq.write_table(arrow_table(TABLES[name], frame), path, compression="zstd", version="2.6")
        content[name] = {"file": path.name, "rows": len(frame), "sha256": sha256(path.read_bytes())}
    described = canonical(dictionary())
    (partial / "dictionary.json").write_bytes(described)
    if files:
        (partial / "panels").mkdir()
    for name, picture in sorted(files.items()):
        (partial / "panels" / name).write_bytes(picture)
    manifest: dict[str, Any] = {
        "format": "plaquelab freeze",
        "format_version": FORMAT_VERSION,
        "about": about.to_dict(),
        "analytics_version": __version__,
        "analytics_code_version": code_version(),
        "tables": content,
        "dictionary": sha256(described),
        "panels": {name: sha256(picture) for name, picture in sorted(files.items())},
    }
    manifest["hash"] = whole_hash(manifest)
    (partial / "manifest.json").write_bytes(canonical(manifest))
    partial.replace(out)
    return str(manifest["hash"])


def _check_files(frames: Mapping[str, pd.DataFrame], files: Mapping[str, bytes]) -> None:
    named = list(frames["panels"]["file"]) if "panels" in frames else []
    for row, name in enumerate(named, start=1):
        if name not in files:
            raise AnalyticsError(
                f"Table panels: column 'file', row {row}: the picture {name!r} was not given."
            )
    for name in files:
        if name not in named:
            raise AnalyticsError(f"The picture {name!r} is in no row of the table panels.")
        if Path(name).name != name or name.startswith("."):
            raise AnalyticsError(f"Table panels: {name!r} is not a plain file name.")


def arrow_table(schema: TableSchema, frame: pd.DataFrame) -> pa.Table:
    """The frame in the types of the file: nulls are nulls, whole numbers are whole."""
    fields, arrays = [], []
    for name in frame.columns:
        column = schema.column(str(name))
        if column is None:
            raise AnalyticsError(f"Table {schema.name} has no column {name!r}.")
        values = frame[name]
        missing = values.isna().to_numpy()
        if column.type == TEXT:
            array = pa.array(values.astype(object).where(~values.isna(), None), pa.string())
        else:
            filled = values.to_numpy(float) if missing.any() else values.to_numpy()
            array = pa.array(filled, mask=missing, from_pandas=False)
            array = array.cast(ARROW[column.type], safe=False)
        fields.append(pa.field(column.name, ARROW[column.type], nullable=not column.required))
        arrays.append(array)
    return pa.table(arrays, schema=pa.schema(fields))
