"""What can be wrong with a read; every text is for a person."""

from __future__ import annotations


class ReadingError(Exception):
    """Something in reading that cannot be done as asked."""


class AssignmentError(ReadingError):
    """These persons cannot read or adjudicate this case."""


class EditError(ReadingError):
    """A command that says nothing possible about this vessel."""


class StaleVersionError(ReadingError):
    """The read was changed elsewhere since the page saw it."""


class FormError(ReadingError):
    """The form is not filled in as it must be."""


class SigningError(ReadingError):
    """The password was wrong, or signing is closed for a while."""
