"""Scenarios with a whole coronary tree, a scanner with artefacts, and the header styles of four vendors.

Those that serve a network's life differ in settings as well as in seeds, so that a score on ``tree_test`` is not
a score on what was learnt:

* ``tree_train`` is wide on purpose: contrast 260–540 HU, noise 15–42 HU, point spread 0.45–1.15 mm, every artefact
  now and then, many missing and extra branches, all four vendors.
* ``tree_train_soft_tissue`` adds what is hard: vessels in or against soft tissue, more remodelling, thinner and
  shorter lesions, more severe ones.
* ``tree_train_lipid`` and ``tree_train_lipid_soft_tissue`` are the same two with larger lipid cores;
  ``tree_train_remodelled`` and ``tree_train_remodelled_soft_tissue`` grow outwards more as well.
* ``tree_train_wide`` and ``tree_train_wide_soft_tissue`` have plaque of any shape and size (``wide_lesions``), calcium
  from 200 mg/cc, point spreads of 0.5–1.5 mm with skirts; ``tree_train_wide_faint`` has larger plaque that hardly differs
  from fat, ``tree_train_wide_large`` mostly large discs with the lumen at their edge; ``tree_validation_wide`` and ``tree_test_wide`` have such
  plaque, not quite as large, behind clinical kernels (0.9–1.3 mm).
* ``tree_physics_validation`` and ``tree_physics_test`` are patients like these imaged by CT physics (``ct``), at several
  tube voltages and with two kernels; their ``_blur`` twins are the same patients filtered by the kernel alone. Nothing is
  trained on them.
* ``tree_validation`` is narrower (290–500 HU, 18–34 HU, 0.50–0.85 mm), has other shares of dominance, of
  compositions and of lesion lengths, lipid cores between those of training and of the test, and only GE and Siemens
  headers. Choices are made here.
* ``tree_test`` has other ranges again (300–520 HU, 20–36 HU, 0.55–0.90 mm, fixed slice thicknesses, thicker fibrous
  and calcified plaque, 30 % left or co-dominance, larger hearts) and only Philips and Canon headers. It is opened
  once, by the benchmark.

``low_dose``, ``motion``, ``step``, ``stents``, ``non_diagnostic`` and ``full_chest`` take the settings of ``tree_test``
and turn one thing up; ``low_dose`` to ``full_chest`` are for stress tests, never for training or choosing.
"""

from __future__ import annotations

from dataclasses import replace

from .settings import PhysicsSettings, Scenario, TreeSettings, WideLesions

ALL_VESSELS = (
    *("LM", "LAD", "D1", "D2", "LCx", "OM1", "OM2", "RI"),
    *("RCA", "R-PDA", "R-PLB", "L-PDA", "L-PLB", "AM"),
)

TREE_TRAIN = Scenario(
    name="tree_train",
    salt=101,
    vessels=ALL_VESSELS,
    contrast_hu=(260.0, 540.0),
    noise_hu=(15.0, 42.0),
    psf_plane_mm=(0.45, 1.15),
    psf_along_mm=(0.50, 1.25),
    noise_grain_mm=(0.20, 0.50),
    pixel_mm=(0.35, 0.42),
    normal_wall_mm=(0.30, 0.75),
    remodelling=(-0.05, 0.40),
    lesion_log_mm=(2.85, 0.42),
    compositions=(0.32, 0.18, 0.27, 0.23),
    calcium_size=1.4,
    lesion_every_mm=(30.0, 80.0),
    severe_share=0.2,
    closed_share=0.03,
    kvp=(80, 100, 120),
    tree=TreeSettings(missing_share=0.2, motion_share=0.2, extra_branches=(2, 6), healthy=(0.0, 0.4)),
)

TREE_TEST = Scenario(
    name="tree_test",
    salt=131,
    vessels=ALL_VESSELS,
    contrast_hu=(300.0, 520.0),
    noise_hu=(20.0, 36.0),
    psf_plane_mm=(0.55, 0.90),
    psf_along_mm=(0.60, 1.00),
    noise_grain_mm=(0.24, 0.42),
    pixel_mm=(0.34, 0.41),
    slice_mm=(0.5, 0.6),
    wall_hu=(40.0, 90.0),
    fibrous_hu=(50.0, 110.0),
    lesion_log_mm=(3.05, 0.36),
    compositions=(0.30, 0.20, 0.28, 0.22),
    calcium_size=1.5,
    lesion_every_mm=(36.0, 90.0),
    closed_share=0.02,
    heart_scale=1.04,
    tree=TreeSettings(
        dominance=(0.70, 0.15, 0.15),
        ramus_share=0.3,
        bridge_share=0.3,
        bloom=(0.05, 0.22),
        halo=(0.05, 0.30),
        vendors=("Philips", "Canon"),
    ),
)

TREE_TRAIN_SOFT_TISSUE = replace(
    TREE_TRAIN,
    name="tree_train_soft_tissue",
    salt=103,
    surroundings=(0.35, 0.35, 0.30),
    depths_mm=((2.8, 4.8), (0.8, 2.6), (-3.0, 0.3)),
    fat_mm=(5.0, 9.0),
    remodelling=(-0.05, 0.45),
    lesion_log_mm=(2.82, 0.48),
    lesion_every_mm=(24.0, 64.0),
    severe_share=0.25,
    closed_share=0.04,
)


def _rich_in_lipid(chosen: Scenario) -> Scenario:
    """The same patients with lipid cores from specks to most of a lesion, some of which reach its outer wall."""
    return replace(
        chosen,
        name=chosen.name.replace("tree_train", "tree_train_lipid"),
        lipid_long=(0.12, 0.50),
        lipid_wide=(0.35, 1.8),
        lipid_depth=(0.40, 0.85),
        lipid_thick=(0.18, 0.70),
    )


def _remodelled(chosen: Scenario) -> Scenario:
    """Rich in lipid, and lesions that grow outwards by up to three quarters of the vessel's area."""
    return replace(
        _rich_in_lipid(chosen),
        name=chosen.name.replace("tree_train", "tree_train_remodelled"),
        remodelling=(-0.05, 0.75),
    )


def _wide(chosen: Scenario, *, salt: int) -> Scenario:
    """Rich in lipid, plaque of any shape and size, calcium from 200 mg/cc, and kernels as clinical scanners have them."""
    return replace(
        _rich_in_lipid(chosen),
        name=chosen.name.replace("tree_train", "tree_train_wide"),
        salt=salt,
        contrast_hu=(240.0, 600.0),
        noise_hu=(12.0, 42.0),
        psf_plane_mm=(0.50, 1.50),
        psf_along_mm=(0.50, 1.50),
        noise_grain_mm=(0.20, 0.60),
        tails=(0.0, 0.35),
        pixel_mm=(0.33, 0.45),
        slice_mm=(0.4, 0.5, 0.6, 0.625, 0.75),
        normal_wall_mm=(0.30, 0.80),
        calcium_hu=(300.0, 1700.0),
        least_calcium_hu=250.0,
        wide=WideLesions(),
    )


def _faint(chosen: Scenario, *, salt: int) -> Scenario:
    """Large plaque of any shape that is little brighter than the fat around it, as sharp kernels with little noise show it."""
    return replace(
        chosen,
        name=f"{chosen.name}_faint",
        salt=salt,
        noise_hu=(8.0, 32.0),
        psf_plane_mm=(0.45, 1.30),
        wall_hu=(5.0, 80.0),
        fibrous_hu=(-5.0, 75.0),
        wide=WideLesions(growth_shares=(0.3, 0.35, 0.35), disc_share=0.6),
    )


def _large(chosen: Scenario, *, salt: int) -> Scenario:
    """Mostly large discs and crescents, often lipid within a rim, the lumen at their edge: what the network missed longest."""
    return replace(
        chosen,
        name=f"{chosen.name}_large",
        salt=salt,
        noise_hu=(8.0, 32.0),
        psf_plane_mm=(0.45, 1.20),
        wall_hu=(20.0, 95.0),
        fibrous_hu=(15.0, 105.0),
        compositions=(0.30, 0.35, 0.12, 0.23),
        lesion_every_mm=(22.0, 60.0),
        wide=WideLesions(growth_shares=(0.15, 0.35, 0.5), thickness_mm=6.5, outer_mm=6.6, disc_share=0.7),
    )


TREE_VALIDATION = Scenario(
    name="tree_validation",
    salt=113,
    vessels=ALL_VESSELS,
    contrast_hu=(290.0, 500.0),
    noise_hu=(18.0, 34.0),
    psf_plane_mm=(0.50, 0.85),
    psf_along_mm=(0.60, 0.95),
    noise_grain_mm=(0.22, 0.42),
    lesion_log_mm=(2.95, 0.38),
    compositions=(0.34, 0.18, 0.26, 0.22),
    calcium_size=1.4,
    lipid_long=(0.12, 0.42),
    lipid_wide=(0.35, 1.4),
    lipid_depth=(0.40, 0.72),
    lipid_thick=(0.18, 0.55),
    lesion_every_mm=(32.0, 85.0),
    heart_scale=0.97,
    tree=TreeSettings(
        dominance=(0.74, 0.13, 0.13), bloom=(0.03, 0.20), halo=(0.03, 0.28), vendors=("GE", "Siemens")
    ),
)


def _clinical(chosen: Scenario, *, salt: int, shares: tuple[float, float, float]) -> Scenario:
    """The same patients with plaque of any size, as a clinical kernel shows them: 1.0–1.2 mm wide, and a little beyond."""
    return replace(
        chosen,
        name=f"{chosen.name}_wide",
        salt=salt,
        psf_plane_mm=(0.90, 1.30),
        psf_along_mm=(0.80, 1.20),
        tails=(0.05, 0.25),
        calcium_hu=(320.0, 1600.0),
        least_calcium_hu=260.0,
        wide=WideLesions(growth_shares=shares, thickness_mm=5.5, outer_mm=4.7),
    )


def _by_physics(chosen: Scenario, *, salt: int, kvp: tuple[int, ...], blur: bool = False) -> Scenario:
    """Patients of a ``_wide`` scenario imaged by CT physics, or by its modulation alone (``_blur``: the same patients)."""
    return replace(
        chosen,
        name=chosen.name.replace("tree_", "tree_physics_").removesuffix("_wide") + ("_blur" if blur else ""),
        salt=salt,
        kvp=kvp,
        physics=PhysicsSettings(by_blur=blur),
        tree=replace(
            chosen.whole_tree,
            stent_share=0.0,
            motion_share=0.0,
            step_share=0.0,
            bloom=(0.0, 0.0),
            halo=(0.0, 0.0),
        ),
    )


VALIDATION_WIDE = _clinical(TREE_VALIDATION, salt=181, shares=(0.5, 0.3, 0.2))
TEST_WIDE = _clinical(TREE_TEST, salt=191, shares=(0.45, 0.33, 0.22))

TREE_SCENARIOS: tuple[Scenario, ...] = (
    TREE_TRAIN,
    TREE_TRAIN_SOFT_TISSUE,
    _rich_in_lipid(TREE_TRAIN),
    _rich_in_lipid(TREE_TRAIN_SOFT_TISSUE),
    _remodelled(TREE_TRAIN),
    _remodelled(TREE_TRAIN_SOFT_TISSUE),
    _wide(TREE_TRAIN, salt=173),
    _wide(TREE_TRAIN_SOFT_TISSUE, salt=179),
    _faint(_wide(TREE_TRAIN, salt=173), salt=193),
    _large(_wide(TREE_TRAIN, salt=173), salt=197),
    TREE_VALIDATION,
    VALIDATION_WIDE,
    TEST_WIDE,
    _by_physics(VALIDATION_WIDE, salt=211, kvp=(100, 120)),
    _by_physics(VALIDATION_WIDE, salt=211, kvp=(100, 120), blur=True),
    _by_physics(TEST_WIDE, salt=223, kvp=(80, 100, 120, 140)),
    _by_physics(TEST_WIDE, salt=223, kvp=(80, 100, 120, 140), blur=True),
    TREE_TEST,
    replace(
        TREE_TEST,
        name="low_dose",
        salt=137,
        noise_hu=(50.0, 75.0),
        noise_grain_mm=(0.30, 0.50),
        kvp=(70, 80),
    ),
    replace(
        TREE_TEST,
        name="motion",
        salt=139,
        tree=TreeSettings(
            motion_share=1.0,
            motion_vessels=("RCA", "LCx", "LAD"),
            motion_mm=(2.0, 5.0),
            motion_long_mm=(25.0, 60.0),
            step_share=0.0,
            stent_share=0.0,
        ),
    ),
    replace(
        TREE_TEST,
        name="step",
        salt=149,
        tree=TreeSettings(step_share=1.0, steps=(2, 4), step_mm=(0.8, 3.0), motion_share=0.0),
    ),
    replace(
        TREE_TEST,
        name="non_diagnostic",
        salt=151,
        contrast_hu=(150.0, 210.0),
        noise_hu=(60.0, 95.0),
        psf_plane_mm=(1.1, 1.7),
        psf_along_mm=(1.1, 1.8),
        tree=TreeSettings(
            motion_share=1.0,
            motion_vessels=("RCA", "LCx", "LAD"),
            motion_mm=(4.0, 8.0),
            motion_long_mm=(40.0, 80.0),
            step_share=0.7,
            step_mm=(1.5, 4.0),
            mixing=(0.3, 0.5),
        ),
    ),
    replace(
        TREE_TEST,
        name="stents",
        salt=157,
        tree=TreeSettings(stent_share=1.0, stents=(1, 3), bloom=(0.1, 0.3), halo=(0.1, 0.4)),
    ),
    replace(
        TREE_TEST,
        name="full_chest",
        salt=163,
        pixel_mm=(0.39, 0.43),
        slice_mm=(0.5,),
        tree=TreeSettings(grid=(512, 512, 280)),
    ),
    # a small, coarse heart with short vessels: for tests and for trying things out
    replace(
        TREE_TEST,
        name="tree_tiny",
        salt=167,
        pixel_mm=(0.6, 0.6),
        slice_mm=(0.8,),
        heart_scale=0.55,
        noise_hu=(16.0, 20.0),
        psf_plane_mm=(0.6, 0.7),
        psf_along_mm=(0.7, 0.8),
        lesion_log_mm=(2.3, 0.3),
        lesion_every_mm=(16.0, 24.0),
        margin_mm=9.0,
        tree=TreeSettings(
            dominance=(0.34, 0.33, 0.33), extra_branches=(0, 1), septals=(1, 1), healthy=(0.0, 0.0)
        ),
    ),
)
