"""The upload form of a reference file."""

from __future__ import annotations

from typing import Any

from django import forms

from plaquelab.references.models import ReferenceImport

MAX_BYTES = 10 * 2**20


class ImportForm(forms.Form):
    """A kind, a CSV file, and a reason where stored rows are to be replaced."""

    kind = forms.ChoiceField(choices=ReferenceImport.Kind.choices, label="Kind")
    file = forms.FileField(label="CSV file (UTF-8, commas)")
    replace_reason = forms.CharField(
        label="Reason, where stored rows are to be replaced", required=False, max_length=500
    )

    def clean_file(self) -> bytes:
        """Return the file's bytes; the file itself is not kept."""
        upload: Any = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError(
                "The file is larger than 10 MB: import it with “manage.py import_reads” on the server, or split it."
            )
        return bytes(upload.read())
