"""Files in an S3-compatible bucket. An object appears whole or not at all, by the service's own promise."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from plaquelab.storage.base import MissingFileError, StorageError, check_path

_MISSING = {"NoSuchKey", "404", "NotFound"}


class S3Store:
    """A store in one bucket; credentials come from the environment, as every S3 client takes them.

    Parameters
    ----------
    bucket : its name; it must exist.
    endpoint_url : the service's address; None for Amazon's own.
    """

    def __init__(self, *, bucket: str, endpoint_url: str | None = None) -> None:
        self.bucket = bucket
        config = Config(retries={"max_attempts": 5, "mode": "standard"}, connect_timeout=5, read_timeout=60)
        self._client: Any = boto3.client("s3", endpoint_url=endpoint_url, config=config)

    def put(self, path: str, data: bytes) -> None:
        """Store ``data`` whole or not at all."""
        self._call("put_object", path, Body=data)

    def get(self, path: str) -> bytes:
        """Return the bytes, or raise :class:`MissingFileError`."""
        return self._call("get_object", path)["Body"].read()

    def open(self, path: str) -> BinaryIO:
        """Open for reading, or raise :class:`MissingFileError`."""
        return io.BytesIO(self.get(path))

    def exists(self, path: str) -> bool:
        """Tell whether an object is stored there."""
        try:
            self.size(path)
        except MissingFileError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Remove the object; a missing one is fine."""
        self._call("delete_object", path)

    def size(self, path: str) -> int:
        """Return the size in bytes, or raise :class:`MissingFileError`."""
        return int(self._call("head_object", path)["ContentLength"])

    def _call(self, operation: str, path: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, operation)(Bucket=self.bucket, Key=check_path(path), **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise MissingFileError(f"Nothing is stored under {path}.") from error
            raise StorageError(f"The object store refused {operation} of {path} ({code}).") from error
        except BotoCoreError as error:
            raise StorageError(f"The object store cannot be reached ({type(error).__name__}).") from error
