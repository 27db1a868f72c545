"""Answers as pages need them: computed once per freeze, parameters and version of the code, kept as a file.

The files are a cache: they may be deleted at any time. Who may see an answer was decided before it is asked for here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from analytics.code_version import source_version
from analytics.result import Result
from analytics.rounding import typeset
from plaquelab.dashboards.questions import Question

if TYPE_CHECKING:
    from analytics.freeze import Freeze
    from analytics.questions import Answer
Document = dict[str, Any]
MOST_FILES = 2_000
ANSWER_FILE = "answer.json.z"
"""Under this name a calculation keeps its answer."""


def answer_key(question: Question, parameters: Any, replicates: int = 0) -> str:
    """What an answer depends on beside the freeze, as a hash: question, parameters, resamples, code."""
    content = [question.key, sorted(question.query(parameters).items()), replicates, source_version()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def report_key(profile: str, replicates: int) -> str:
    """What a report depends on beside the freeze, as a hash."""
    return hashlib.sha256(json.dumps(["report", profile, replicates, source_version()]).encode()).hexdigest()


def fast_answer(freeze: Freeze, question: Question, parameters: Any) -> Document:
    """The answer without resampling: from its file, or computed now."""
    key = answer_key(question, parameters)
    found = read_file(freeze.hash, key)
    if found is None:
        found = document(question.answer(freeze, parameters))
        write_file(freeze.hash, key, dump(found))
    return found


def document(answer: Answer) -> Document:
    """An answer as plain values. Each figure is a JSON text with the sentences and numbers that its caption cites."""
    estimated = list(_results(answer.results))
    figures = []
    for figure in answer.figures:
        behind = [result for result in estimated if result.caption() in figure.caption]
        drawing = figure.drawing.to_dict()
        figures.append(
            {
                "name": figure.name,
                "title": figure.title,
                "caption": typeset(figure.caption),
                "sentences": [typeset(result.sentence()) for result in behind] or [typeset(figure.caption)],
                "numbers": [result.to_dict() for result in behind],
                "drawing": json.dumps(drawing, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
            }
        )
    return {
        "question": answer.question,
        "title": answer.title,
        "simulated": answer.simulated,
        "notes": [typeset(note) for note in answer.notes],
        "figures": figures,
        "grids": [{**grid.to_dict(), "caption": typeset(grid.caption)} for grid in answer.grids],
        "numbers": answer.numbers(),
    }


def _results(value: Any) -> Iterator[Result]:
    """Every result object, however deep in mappings, sequences and containers of results."""
    if isinstance(value, Result):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _results(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _results(part)
    elif dataclasses.is_dataclass(value):
        yield from _results(vars(value))


def dump(content: Document) -> bytes:
    """A document as a file's bytes; NaN cannot occur in it."""
    return zlib.compress(json.dumps(content, ensure_ascii=False, allow_nan=False).encode(), 1)


def load(data: bytes) -> Document:
    """The document in a file's bytes."""
    found: Document = json.loads(zlib.decompress(data))
    return found


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "cache" / "answers"


def read_file(freeze_hash: str, key: str) -> Document | None:
    """A kept document, or None; a file that was cut short counts as none."""
    path = _folder() / f"{freeze_hash[:16]}-{key[:32]}"
    try:
        return load(path.read_bytes())
    except (FileNotFoundError, zlib.error, ValueError):
        return None


def write_file(freeze_hash: str, key: str, data: bytes) -> None:
    """Keep a document whole or not at all; the oldest go when there are too many."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".part-")
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    os.replace(name, folder / f"{freeze_hash[:16]}-{key[:32]}")
    files = [entry for entry in os.scandir(folder) if entry.is_file()]
    if len(files) > MOST_FILES:
        for entry in sorted(files, key=lambda e: e.stat().st_mtime)[: len(files) - MOST_FILES]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(entry.path)
