"""What can be wrong with a read; every text is for a person."""

from __future__ import annotations

from plaquelab.errors import Refusal


class ReadingError(Refusal):
    """Something in reading that cannot be done as asked."""

    code = "reading"


class AssignmentError(ReadingError):
    """These persons cannot read or adjudicate this case."""

    code = "assignment"


class EditError(ReadingError):
    """A command that says nothing possible about this vessel."""

    code = "edit"


class StaleVersionError(ReadingError):
    """The read was changed elsewhere since the page saw it."""

    code = "stale-version"
    status = 409


class FormError(ReadingError):
    """The form is not filled in as it must be."""

    code = "form"


class SigningError(ReadingError):
    """The password was wrong, or signing is closed for a while."""

    code = "signing"
