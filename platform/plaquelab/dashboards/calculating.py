"""One attempt at a calculation: answer with resampling or make the report, and store what came out."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from analytics.questions import Steps
from analytics.report import make_report, write_report
from plaquelab.dashboards import answers
from plaquelab.dashboards.models import Calculation
from plaquelab.dashboards.questions import QUESTIONS
from plaquelab.freezes.frozen import open_freeze
from plaquelab.jobs import services as jobs
from plaquelab.jobs.attempt import Progress, attempt
from plaquelab.storage import store

Told = Callable[[int, int, str], None]


def execute(calculation_id: int) -> Calculation | None:
    """Run one attempt. Returns None when there was nothing to do (somebody else has it, or it has ended)."""
    return attempt(Calculation, calculation_id, what="calculation", work=_calculate_and_store)


def _calculate_and_store(calculation: Calculation, report: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix="calculation-") as folder:
        out = Path(folder)
        _MAKERS[calculation.kind](
            calculation, out, lambda done, total, name: report(name, done / max(total, 1))
        )
        files = {path.name: path.stat().st_size for path in sorted(out.iterdir())}
        for name in files:
            store().put(f"{calculation.folder}/{name}", (out / name).read_bytes())
    with transaction.atomic():
        jobs.finish(calculation, stage="done", files=files)
    shutil.rmtree(memory_folder(calculation), ignore_errors=True)


def _answer(calculation: Calculation, out: Path, progress: Told) -> None:
    """Answer a question with bootstrap intervals."""
    question = QUESTIONS[calculation.question]
    freeze = open_freeze(calculation.freeze)
    parameters, _ = question.read(freeze, calculation.parameters)
    steps = Steps(progress=progress, memory=FolderMemory(memory_folder(calculation)))
    answer = question.answer(freeze, parameters, replicates=calculation.replicates, steps=steps)
    (out / answers.ANSWER_FILE).write_bytes(answers.dump(answers.document(answer)))


def _report(calculation: Calculation, out: Path, progress: Told) -> None:
    """Make the report: HTML, every number, and a PDF where this worker has a Chromium."""
    freeze = open_freeze(calculation.freeze)
    made = make_report(
        freeze,
        profile_name=calculation.parameters["profile"],
        replicates=calculation.replicates,
        progress=progress,
    )
    jobs.report(calculation, "Write HTML and PDF", 1.0)
    written = write_report(made, out)
    if written.pdf is None:
        note = f"No PDF: {written.pdf_reason}."
        Calculation.objects.filter(pk=calculation.pk).update(note=note[:300])


_MAKERS: dict[str, Callable[[Calculation, Path, Told], None]] = {
    Calculation.Kind.ANSWER: _answer,
    Calculation.Kind.REPORT: _report,
}


def memory_folder(calculation: Calculation) -> Path:
    """Return where the finished parts of a calculation are kept until it is done."""
    return Path(settings.DATA_DIR) / "cache" / "steps" / f"{calculation.pk}-{calculation.key[:16]}"


class FolderMemory(MutableMapping[str, Any]):
    """Finished parts of a calculation as files in a private folder, so that an attempt goes on where another was killed.

    Only this process's own objects are written and read there; the folder is mode 0700 and goes when the work is done.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, name: str) -> Path:
        return self.folder / sha256(name.encode()).hexdigest()[:32]

    def __getitem__(self, name: str) -> Any:
        try:
            return pickle.loads(self._path(name).read_bytes())  # noqa: S301  this process's own, in a private folder
        except (FileNotFoundError, EOFError, pickle.UnpicklingError):
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._path(name).exists()

    def __setitem__(self, name: str, value: Any) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._path(name).with_suffix(".part")
        part.write_bytes(pickle.dumps(value))
        part.rename(self._path(name))

    def __delitem__(self, name: str) -> None:
        self._path(name).unlink()

    def __iter__(self) -> Iterator[str]:
        return (path.name for path in self.folder.glob("*"))

    def __len__(self) -> int:
        return sum(1 for _ in self)
