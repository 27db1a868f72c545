"""Mass and volume of every cylinder, noise, edge spread, and a verdict against stated limits.

The mass of a cylinder is its HU above the insert, integrated without a threshold, over the HU per mg/cc that the rod
shows. The integral is weighted by the cylinder's own shape as the scan blurs it (least squares with a level a slice), so that noise
beside it counts little; the plain sum stands beside it. Beside both stand the volume above 350 HU, which is what
plaque is measured by, and the volume that the integral gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from inference.composition_profiles import PROFILES
from inference.qualification.insert import DIAMETERS_MM, ROD_MG_CC, Cylinder, Insert, find_insert
from inference.quantification.imaging import FWHM_PER_SD
from inference.scan import Volume

# The plain sum takes what lies within so far of a cylinder, as far as plaque's calcium is taken to spill; the ring beyond tells
# the insert's HU. Cylinders lie 12 mm apart: neither reaches the next.
SPILL_MM = 1.0
CLEAR_MM, RING_MM = 2.5, 6.0
FINE = 5  # subsamples of a pixel in a drawn cylinder
SLICE_STEP = 0.05  # of a slice, in which the cylinders' place along the axis is looked for
INNER_SHARE = 0.7  # of the rod's radius, clear of its border
EDGE_MM = 4.0  # a profile runs so far to both sides of the rod's border
BACKGROUND_MM = (13.0, 20.0)  # from the rod's axis: the insert alone


@dataclass(frozen=True)
class Limits:
    """What a scan must keep to be used for calcium and plaque.

    mass_error_percent : of the cylinders of 5 and 3 mm; those of 1 mm are reported and not judged. edge_mm : full width
    at half maximum of the rod's border. noise_hu : SD in the insert. slice_mm : distance of slices.
    """

    mass_error_percent: float = (
        20.0  # what repeated scans of one insert differ by, and what this product promises
    )
    edge_mm: float = 1.5  # the softest kernel that networks are trained with
    noise_hu: float = 40.0  # the noisiest scans that networks are trained with
    slice_mm: float = 1.0  # thicker ones are warned of for plaque


LIMITS = Limits()
JUDGED_MM = 3.0  # from this diameter on


@dataclass(frozen=True)
class MeasuredCylinder:
    """What was measured of one cylinder: mass (mg, weighted and as a plain sum), volumes (mm³), highest HU, errors (%)."""

    cylinder: Cylinder
    mass_mg: float
    mass_plain_mg: float
    volume_350_mm3: float
    volume_integrated_mm3: float
    highest_hu: float

    @property
    def mass_error(self) -> float:
        """Error of the mass, %."""
        return 100 * (self.mass_mg / self.cylinder.mass_mg - 1)

    @property
    def volume_350_error(self) -> float:
        """Error of the volume above 350 HU, %."""
        return 100 * (self.volume_350_mm3 / self.cylinder.volume_mm3 - 1)

    @property
    def volume_integrated_error(self) -> float:
        """Error of the integrated volume, %."""
        return 100 * (self.volume_integrated_mm3 / self.cylinder.volume_mm3 - 1)


@dataclass(frozen=True)
class Criterion:
    """One limit, what was found, and whether it is kept."""

    name: str
    found: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        """Whether what was found is within the limit."""
        return abs(self.found) <= self.limit


@dataclass(frozen=True)
class Qualification:
    """What a scan of the insert shows.

    hu_per_mg_cc : of the rod above the insert. edge_mm : full width at half maximum in plane.
    """

    insert: Insert
    cylinders: tuple[MeasuredCylinder, ...]
    insert_hu: float
    rod_hu: float
    hu_per_mg_cc: float
    noise_hu: float
    edge_mm: float
    slice_mm: float

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Every limit with what was found."""
        judged = [c for c in self.cylinders if c.cylinder.diameter_mm >= JUDGED_MM]
        mass = [
            Criterion(
                f"mass, {c.cylinder.mg_cc:.0f} mg/cc, {c.cylinder.diameter_mm:.0f} mm",
                c.mass_error,
                LIMITS.mass_error_percent,
                "%",
            )
            for c in judged
        ]
        return (
            *mass,
            Criterion("edge spread in plane", self.edge_mm, LIMITS.edge_mm, "mm"),
            Criterion("noise", self.noise_hu, LIMITS.noise_hu, "HU"),
            Criterion("distance of slices", self.slice_mm, LIMITS.slice_mm, "mm"),
        )

    @property
    def verdict(self) -> str:
        """One sentence: what is kept, and what is not."""
        broken = [c.name for c in self.criteria if not c.kept]
        mass = any(name.startswith("mass") for name in broken)
        calcium = "Calcium's mass is outside the limits" if mass else "Calcium's mass is within the limits"
        return f"{calcium}; " + (f"outside: {', '.join(broken)}." if broken else "all limits are kept.")


def qualify(volume: Volume) -> Qualification:
    """Find the insert in a scan and measure it. Raises VolumeError where there is none (``find_insert``)."""
    insert = find_insert(volume)
    slab = volume.spacing_mm[2]
    column, row, slice_at = volume.to_index(np.array(insert.rod_centre))
    # Clear of the rod's ends: half of its length.
    half = insert.rod_length_mm / slab / 4
    inside = volume.hu[max(0, round(slice_at - half)) : round(slice_at + half) + 1].astype(float)
    far = _distance(volume, row, column)
    rod = inside[:, far < INNER_SHARE * insert.rod_diameter_mm / 2]
    around = inside[:, (far > BACKGROUND_MM[0]) & (far < BACKGROUND_MM[1])]
    rod_hu, insert_hu = float(np.median(rod.mean(1))), float(np.median(around.mean(1)))
    scale = (rod_hu - insert_hu) / ROD_MG_CC
    edge = _edge(inside.mean(0), far, insert.rod_diameter_mm / 2)
    drawn = [_Drawn.of(volume, cylinder, edge) for cylinder in insert.cylinders]
    largest = [one for one in drawn if one.cylinder.diameter_mm == max(DIAMETERS_MM)]
    shifts = np.arange(-0.6, 0.6, SLICE_STEP)
    shift = float(shifts[np.argmin([sum(one.fit(x)[1] for one in largest) for x in shifts])])
    return Qualification(
        insert=insert,
        cylinders=tuple(_measured(one, shift, scale) for one in drawn),
        insert_hu=insert_hu,
        rod_hu=rod_hu,
        hu_per_mg_cc=scale,
        noise_hu=float(np.mean([x.std() for x in around])),
        edge_mm=edge,
        slice_mm=slab,
    )


@dataclass(frozen=True)
class _Drawn:
    """One cylinder's surroundings: HU (slices, rows, columns), their distance from its axis, its shape in plane, depths (mm)."""

    cylinder: Cylinder
    hu: np.ndarray
    far: np.ndarray
    shape: np.ndarray
    depth: np.ndarray
    slab_mm: float
    thick_mm: float
    voxel_mm3: float

    @classmethod
    def of(cls, volume: Volume, cylinder: Cylinder, edge_mm: float) -> _Drawn:
        column, row, slice_at = volume.to_index(np.array(cylinder.centre))
        across, down, slab = volume.spacing_mm
        reach = [int(np.ceil((cylinder.diameter_mm / 2 + RING_MM) / size)) for size in (down, across)]
        first = [int(np.rint(row)) - reach[0], int(np.rint(column)) - reach[1]]
        count = [2 * n + 1 for n in reach]
        deep = (cylinder.diameter_mm / 2 + SPILL_MM + 2 * slab) / slab
        low = max(0, int(np.floor(slice_at - deep)))
        high = min(len(volume.hu), int(np.ceil(slice_at + deep)) + 1)
        part = volume.hu[low:high, first[0] : first[0] + count[0], first[1] : first[1] + count[1]]
        fine = [((np.arange(n * FINE) + 0.5) / FINE - 0.5 + f) for n, f in zip(count, first, strict=True)]
        away = np.hypot((fine[0][:, None] - row) * down, (fine[1] - column) * across)
        sd = [edge_mm / FWHM_PER_SD / size * FINE for size in (down, across)]
        blurred = gaussian_filter((away <= cylinder.diameter_mm / 2).astype(float), sd)
        shape = blurred.reshape(count[0], FINE, count[1], FINE).mean((1, 3))
        distance = _distance(volume, row, column)[
            first[0] : first[0] + count[0], first[1] : first[1] + count[1]
        ]
        thick = max(float(volume.metadata.get("slice_thickness_mm") or slab), slab)
        depth = (np.arange(low, high) - slice_at) * slab
        return cls(cylinder, part.astype(float), distance, shape, depth, slab, thick, across * down * slab)

    def filled(self, shift: float) -> np.ndarray:
        """Share of each slice that the cylinder fills, shifted by so many slices."""
        at, half = self.depth - shift * self.slab_mm, self.cylinder.diameter_mm / 2
        inside = np.minimum(at + self.thick_mm / 2, half) - np.maximum(at - self.thick_mm / 2, -half)
        return np.asarray(np.clip(inside, 0, None) / self.thick_mm)

    def fit(self, shift: float) -> tuple[float, float]:
        """HU above the insert that fit the blurred cylinder best, and the squares that are left."""
        near = self.far <= self.cylinder.diameter_mm / 2 + RING_MM
        seen = self.hu[:, near]
        seen = seen - seen.mean(1, keepdims=True)
        form = self.filled(shift)[:, None] * (self.shape[near] - self.shape[near].mean())
        power = float((form * form).sum())
        height = float((form * seen).sum()) / max(power, 1e-9)
        return height, float((seen * seen).sum()) - height**2 * power


def _measured(one: _Drawn, shift: float, scale: float) -> MeasuredCylinder:
    """Integrate one cylinder."""
    half = one.cylinder.diameter_mm / 2
    height, _ = one.fit(shift)
    own = one.far <= half + SPILL_MM
    ring = (one.far > half + CLEAR_MM) & (one.far <= half + RING_MM)
    touched = np.abs(one.depth - shift * one.slab_mm) < half + SPILL_MM + one.slab_mm / 2
    planes = one.hu[touched]
    above = planes[:, own] - planes[:, ring].mean(1, keepdims=True)
    total = float(above.sum()) * one.voxel_mm3
    most = max(1, round(one.cylinder.volume_mm3 / 4 / one.voxel_mm3))
    core = float(np.sort(above.ravel())[-most:].mean())
    dense = planes[:, own] >= PROFILES["fixed"].calcified_from
    return MeasuredCylinder(
        cylinder=one.cylinder,
        mass_mg=height * one.cylinder.volume_mm3 / scale / 1000,
        mass_plain_mg=total / scale / 1000,
        volume_350_mm3=float(dense.sum()) * one.voxel_mm3,
        volume_integrated_mm3=max(total, 0.0) / max(core, 1.0),
        highest_hu=float(planes[:, own].max()),
    )


def _distance(volume: Volume, row: float, column: float) -> np.ndarray:
    """Distance in mm (rows, columns) from a point of a slice."""
    across, down, _ = volume.spacing_mm
    rows, columns = np.ogrid[: volume.hu.shape[1], : volume.hu.shape[2]]
    return np.asarray(np.hypot((rows - row) * down, (columns - column) * across))


def _edge(plane: np.ndarray, far: np.ndarray, radius: float) -> float:
    """Full width at half maximum (mm) of the Gaussian that makes the rod's border as soft as it is."""
    near = np.abs(far - radius) < EDGE_MM
    x, y = far[near] - radius, plane[near] - plane[near].mean()
    sds, shifts = (
        grid.ravel() for grid in np.meshgrid(np.arange(0.1, 1.5, 0.02), np.arange(-0.5, 0.51, 0.1))
    )
    steps = ndtr(-(x - shifts[:, None]) / sds[:, None])
    steps -= steps.mean(1, keepdims=True)
    told = (steps @ y) ** 2 / (steps * steps).sum(1)
    return FWHM_PER_SD * float(sds[np.argmax(told)])
