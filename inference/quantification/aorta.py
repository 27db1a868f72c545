"""The aortic region at the left-main ostium: what profile ``adaptive`` takes noise from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.errors import QuantificationError
from inference.scan import Volume

# The area is the definition's; how far the disc is looked for, and how bright and even it must be, was chosen by hand, and
# no figure was kept.
LEAST_AREA_CM2 = 1.0
SEARCH_MM = 26.0
STEP_MM = 2.0
LEAST_SHARE_OF_LUMEN = 0.7
DARKEST_SHARE = 0.45


@dataclass(frozen=True)
class AorticRegion:
    """A disc of blood in the aorta: centre (LPS mm), area (cm²), mean and SD (HU), tube voltage where stated (kVp)."""

    centre: tuple[float, float, float]
    area_cm2: float
    mean_hu: float
    sd_hu: float
    kvp: float | None


def aortic_region(volume: Volume, ostium: np.ndarray, lumen_hu: float) -> AorticRegion:
    """Find the homogeneous disc of at least 1 cm² in the ostium's slice that lies nearest to the left-main ostium.

    Parameters
    ----------
    volume : the scan. ostium : (3,) LPS mm, first point of the left main.
    lumen_hu : mean HU of the left main's lumen; the disc must be about as bright.

    Raises
    ------
    QuantificationError
        ``no-aorta``: no such disc within 26 mm.
    """
    inverse = np.linalg.inv(volume.affine)
    radius = np.sqrt(100 * LEAST_AREA_CM2 / np.pi) * 1.02
    ring = np.arange(-radius, radius + 0.25, 0.5)
    du, dv = (x.ravel() for x in np.meshgrid(ring, ring))
    inside = du**2 + dv**2 <= radius**2
    across, down = (volume.affine[:3, n] / np.linalg.norm(volume.affine[:3, n]) for n in (0, 1))
    disc = du[inside, None] * across + dv[inside, None] * down
    steps = np.arange(-SEARCH_MM, SEARCH_MM + STEP_MM / 2, STEP_MM)
    places = np.stack([x.ravel() for x in np.meshgrid(steps, steps)], axis=1)
    distance = np.hypot(*places.T)
    for n in np.argsort(distance, kind="stable"):
        if distance[n] > SEARCH_MM:
            break
        centre = np.asarray(ostium, float) + places[n, 0] * across + places[n, 1] * down
        i, j, k = np.rint((centre + disc) @ inverse[:3, :3].T + inverse[:3, 3]).astype(int).T
        shape = volume.hu.shape
        if (
            min(i.min(), j.min(), k.min()) < 0
            or k.max() >= shape[0]
            or j.max() >= shape[1]
            or i.max() >= shape[2]
        ):
            continue
        hu = volume.hu[k, j, i].astype(float)
        if hu.mean() < LEAST_SHARE_OF_LUMEN * lumen_hu or np.quantile(hu, 0.01) < DARKEST_SHARE * lumen_hu:
            continue
        kvp = volume.metadata.get("kvp")
        return AorticRegion(
            centre=(float(centre[0]), float(centre[1]), float(centre[2])),
            area_cm2=float(np.pi * radius**2 / 100),
            mean_hu=float(hu.mean()),
            sd_hu=float(hu.std()),
            kvp=None if kvp is None else float(kvp),
        )
    raise QuantificationError(
        "no-aorta",
        f"No homogeneous disc of {LEAST_AREA_CM2:.0f} cm² as bright as the left main ({lumen_hu:.0f} HU) lies within "
        f"{SEARCH_MM:.0f} mm of its ostium: check that the left main's centreline begins at the aorta.",
        "left-main ostium",
    )
