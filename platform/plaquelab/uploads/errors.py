"""What can be wrong with an upload; the text is for the person who sends it."""

from __future__ import annotations


class UploadError(Exception):
    """A refused upload or file.

    Parameters
    ----------
    code : short kebab-case name, stable for tests and scripts.
    message : what was wrong and what to do; never holds a file name or an identifier.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
