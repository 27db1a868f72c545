"""A number that somebody chose says by what: no constant stands without a word beside it."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "inference",
    "analytics",
)
LEFT_OUT = ("inference/vocabulary.py", "inference/phantom", "analytics/simulation")
"""The vocabulary is a table with labels; settings of a phantom or a simulated study are what it simulates."""


def unexplained(source: str) -> list[str]:
    """Numeric module-level constants without a comment on their line, a text below, or a comment above their block."""
    lines = source.split("\n")
    body = ast.parse(source).body
    found, explained, last = [], False, -2
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and last == node.lineno - 1:
            last = node.end_lineno or node.lineno
            continue
        if not is_numeric(node):
            last = -2
            continue
        if node.lineno != last + 1:  # a new block
            explained = lines[node.lineno - 2].startswith("#")
        else:
            explained = explained or lines[node.lineno - 2].startswith("#")
        last = node.end_lineno or node.lineno
        while lines[last].startswith("#"):
            last += 1
        own = any("#" in line for line in lines[node.lineno - 1 : node.end_lineno])
        text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if not (explained or own or (text and isinstance(after.value.value, str))):
            found.append(lines[node.lineno - 1])
    return found


def is_numeric(node: ast.stmt) -> bool:
    """Tell whether a statement names numbers, alone or in tuples and tables, in upper case."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        targets, value = [node.target], node.value
    elif isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    else:
        return False
    names = [n for t in targets for n in (t.elts if isinstance(t, ast.Tuple) else [t])]
    if not all(isinstance(n, ast.Name) and n.id.isupper() for n in names):
        return False
    numbers = [x for x in ast.walk(value) if isinstance(x, ast.Constant) and isinstance(x.value, int | float)]
    plain = (ast.Constant, ast.Tuple, ast.Dict, ast.UnaryOp, ast.USub, ast.Load)
    return bool(numbers) and all(isinstance(x, plain) for x in ast.walk(value))


def test_every_chosen_number_says_what_chose_it() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): names
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if not path.relative_to(ROOT).as_posix().startswith(LEFT_OUT)
        and (names := unexplained(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_each_way_to_explain_is_seen() -> None:
    source = (
        "import x\n\n"
        "BARE = 3.0\n"
        "INLINE = 2  # the shortest\n"
        "TEXT = (1.0, -2.0)\n"
        '"""From here to there."""\n\n'
        "# Chosen together on validation.\n"
        "FIRST = 1\n"
        "SECOND = {'a': (1.0, 2.0)}\n\n"
        "ALONE = 7\n"
        "MADE = x.pi * 2\n"
        "small = 1\n"
    )
    assert unexplained(source) == ["BARE = 3.0", "ALONE = 7"]
