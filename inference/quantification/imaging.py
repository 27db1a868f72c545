"""What measuring must know of an image beside its HU: its blur, its noise in blood, its tube voltage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# SD of the blur where the scan does not tell it (``image_quality``): scanner, voxels and interpolation together. Chosen on
# the validation scenario, whose scans are 0.50–0.85 mm wide (full width at half maximum).
USUAL_BLUR_MM = 0.30
# SD that voxels and two linear interpolations add to the scanner's own blur: a box of 0.38 mm, and 0.3 mm of pixels.
GRID_SD_MM = 0.16
FWHM_PER_SD = 2.3548  # full width at half maximum of a Gaussian, in standard deviations


@dataclass(frozen=True)
class Imaging:
    """What a scan's own pixels and header say of it; None where they do not.

    Parameters
    ----------
    aortic_sd_hu : SD of the aortic region, which profile ``adaptive`` takes its limit from.
    psf_plane_mm, psf_along_mm : full width at half maximum of the point spread, in plane and along the table.
    noise_sd_hu, noise_grain_mm : SD of blood, and SD of the Gaussian that its grain looks like.
    kvp : tube voltage, which the calibration of calcium hangs on.
    """

    aortic_sd_hu: float | None = None
    psf_plane_mm: float | None = None
    psf_along_mm: float | None = None
    noise_sd_hu: float | None = None
    noise_grain_mm: float | None = None
    kvp: float | None = None

    @property
    def blur_mm(self) -> float:
        """SD of the blur on a straightened vessel, mm: one number, for its sections lie at any angle to the scan."""
        if self.psf_plane_mm is None:
            return USUAL_BLUR_MM
        along = self.psf_plane_mm if self.psf_along_mm is None else self.psf_along_mm
        of_scanner = (2 * self.psf_plane_mm**2 + along**2) / 3 / FWHM_PER_SD**2
        return float(np.sqrt(of_scanner + GRID_SD_MM**2))

    def as_versions(self) -> dict[str, str]:
        """Return what is known as text, to be stored beside a result."""
        return {name: f"{value:.3f}" for name, value in vars(self).items() if value is not None}

    @classmethod
    def of(cls, versions: Mapping[str, Any]) -> Imaging:
        """Return what ``as_versions`` stored among others; what is missing there is not known."""
        return cls(**{name: float(versions[name]) for name in cls.__dataclass_fields__ if versions.get(name)})


UNKNOWN = Imaging()
