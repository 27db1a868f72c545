"""How what could not be read reads its columns."""

from __future__ import annotations

from analytics.missing.uninterpretable import uninterpretable_of
from analytics.tables.adapter import READINGS, Column, Columns, entries

READINGS[uninterpretable_of] = Columns(
    {
        "patient": Column("patients", entries),
        "vessel": Column("vessels", entries),
        "flag": Column("flags"),
        "lesion": Column("lesions", entries, required=False),
        "reason": Column("reasons", entries, required=False),
    }
)
