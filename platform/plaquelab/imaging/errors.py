"""What can be wrong with an import; the text is for the person who sent it."""

from __future__ import annotations

from plaquelab.errors import Refusal


class ImportRejected(Refusal):
    """The upload cannot become an exam, and why. Nothing of it is kept.

    Parameters
    ----------
    code : short kebab-case name, stable for tests, pages and scripts.
    message : what was wrong and what to do; never holds an identifier or a file name.
    file_index, member : running number of the file, and of its member inside an archive.
    """

    def __init__(
        self, code: str, message: str, *, file_index: int | None = None, member: int | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.file_index = file_index
        self.member = member


class MissingKeyError(Exception):
    """The study has exams but its key file is gone: new pseudonyms would not match the old ones."""
