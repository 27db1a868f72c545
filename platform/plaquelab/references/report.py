"""What is said about a file: problems that refuse it, notes that do not, each with its row and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from plaquelab.errors import Refusal


@dataclass(frozen=True)
class Problem:
    """Something that must be put right first. ``row`` counts as a spreadsheet does (the heading is row 1)."""

    text: str
    row: int | None = None
    column: str = ""

    def __str__(self) -> str:
        where = "" if self.row is None else f"row {self.row}"
        where += f"{', ' if where else ''}column {self.column}" if self.column else ""
        return f"{where}: {self.text}" if where else self.text


@dataclass
class Report:
    """Problems and notes as they are found; at most ``LIMIT`` of each are kept, all are counted."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    problem_count: int = 0
    note_count: int = 0

    LIMIT = 500

    def refuse(self, text: str, row: int | None = None, column: str = "") -> None:
        """Add a problem."""
        self.problem_count += 1
        if len(self.problems) < self.LIMIT:
            self.problems.append(Problem(text, row, column))

    def note(self, row: int, text: str) -> None:
        """Add a note."""
        self.note_count += 1
        if len(self.notes) < self.LIMIT:
            self.notes.append((row, text))

    def refused_rows(self) -> set[int]:
        """Return the rows with a problem."""
        return {problem.row for problem in self.problems if problem.row is not None}


class ImportRefusedError(Refusal):
    """The file was not taken: nothing of it is stored. ``report`` says why, row by row."""

    code = "import-refused"

    def __init__(self, report: Report) -> None:
        self.report = report
        first: Sequence[Problem] = report.problems[:1]
        count = report.problem_count
        more = f" ({count - 1} more)" if count > 1 else ""
        super().__init__(f"{first[0] if first else 'nothing to import'}{more}")
