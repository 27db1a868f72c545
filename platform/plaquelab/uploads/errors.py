"""What can be wrong with an upload; the text is for the person who sends it."""

from __future__ import annotations

from plaquelab.errors import Refusal

_STATUS = {"file-too-large": 413, "too-large": 413, "not-open": 409, "missing-files": 409}


class UploadError(Refusal):
    """A refused upload or file.

    Parameters
    ----------
    code : short kebab-case name, stable for tests and scripts.
    message : what was wrong and what to do; never holds a file name or an identifier.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code, status=_STATUS.get(code, 400))
