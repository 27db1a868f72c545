"""The scenarios by name, and the first family: six to nine vessels, one header style."""

from __future__ import annotations

from dataclasses import replace

from .settings import Range, Scenario, TreeSettings
from .tree_scenarios import TREE_SCENARIOS

__all__ = ["SCENARIOS", "Range", "Scenario", "TreeSettings", "scenario"]

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
        *TREE_SCENARIOS,
    )
}


def scenario(name: str) -> Scenario:
    """The scenario of this name; ValueError names those that exist."""
    try:
        return SCENARIOS[name]
    except KeyError:
        raise ValueError(f"there is no scenario {name!r}; choose one of {', '.join(SCENARIOS)}") from None
