"""The CT volume: HU and patient geometry (LPS, mm)."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from inference.errors import VolumeError


@dataclass(frozen=True)
class Volume:
    """A CT volume.

    Parameters
    ----------
    hu : (slices, rows, columns) int16, indexed [k, j, i].
    affine : (4, 4) float64, (i, j, k, 1) → DICOM patient LPS mm.
    metadata : plain values (manufacturer, kvp, kernel, spacing_mm …); never identifiers.
    warnings : what a person should know about the scan.
    """

    hu: np.ndarray
    affine: np.ndarray
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.hu.ndim != 3 or self.hu.dtype != np.int16 or min(self.hu.shape) < 2:
            raise VolumeError(
                "bad-volume",
                f"A volume needs int16 (slices, rows, columns), not {self.hu.dtype} {self.hu.shape}.",
            )
        if (
            self.affine.shape != (4, 4)
            or not np.isfinite(self.affine).all()
            or abs(np.linalg.det(self.affine)) < 1e-9
        ):
            raise VolumeError("bad-geometry", "The volume's affine cannot be inverted.")

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.inv(self.affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along i, j, k."""
        a, b, c = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(a), float(b), float(c)

    @cached_property
    def content_sha256(self) -> str:
        """Hash of HU and geometry."""
        h = hashlib.sha256(np.ascontiguousarray(self.hu).tobytes())
        h.update(np.ascontiguousarray(self.affine, dtype=np.float64).tobytes())
        return h.hexdigest()

    def to_index(self, points: np.ndarray) -> np.ndarray:
        """Map LPS mm (..., 3) to continuous voxel indices (i, j, k)."""
        return np.asarray(np.asarray(points, float) @ self._inverse[:3, :3].T + self._inverse[:3, 3])

    def to_patient(self, ijk: np.ndarray) -> np.ndarray:
        """Map continuous voxel indices (i, j, k) (..., 3) to LPS mm."""
        return np.asarray(np.asarray(ijk, float) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_bytes(self) -> bytes:
        """Return the volume as an npz (uncompressed HU: it is written once and read often)."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            hu=self.hu,
            affine=self.affine,
            metadata=np.frombuffer(json.dumps(dict(self.metadata)).encode(), np.uint8),
            warnings=np.frombuffer(json.dumps(list(self.warnings)).encode(), np.uint8),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Volume:
        """Read what ``to_bytes`` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as z:
            return cls(
                hu=z["hu"],
                affine=z["affine"],
                metadata=json.loads(z["metadata"].tobytes()),
                warnings=tuple(json.loads(z["warnings"].tobytes())),
            )
