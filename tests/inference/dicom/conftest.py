"""The validator that DICOM output is held against."""

from __future__ import annotations

import pytest

from tests import servers


@pytest.fixture(scope="session")
def dciodvfy() -> str:
    """Path of ``dciodvfy`` (Debian package dicom3tools); installed when root, named when not."""
    return servers.ensure(["dciodvfy"])["dciodvfy"]
