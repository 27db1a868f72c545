"""Centrelines given by a person: a file, or two points a vessel."""

from __future__ import annotations

from typing import Any

from django import forms

from plaquelab.analysis import centreline_sets
from plaquelab.analysis.centreline_sets import CentrelineInputError, TwoPoints

MAX_BYTES = 5 * 2**20


class FilesInput(forms.ClearableFileInput):
    """A control that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several, none of them empty."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Check each file as a single one is."""
        return [super(FilesField, self).clean(each, initial) for each in data or [None]]


class CentrelineFileForm(forms.Form):
    """Files of centrelines: CSV, VTK, VTP, or CAT08 text with one vessel each."""

    file = FilesField(label="Centreline files")
    vessels = forms.CharField(required=False, max_length=200)
    is_second_operator = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """Read the files; the error names the file and the row."""
        given = self.cleaned_data
        uploads = given.get("file") or []
        if sum(upload.size for upload in uploads) > MAX_BYTES:
            self.add_error("file", "The files are larger than 5 MB: these are no centreline files.")
        elif uploads:
            names = [name.strip() for name in given.get("vessels", "").split(",") if name.strip()]
            try:
                given["lines"] = centreline_sets.read_files(
                    [(upload.name, upload.read()) for upload in uploads], vessels=names
                )
            except CentrelineInputError as error:
                self.add_error("file", str(error))
        return given


class TwoPointForm(forms.Form):
    """One line a vessel: its name, then start and end as ``x y z`` in patient LPS mm."""

    points = forms.CharField(
        label="Two points a vessel",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One line a vessel: name, start x y z, end x y z; millimetres in patient coordinates (LPS).",
    )

    is_second_operator = forms.BooleanField(required=False)

    def clean_points(self) -> list[TwoPoints]:
        """Read the lines; the error names the line."""
        result = []
        for number, line in enumerate(self.cleaned_data["points"].splitlines(), 1):
            parts = line.replace(",", " ").replace(";", " ").split()
            if not parts:
                continue
            if len(parts) != 7:
                raise forms.ValidationError(
                    f"Line {number}: a vessel's name and six numbers are needed, not {len(parts)} values."
                )
            try:
                x = [float(part) for part in parts[1:]]
                result.append(TwoPoints(parts[0], (x[0], x[1], x[2]), (x[3], x[4], x[5])))
            except ValueError:
                raise forms.ValidationError(
                    f"Line {number}: “{line.strip()}” holds something that is no number."
                ) from None
            except CentrelineInputError as error:
                raise forms.ValidationError(f"Line {number}: {error}") from error
        if not result:
            raise forms.ValidationError("No vessel was given.")
        return result
