"""What a person asked for and cannot have has one root; an error beside it says why it is none."""

from __future__ import annotations

import ast
from pathlib import Path

PLATFORM = Path(__file__).resolve().parents[2] / "platform" / "plaquelab"
# Errors that nobody is told of as they are, and why.
NO_REFUSALS = {
    "Refusal": "the root itself",
    "JobLostError": "a worker's own: another attempt holds the job",
    "JobCancelledError": "a worker's own: a person wants it to stop",
    "NotDicomError": "a file's kind, which screening turns into an issue",
    "DamagedDicomError": "a file's kind, which screening turns into an issue",
    "MissingKeyError": "the installation's, for the operator",
    "StorageError": "the installation's, for the operator",
    "DemonstrationError": "the demonstration's script",
    "NoSuchDrawError": "the demonstration's script",
    "NotDemonstrationError": "the demonstration's script",
    "_Stopped": "the supervisor's own",
}


def test_every_error_descends_from_the_root_of_refusals_or_says_why_not() -> None:
    roots = set()
    for path in PLATFORM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if bases & {"Exception", "BaseException", "ValueError", "RuntimeError", "APIException"}:
                    roots.add(node.name)
    assert roots == set(NO_REFUSALS)
