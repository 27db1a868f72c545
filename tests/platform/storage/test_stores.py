"""Both stores keep the same promises."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from plaquelab.storage import MissingFileError, StorageError, Store
from plaquelab.storage.folder import FolderStore


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "files")
        return
    import boto3
    from moto import mock_aws

    from plaquelab.storage.s3 import S3Store

    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="plaquelab")
        yield S3Store(bucket="plaquelab")


def test_what_is_put_is_got(kept: Store) -> None:
    kept.put("exams/1/volume-abc.npz", b"\x00\x01\x02")
    assert kept.get("exams/1/volume-abc.npz") == b"\x00\x01\x02"
    assert kept.size("exams/1/volume-abc.npz") == 3
    with kept.open("exams/1/volume-abc.npz") as file:
        assert file.read(2) == b"\x00\x01"


def test_the_same_path_again_replaces(kept: Store) -> None:
    kept.put("a", b"one")
    kept.put("a", b"three")
    assert kept.get("a") == b"three"


def test_missing_files_are_said_to_be_missing(kept: Store) -> None:
    assert not kept.exists("no/such")
    for read in (kept.get, kept.size, kept.open):
        with pytest.raises(MissingFileError, match="no/such"):
            read("no/such")
    kept.delete("no/such")


def test_deleted_files_are_gone(kept: Store) -> None:
    kept.put("a/b", b"x")
    kept.delete("a/b")
    assert not kept.exists("a/b")


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../b", "a//b", "a/", ".hidden", "a b", "a\x00b"])
def test_odd_paths_are_refused(kept: Store, path: str) -> None:
    with pytest.raises(StorageError, match="no storage path"):
        kept.put(path, b"x")
    with pytest.raises(StorageError, match="no storage path"):
        kept.get(path)


def test_folder_is_private(tmp_path: Path) -> None:
    FolderStore(tmp_path / "files").put("a/b/c", b"x")
    assert stat.S_IMODE((tmp_path / "files/a/b/c").stat().st_mode) == 0o600
    for folder in ("files", "files/a", "files/a/b"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = FolderStore(tmp_path)
    kept.put("a/b", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        kept.put("a/b", b"new")
    assert kept.get("a/b") == b"old"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_settings_choose_the_store(settings, tmp_path: Path) -> None:
    from plaquelab.storage import store

    settings.FILES_DIR = tmp_path
    assert isinstance(store(), FolderStore)
    settings.FILE_STORE = "floppy"
    with pytest.raises(StorageError, match="FILE_STORE"):
        store()
