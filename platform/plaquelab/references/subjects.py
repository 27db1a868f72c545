"""The study's subjects as an import finds them: by pseudonym, with the exam and the scan date that it needs."""

from __future__ import annotations

from datetime import date

from plaquelab.imaging.models import Exam
from plaquelab.imaging.scan_dates import index_exams, original_scan_date
from plaquelab.references.reading_csv import CsvRow, number_of
from plaquelab.references.report import Report
from plaquelab.studies.models import Study, Subject

NO_SCAN_DATE = "this subject has no stored scan date: give days from the scan instead of a calendar date."


class Subjects:
    """Looks up subjects of one study; scan dates live here, for the time of one import, and nowhere else."""

    def __init__(self, study: Study) -> None:
        self._by_name = dict(Subject.objects.filter(study=study).values_list("pseudonym", "pk"))
        self.names = {pk: name for name, pk in self._by_name.items()}
        self._exams = index_exams(study.pk)
        self._dates: dict[int, date | None] = {}
        self._unknown: set[str] = set()

    def find(self, row: CsvRow, report: Report) -> int | None:
        """Return the row's subject, or None after saying that the study has none of this name."""
        name = row["subject"]
        found = self._by_name.get(name)
        if found is None and not name:
            report.refuse("the subject is missing.", row.number, "subject")
        elif found is None:
            known = {other.lower(): other for other in self._by_name}
            near = known.get(name.lower())
            hint = f": did you mean “{near}”?" if near else "."
            report.refuse(f"this study has no subject “{name[:40]}”{hint}", row.number, "subject")
        return found

    def exam(self, subject: int) -> Exam | None:
        """Return the exam that references of this subject speak of."""
        return self._exams.get(subject)

    def scan_date(self, subject: int) -> date | None:
        """Return the day of the subject's scan, where images are stored."""
        if subject not in self._dates:
            exam = self._exams.get(subject)
            self._dates[subject] = original_scan_date(exam) if exam else None
        return self._dates[subject]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.names)


def days_of(
    row: CsvRow, column: str, subject: int, subjects: Subjects, report: Report
) -> tuple[float | None, bool]:
    """Return days from the scan out of a cell with days or a calendar date, and whether it was a date.

    The date is forgotten here: neither report nor entry holds it.
    """
    text = row[column]
    if text.count("-") == 2 or text.count("/") == 2 or text.count(".") == 2:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            report.refuse("this is no date of the form 2018-01-31 (year, month, day).", row.number, column)
            return None, True
        scanned = subjects.scan_date(subject)
        if scanned is None:
            report.refuse(NO_SCAN_DATE, row.number, column)
            return None, True
        return float((day - scanned).days), True
    return number_of(row, column, report), False
