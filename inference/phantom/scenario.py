"""What a simulated patient may look like: the ranges from which one seed draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

Range = tuple[float, float]


@dataclass(frozen=True)
class Scenario:
    """Ranges of one family of phantoms; every range is (low, high), uniform.

    The three-letter words at the end of a name are units: hu, mm. ``psf_*`` are full widths at
    half maximum, ``noise_grain_mm`` is the standard deviation of the Gaussian that correlates the noise in plane.
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
    pixel_mm: Range = (0.33, 0.42)
    slice_mm: tuple[float, ...] = (0.4, 0.5, 0.6, 0.625)
    normal_wall_mm: Range = (0.35, 0.70)
    wall_hu: Range = (35.0, 95.0)
    fibrous_hu: Range = (45.0, 115.0)
    lipid_hu: Range = (-30.0, 28.0)
    calcium_hu: Range = (450.0, 1500.0)
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
    severe_share: float = 0.15
    closed_share: float = 0.02
    calcium_size: float = 1.0
    remodelling: Range = (-0.05, 0.30)
    margin_mm: float = 12.0
    heart_scale: float = 1.0
    length_scale: float = 1.0
    kvp: tuple[int, ...] = (100, 120)
    side_branches: bool = True

    def __post_init__(self) -> None:
        for shares in (self.surroundings, self.compositions):
            if abs(sum(shares) - 1.0) > 1e-6:
                raise ValueError(f"scenario {self.name}: shares must add up to 1")
        for name in ("contrast_hu", "noise_hu", "psf_plane_mm", "psf_along_mm", "pixel_mm", "normal_wall_mm"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"scenario {self.name}: {name} must be an ordered pair of positive numbers")


TREE = ("LM", "LAD", "D1", "LCx", "OM1", "RCA")
LARGE_TREE = (*TREE, "D2", "OM2", "R-PDA")

# Wide on purpose: a network should meet more in training than it will meet in use. Here most vessels lie in soft
# tissue, with many short and thin lesions: the hard cases, oversampled.
SOFT_TISSUE = Scenario(
    name="train_soft_tissue",
    salt=11,
    vessels=LARGE_TREE,
    contrast_hu=(250.0, 540.0),
    noise_hu=(15.0, 40.0),
    psf_plane_mm=(0.45, 1.20),
    psf_along_mm=(0.50, 1.30),
    noise_grain_mm=(0.20, 0.50),
    surroundings=(0.35, 0.35, 0.30),
    depths_mm=((2.8, 4.8), (0.5, 2.6), (-3.5, 0.3)),
    fat_mm=(5.0, 9.0),
    lesion_every_mm=(14.0, 38.0),
    severe_share=0.2,
    closed_share=0.04,
    normal_wall_mm=(0.30, 0.75),
    remodelling=(-0.05, 0.40),
)
LONG: tuple[float, float] = (2.75, 0.42)
CALCIFYING = (0.32, 0.18, 0.27, 0.23)
TEST = Scenario(
    name="test",
    salt=37,
    contrast_hu=(300.0, 520.0),
    noise_hu=(20.0, 36.0),
    psf_plane_mm=(0.55, 0.80),
    psf_along_mm=(0.60, 0.95),
    noise_grain_mm=(0.24, 0.42),
    wall_hu=(40.0, 90.0),
    slice_mm=(0.5, 0.6),
    pixel_mm=(0.34, 0.41),
    lesion_log_mm=(2.7, 0.45),
    compositions=CALCIFYING,
    calcium_size=1.4,
    lesion_every_mm=(24.0, 55.0),
)

SCENARIOS: dict[str, Scenario] = {
    s.name: s
    for s in (
        SOFT_TISSUE,
        replace(
            SOFT_TISSUE,
            name="train",
            salt=13,
            lesion_log_mm=LONG,
            compositions=CALCIFYING,
            calcium_size=1.4,
            lesion_every_mm=(20.0, 48.0),
            surroundings=(0.55, 0.30, 0.15),
            depths_mm=Scenario.depths_mm,
            fat_mm=Scenario.fat_mm,
            pixel_mm=(0.35, 0.42),
        ),
        Scenario(
            name="validation",
            salt=23,
            contrast_hu=(280.0, 500.0),
            noise_hu=(18.0, 36.0),
            lesion_log_mm=LONG,
            compositions=CALCIFYING,
            calcium_size=1.4,
            lesion_every_mm=(22.0, 50.0),
        ),
        TEST,
        # as test, reconstructed with a soft kernel: twice the blur and a coarser grain
        replace(
            TEST,
            name="soft_kernel",
            salt=41,
            psf_plane_mm=(1.0, 1.5),
            psf_along_mm=(1.0, 1.6),
            noise_grain_mm=(0.32, 0.55),
        ),
        Scenario(
            name="demo",
            salt=53,
            contrast_hu=(330.0, 480.0),
            noise_hu=(18.0, 28.0),
            pixel_mm=(0.39, 0.42),
            slice_mm=(0.6,),
            surroundings=(0.65, 0.25, 0.10),
            heart_scale=0.95,
            closed_share=0.0,
            lesion_log_mm=LONG,
            compositions=CALCIFYING,
            calcium_size=1.4,
            lesion_every_mm=(24.0, 60.0),
        ),
        # two short vessels on a small grid: a whole study in tests takes seconds
        Scenario(
            name="tiny",
            salt=71,
            vessels=("LM", "LAD"),
            contrast_hu=(380.0, 420.0),
            noise_hu=(16.0, 20.0),
            pixel_mm=(0.5, 0.5),
            slice_mm=(0.7,),
            surroundings=(0.6, 0.4, 0.0),
            lesion_every_mm=(14.0, 16.0),
            closed_share=0.0,
            severe_share=0.0,
            heart_scale=0.7,
            length_scale=0.4,
            margin_mm=11.0,
            side_branches=False,
        ),
    )
}


def scenario(name: str) -> Scenario:
    """The scenario of this name; ValueError names those that exist."""
    try:
        return SCENARIOS[name]
    except KeyError:
        raise ValueError(f"there is no scenario {name!r}; choose one of {', '.join(SCENARIOS)}") from None
