"""Which measuring code this is: one version over the contents of every module that can change a number.

A file that is moved or renamed changes no version, nor do imports, comments, docstrings and blank lines. Whatever else
changes in one of the modules below does, so that a result says which code made it, and asking again after a change
makes a new result. ``analytics.code_version`` does the same for statistics; the two libraries do not know each other,
and a test holds what they share equal.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

NUMBERS = (
    "analysis",
    "centreline.*",
    "certainty.*",
    "composition_profiles",
    "contours.*",
    "grading",
    "networks.*",
    "pipeline",
    "quantification.*",
    "sampling",
    "scan.*",
    "section_grid",
    "straightening",
    "vocabulary",
)
"""Modules that can change a number; ``name.*`` is a package with all that lies in it."""

DATA = ("centreline/artery_points.safetensors", "weights/intervals.json")
"""Files that can change a number."""

WITHOUT_NUMBERS = {
    "": "the release's version and how threads wait",
    "centreline.artery_training": "makes a file of weights, which counts itself",
    "centreline.evaluation": "compares centrelines with a truth; nothing is measured along the result",
    "code_version": "says which code it is",
    "doubts": "what a person is told of a doubt; who raises one counts",
    "errors": "what a person is told",
    "scan.source": "what the headers say of patient and study, for what is written",
}
"""Modules that number-making ones import, or that lie in their packages, and why they cannot change a number."""

DATA_WITHOUT_NUMBERS = {
    "centreline/artery_points.md": "text",
    "training/configs/": "how networks are trained; a run names its weights by their own hash",
    "weights/": "a run names its weights by their own hash",
}
"""Other files of the library, or folders of them, and why they cannot change a number beyond what a run names."""


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the version of this library's number-making code: 16 hexadecimal digits, the same on every Python."""
    return version_of(PACKAGE, modules=NUMBERS, without=WITHOUT_NUMBERS, data=DATA)


def version_of(package: Path, *, modules: Iterable[str], without: Iterable[str], data: Iterable[str]) -> str:
    """Return the version of a copy of the library.

    Parameters
    ----------
    package : the library's folder. modules, data : what counts, as ``NUMBERS`` and ``DATA`` name it.
    without : modules that do not count although they lie in a package that does.

    Raises
    ------
    FileNotFoundError
        A module or file that is named does not exist.
    """
    left_out = paths_of(package, *without)
    files = paths_of(package, *modules) - left_out
    contents = {normalised(path.read_text(encoding="utf-8")) for path in files}
    contents |= {(package / name).read_bytes() for name in data}
    digests = sorted(hashlib.sha256(content).hexdigest() for content in contents if content)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]


def paths_of(package: Path, *names: str) -> set[Path]:
    """Return the files of modules, and of packages with all that lies in them (``name.*``)."""
    found = set()
    for name in names:
        path = path_of(package, name.removesuffix(".*"))
        found |= set(path.parent.rglob("*.py")) if name.endswith(".*") else {path}
    return found


def path_of(package: Path, name: str) -> Path:
    """Return a module's file. Raises FileNotFoundError where there is none of that name."""
    folder = package.joinpath(*name.split(".")) if name else package
    for path in (folder.with_suffix(".py"), folder / "__init__.py"):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{package.name} has no module “{name}”: name in {package.name}/code_version.py where it has moved."
    )


def normalised(source: str) -> bytes:
    """Return what of a module's text can change a number: no imports, comments, texts on their own, blank lines."""
    lines = [bytearray(line) for line in source.encode().splitlines()]
    for node in _statements(ast.parse(source)):
        if _has_no_effect(node):
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            for row in range(first, last + 1):
                start = node.col_offset if row == first else 0
                stop = node.end_col_offset if row == last else None
                stop = len(lines[row]) if stop is None else stop
                lines[row][start:stop] = b" " * (stop - start)
    for row, length in _comments(source):
        del lines[row][len(lines[row]) - length :]
    return b"\n".join(kept for line in lines if (kept := bytes(line).rstrip()))


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below a node; expressions hold none and are not walked, which takes most of the time."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        below = getattr(node, part, ())
        for each in below if isinstance(below, list) else ():
            if isinstance(each, ast.stmt):
                yield each
            yield from _statements(each)


def _has_no_effect(node: ast.stmt) -> bool:
    """Tell whether a node is an import, a text on its own, ``__all__``, or imports for type checkers only."""
    if isinstance(node, ast.If):
        test = node.test
        types_only = isinstance(test, ast.Name) and test.id == "TYPE_CHECKING" and not node.orelse
        return types_only and all(isinstance(each, ast.Import | ast.ImportFrom) for each in node.body)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.Import | ast.ImportFrom)


def _comments(source: str) -> Iterator[tuple[int, int]]:
    """Name each comment: its row from 0, and its length in bytes; it ends its line."""
    if "#" not in source:
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0] - 1, len(token.string.encode())
