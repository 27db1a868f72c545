"""The settings of a family of phantoms: the ranges from which one seed draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Range = tuple[float, float]


@dataclass(frozen=True)
class TreeSettings:
    """What a scenario with a whole coronary tree asks for beyond ``Scenario``.

    ``*_share`` are chances (0 … 1) per patient, or per vessel where the name says so; ``dominance`` are the shares of
    right, left and co-dominance. A range (0, 0) switches an artefact off.

    healthy : share of a patient's vessels without any plaque.
    bloom : share of what calcium and metal hold above ``DENSE_HU`` that is smeared over 0.6–1.1 mm around them,
    beyond the point spread; halo : share that is taken away from a wider, flat zone around them (beam hardening);
    motion_mm : path of a stretch during the exposure; steps : number of slab borders; step_mm : shift of a slab.
    grid : columns, rows, slices of a fixed field of view; None crops to the arteries.
    """

    dominance: tuple[float, float, float] = (0.78, 0.11, 0.11)
    ramus_share: float = 0.25
    missing_share: float = 0.12
    acute_marginal_share: float = 0.8
    extra_branches: tuple[int, int] = (2, 5)
    septals: tuple[int, int] = (1, 3)
    bridge_share: float = 0.25
    bridge_mm: Range = (12.0, 28.0)
    stent_share: float = 0.12
    stents: tuple[int, int] = (1, 1)
    healthy: Range = (0.0, 0.6)
    mixing: Range = (0.05, 0.30)
    bloom: Range = (0.0, 0.25)
    halo: Range = (0.0, 0.35)
    motion_share: float = 0.15
    motion_vessels: tuple[str, ...] = ("RCA", "LCx")
    motion_mm: Range = (1.0, 3.0)
    motion_long_mm: Range = (15.0, 45.0)
    step_share: float = 0.10
    steps: tuple[int, int] = (1, 3)
    step_mm: Range = (0.5, 2.0)
    vendors: tuple[str, ...] = ("GE", "Siemens", "Philips", "Canon")
    grid: tuple[int, int, int] | None = None

    @property
    def still(self) -> bool:
        """Whether nothing moves, no metal lies in it, and no blooming or halo is painted."""
        shares = (self.stent_share, self.motion_share, self.step_share, self.bloom[1], self.halo[1])
        return not any(shares) and self.grid is None

    def __post_init__(self) -> None:
        if abs(sum(self.dominance) - 1.0) > 1e-6:
            raise ValueError("the shares of right, left and co-dominance must add up to 1")
        for name in ("bloom", "halo", "motion_mm", "step_mm", "bridge_mm", "mixing"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name} must be an ordered pair, not below 0")


@dataclass(frozen=True)
class WideLesions:
    """Plaque of many shapes and sizes, wider than the world (``wide_lesions``); shares are chances 0 … 1.

    growth_shares : of lesions whose vessel's area inside the outer wall grows by ``growth[0]``, ``[1]``, ``[2]`` at the
    worst place; thickness_mm, outer_mm : no wall is thicker and no outer radius larger; diffuse_share : of lesions
    that are drawn out to ``diffuse_mm``; ectasia_share : of vessels with a stretch whose radius is up to
    ``ectasia`` times its own; concentric_share : of lesions that go all round; disc_share : of the others whose outer wall
    is a disc with the lumen near its edge; the rest are crescents.
    """

    growth_shares: tuple[float, float, float] = (0.5, 0.3, 0.2)
    growth: tuple[Range, Range, Range] = ((-0.15, 0.4), (0.4, 1.2), (1.2, 2.5))
    thickness_mm: float = 6.0
    outer_mm: float = 5.0
    diffuse_share: float = 0.12
    diffuse_mm: Range = (25.0, 60.0)
    ectasia_share: float = 0.12
    ectasia: Range = (1.3, 2.0)
    concentric_share: float = 0.15
    disc_share: float = 0.45

    def __post_init__(self) -> None:
        if abs(sum(self.growth_shares) - 1.0) > 1e-6:
            raise ValueError("the shares of growth must add up to 1")


@dataclass(frozen=True)
class PhysicsSettings:
    """Images by CT physics (``ct``) instead of by blur; a range is drawn from once a patient.

    mtf10_lp_mm : kernels, by the frequency at which 10 % of modulation is left (0.62 is a standard cardiac kernel, 0.82 a
    sharp one); slice_fwhm_mm : slice profile; focal_mm : width of the focal spot; chest_*_mm : half axes of the
    chest, in water; views : of a turn. ``by_blur`` filters the same scene by the kernel's modulation alone, to tell
    what physics beyond it costs.
    """

    mtf10_lp_mm: tuple[float, ...] = (0.62, 0.82)
    slice_fwhm_mm: Range = (0.6, 0.8)
    focal_mm: Range = (0.7, 1.0)
    chest_across_mm: Range = (135.0, 165.0)
    chest_deep_mm: Range = (95.0, 115.0)
    views: int = 984
    by_blur: bool = False


@dataclass(frozen=True)
class Scenario:
    """Ranges of one family of phantoms; every range is (low, high), uniform.

    The three-letter words at the end of a name are units: hu, mm. ``psf_*`` are full widths at
    half maximum, ``noise_grain_mm`` is the standard deviation of the Gaussian that correlates the noise in plane.
    ``tails`` is the share of the in-plane point spread that lies in a skirt 2.2 times as wide, as kernels of real
    scanners have it; ``wide`` draws plaque of any shape and size instead of displaced circles;
    ``physics`` makes the image by CT physics, from which resolution and texture then come.
    ``surroundings`` are the shares of vessel stretches that run in fat, close to the myocardium, and inside soft
    tissue; ``depths_mm`` says how far outside the muscle each of the three lies.
    """

    name: str
    salt: int
    vessels: tuple[str, ...] = ("LM", "LAD", "D1", "LCx", "OM1", "RCA")
    contrast_hu: Range = (300.0, 520.0)
    noise_hu: Range = (18.0, 36.0)
    psf_plane_mm: Range = (0.50, 0.80)
    psf_along_mm: Range = (0.60, 0.90)
    noise_grain_mm: Range = (0.22, 0.42)
    overshoot: Range = (-0.25, 0.35)
    tails: Range = (0.0, 0.0)
    pixel_mm: Range = (0.33, 0.42)
    slice_mm: tuple[float, ...] = (0.4, 0.5, 0.6, 0.625)
    normal_wall_mm: Range = (0.35, 0.70)
    wall_hu: Range = (35.0, 95.0)
    fibrous_hu: Range = (45.0, 115.0)
    lipid_hu: Range = (-30.0, 28.0)
    calcium_hu: Range = (450.0, 1500.0)
    least_calcium_hu: float = 380.0
    muscle_hu: Range = (75.0, 130.0)
    fat_hu: Range = (-115.0, -75.0)
    surroundings: tuple[float, float, float] = (0.55, 0.30, 0.15)
    depths_mm: tuple[Range, Range, Range] = ((4.2, 6.8), (1.9, 4.0), (-3.0, 0.5))
    fat_mm: Range = (8.0, 12.0)
    lesion_every_mm: Range = (18.0, 45.0)
    lesion_log_mm: tuple[float, float] = (2.35, 0.5)  # mean and SD of the natural logarithm of drawn lengths
    compositions: tuple[float, float, float, float] = (
        0.38,
        0.2,
        0.2,
        0.22,
    )  # non-calcified, lipid, calcified, mixed
    # A lipid core within its lesion: half its length as a share of the lesion's, half its width (rad), the middle of its
    # depth between lumen (0) and outer wall (1), and half its thickness there.
    lipid_long: Range = (0.12, 0.35)
    lipid_wide: Range = (0.35, 1.1)
    lipid_depth: Range = (0.42, 0.62)
    lipid_thick: Range = (0.18, 0.42)
    severe_share: float = 0.15
    closed_share: float = 0.02
    calcium_size: float = 1.0
    remodelling: Range = (-0.05, 0.30)
    margin_mm: float = 12.0
    heart_scale: float = 1.0
    length_scale: float = 1.0
    kvp: tuple[int, ...] = (100, 120)
    side_branches: bool = True
    tree: TreeSettings | None = None
    wide: WideLesions | None = None
    physics: PhysicsSettings | None = None

    def __post_init__(self) -> None:
        if self.physics is not None and (self.tree is None or not self.tree.still):
            raise ValueError(
                f"scenario {self.name}: physics needs a tree without stents, motion, steps, blooming and halo"
            )
        for shares in (self.surroundings, self.compositions):
            if abs(sum(shares) - 1.0) > 1e-6:
                raise ValueError(f"scenario {self.name}: shares must add up to 1")
        for name in ("contrast_hu", "noise_hu", "psf_plane_mm", "psf_along_mm", "pixel_mm", "normal_wall_mm"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"scenario {self.name}: {name} must be an ordered pair of positive numbers")

    @property
    def whole_tree(self) -> TreeSettings:
        """The settings of its tree; ValueError for a scenario of the first family, which has none."""
        if self.tree is None:
            raise ValueError(f"scenario {self.name} has no tree")
        return self.tree


def draw_scan(rng: np.random.Generator, chosen: Scenario) -> tuple[float, float, dict[str, float]]:
    """Draw pixel (mm), distance of slices (mm), and what contrast and scanner are like."""
    contrast = float(rng.uniform(*chosen.contrast_hu))
    pixel, slab = round(float(rng.uniform(*chosen.pixel_mm)), 4), float(rng.choice(chosen.slice_mm))
    settings = {
        "contrast_hu": contrast,
        "noise_hu": float(rng.uniform(*chosen.noise_hu)),
        "psf_plane_mm": float(rng.uniform(*chosen.psf_plane_mm)),
        "psf_along_mm": float(rng.uniform(*chosen.psf_along_mm)),
        "grain_mm": float(rng.uniform(*chosen.noise_grain_mm)),
        "overshoot": float(rng.uniform(*chosen.overshoot)),
    }
    if chosen.tails[1] > 0:
        settings["tails"] = float(rng.uniform(*chosen.tails))
    return pixel, slab, settings
