"""Files named by their content: the name is that of what they hold, and what exists is not made again."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from plaquelab.storage import store
from plaquelab.storage.content import put_file, put_made


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Any) -> None:
    settings.FILES_DIR = tmp_path


def test_a_file_is_named_by_what_it_holds() -> None:
    digest = hashlib.sha256(b"one").hexdigest()
    file = put_file(folder="runs/1", kind="analysis", suffix=".json", data=b"one")
    assert (file.path, file.sha256, file.size) == (f"runs/1/analysis-{digest[:16]}.json", digest, 3)
    assert store().get(file.path) == b"one"


@pytest.mark.parametrize("damaged", [b"on", b"onf"])
def test_a_damaged_file_is_replaced_and_never_hashed_as_found(damaged: bytes) -> None:
    file = put_file(folder="runs/1", kind="analysis", suffix=".json", data=b"one")
    store().put(file.path, damaged)
    assert put_file(folder="runs/1", kind="analysis", suffix=".json", data=b"one") == file
    assert store().get(file.path) == b"one"


def test_what_exists_is_not_made_again_and_its_row_says_what_is_stored() -> None:
    def other() -> bytes:
        return pytest.fail("made again")

    first = put_made(folder="a", kind="LAD", suffix=".npz", content="c" * 64, make=lambda: b"packed")
    assert first.path == "a/LAD-cccccccccccccccc.npz"
    assert first.sha256 == hashlib.sha256(b"packed").hexdigest()
    assert put_made(folder="a", kind="LAD", suffix=".npz", content="c" * 64, make=other) == first
