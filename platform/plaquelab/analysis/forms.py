"""Centrelines given by a person: a file, or two points a vessel."""

from __future__ import annotations

from typing import Any

from django import forms

from plaquelab.analysis import centreline_sets
from plaquelab.analysis.centreline_sets import CentrelineInputError, TwoPoints

MAX_BYTES = 5 * 2**20


class CentrelineFileForm(forms.Form):
    """One CSV file: ``vessel,segment,x_mm,y_mm,z_mm``."""

    file = forms.FileField(label="Centreline file (CSV)")
    is_second_operator = forms.BooleanField(required=False)

    def clean_file(self) -> list[Any]:
        """Read the file; the error names the row."""
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError("The file is larger than 5 MB: this is no centreline file.")
        try:
            return centreline_sets.read_csv(upload.read())
        except CentrelineInputError as error:
            raise forms.ValidationError(str(error)) from error


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
