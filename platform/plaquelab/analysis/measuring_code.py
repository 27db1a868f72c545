"""Which measuring code made a result, and whether it is today's: versions of ``inference.code_version``."""

from __future__ import annotations

from inference.code_version import code_version


def today() -> str:
    """Return the version of the code that measures now."""
    return code_version()


def made_earlier(version: str) -> bool:
    """Tell whether a result was made by other measuring code than today's, or before versions were kept."""
    return version != today()


def words(version: str) -> str:
    """Say that a result was made by older code than today's; nothing where it was not."""
    if not made_earlier(version):
        return ""
    if not version:
        return "Measured before versions of the measuring code were kept."
    return f"Measured by older code than today's (version {version})."
