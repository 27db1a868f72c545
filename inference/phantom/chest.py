"""Everything but the coronary arteries: chest wall, lungs, spine, liver, great vessels, heart and chambers.

Bodies are signed distances in mm (positive inside); chambers give way where an artery passes, as the groove's fat does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from .anatomy import LUNG_HU, Heart
from .layers import Layer
from .settings import Scenario

Array = NDArray[np.floating[Any]]
Field = NDArray[np.float32]


def ellipsoid(points: Array, centre: Array, frame: Array, semi: Array) -> Array:
    """Signed distance to an ellipsoid, to first order: ``q(1 − q)/|∇q²|/½`` with ``q = |M(x − c)|``."""
    local = (points - centre) @ np.asarray(frame).T
    q = np.linalg.norm(local / semi, axis=-1)
    slope = np.linalg.norm(local / np.square(semi), axis=-1)
    return np.asarray(q * (1 - q) / np.maximum(slope, 1e-6))


def capsule(points: Array, start: Array, end: Array, radius: float) -> Array:
    """Signed distance to a straight tube with round ends."""
    way = end - start
    t = np.clip(((points - start) @ way) / (way @ way), 0, 1)
    return np.asarray(radius - np.linalg.norm(points - start - t[..., None] * way, axis=-1))


def both(*parts: Array, round_mm: float = 2.0) -> Array:
    """What lies in all bodies, with rounded edges (polynomial smooth minimum)."""
    out = parts[0]
    for part in parts[1:]:
        h = np.clip(0.5 + 0.5 * (part - out) / round_mm, 0, 1)
        out = part * (1 - h) + out * h - round_mm * h * (1 - h)
    return out


def either(*parts: Array, round_mm: float = 2.0) -> Array:
    """What lies in any of the bodies, with rounded grooves between them."""
    return -both(*(-p for p in parts), round_mm=round_mm)


def _texture(rng: np.random.Generator, shape: tuple[int, ...], grain: float) -> Field:
    """Smooth noise of unit standard deviation; ``grain`` in coarse steps."""
    x = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), grain, mode="wrap", truncate=2.5)
    return np.asarray(x / x.std())


def chest_layers(  # noqa: PLR0915 - what is drawn, in the order of the draws
    rng: np.random.Generator,
    *,
    points: Array,
    heart: Heart,
    chosen: Scenario,
    gap: Field,
) -> list[Layer]:
    """Bodies from behind to front; ``gap`` is the distance to the nearest arterial wall at the same points, mm."""
    k = chosen.heart_scale
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    shape = x.shape
    front, left, up = heart.frame
    fine, coarse = _texture(rng, shape, 1.2), _texture(rng, shape, 4.0)
    unevenness = rng.uniform(*chosen.whole_tree.mixing)
    local = points @ heart.frame.T
    a, b, c = local[..., 0], local[..., 1], local[..., 2]
    r = np.sqrt((local**2).sum(-1)) + 1e-6
    lat, lon = np.arcsin(np.clip(c / r, -1, 1)), np.arctan2(b, a)
    surface = r / np.maximum(np.sqrt(((local / heart.axes) ** 2).sum(-1)), 1e-6)
    for m, n, size, phase in heart.waves:
        surface = surface * (1 + size * np.cos(m * lon + phase) * np.cos(n * lat))
    epicardium = surface - r
    fat = heart.fat_mm * (1 + 0.35 * np.cos(3 * lon + heart.waves[0, 3]) * np.cos(2 * lat))
    fat = fat * np.where(c > 0, 1 + 0.5 * c / heart.axes[2], 1.0)

    def at(p: float, q: float, s: float) -> Array:
        return np.asarray(k * (p * front + q * left + s * up))

    layers: list[Layer] = []

    def add(distance: Array, hu: Array | float, texture: float = 0.0, *, bone: bool = False) -> None:
        value = hu + texture * fine if texture else hu
        if isinstance(value, np.ndarray):
            layers.append(Layer(distance.astype(np.float32), value.astype(np.float32), bone))
        else:
            layers.append(Layer(distance.astype(np.float32), float(value), bone))

    # thorax: lungs, wall of fat and muscle, ribs, breast bone
    add(np.full(shape, 9.0), LUNG_HU + 30.0 * coarse + 25.0 * fine)
    middle = np.array([rng.uniform(-22, -10), 18.0])
    across, deep = rng.uniform(118, 134), rng.uniform(82, 90)
    q = np.sqrt(((x - middle[0]) / across) ** 2 + ((y - middle[1]) / deep) ** 2)
    wall = (q - 1) * deep  # mm outside the inner border of the wall, roughly
    add(wall, 48.0, 8.0)
    add(both(wall - 16, 60 - wall), heart.fat_hu, 6.0)
    pitch = rng.uniform(24, 30)
    swing = (z + 0.28 * y + 0.004 * (x - middle[0]) ** 2 + rng.uniform(0, pitch)) % pitch - 0.5 * pitch
    rib = 5.5 - np.sqrt((0.8 * (wall - 7)) ** 2 + swing**2)
    rib = np.where(y < middle[1] - 0.93 * deep, -9.0, rib)
    add(rib, 420.0, 25.0, bone=True)
    add(rib - 2.0, 170.0, 25.0, bone=True)
    bone = both(
        22 - np.abs(x - middle[0]), 6 - np.abs(y - (middle[1] - deep - 4)), 70 - np.abs(z - 40), round_mm=4
    )
    add(bone, 380.0, 25.0, bone=True)
    add(bone - 2.0, 140.0, 20.0, bone=True)

    # diaphragm with liver and stomach, mediastinum, spine, descending aorta
    dome = either(
        -30.0 * k - 0.005 * (x + 58) ** 2 - 0.005 * (y - 15) ** 2 - z,
        -45.0 * k - 0.004 * (x - 40) ** 2 - 0.004 * (y - 5) ** 2 - z,
        round_mm=8,
    )
    add(dome, 95.0 + 8.0 * coarse, 6.0)
    add(
        both(dome - 4, -wall - 10, x - 28 + 0.3 * y, round_mm=6), np.where(coarse > 0.8, -300.0, 35.0)
    )  # stomach
    spine = np.array([middle[0] + 2.0, middle[1] + deep - 12.0, 0.0])
    mediastinum = either(
        both(26 - np.abs(x - spine[0]), y - 20, round_mm=8),
        capsule(points, heart.aorta_to, heart.aorta_from, 24 * k),
        round_mm=10,
    )
    add(mediastinum, heart.fat_hu + 20.0, 10.0)
    disc = (z + rng.uniform(0, 26)) % 26 - 13
    body = (
        19
        - np.sqrt((0.85 * (x - spine[0])) ** 2 + (1.1 * (y - spine[1])) ** 2)
        - 0.01 * (13 - np.abs(disc)) ** 2
    )
    add(body, 360.0, 30.0, bone=True)
    add(both(body - 2.2, 11.0 - np.abs(disc), round_mm=1), 190.0, 35.0, bone=True)
    add(both(body, np.abs(disc) - 10.5, round_mm=1), 85.0)
    arch = 9 - np.sqrt((x - spine[0]) ** 2 + (y - spine[1] - 26) ** 2)
    add(arch + 4, 380.0, 25.0, bone=True)
    add(arch, 25.0)
    lateral = both(6 - np.abs(y - spine[1] - 20), 34 - np.abs(x - spine[0]), 5 - np.abs(disc - 3), round_mm=3)
    add(lateral, 330.0, 30.0, bone=True)
    blood = heart.blood_hu
    descending = spine + [rng.uniform(18, 26), -24.0, 0.0]
    trunk = rng.uniform(10.5, 13) * np.sqrt(k) - np.sqrt((x - descending[0]) ** 2 + (y - descending[1]) ** 2)
    add(trunk + 1.4, 55.0)
    add(trunk, blood * 0.97 * (1 + 0.02 * coarse))
    gullet = 7 - np.sqrt((x - spine[0] - 6) ** 2 + 1.6 * (y - spine[1] + 24) ** 2)
    add(gullet, 40.0, 10.0)
    add(gullet - 3.5, -500.0)

    # heart: fat, muscle, chambers. The right heart holds diluted, unevenly mixed contrast.
    add(epicardium + fat, heart.fat_hu + 6.0 * fine)
    muscle = both(epicardium, heart.base_mm - c, round_mm=1.0)
    add(muscle, heart.muscle_hu + 5.0 * fine)
    right = blood * rng.uniform(0.35, 0.95)
    smear = 1 + unevenness * coarse
    room = gap - rng.uniform(0.8, 2.0)  # fat between an artery and the chamber beside it
    muscle_room = gap - 0.6

    spaces: list[tuple[Array, Array]] = []

    def chamber(distance: Array, hu: Array, wall_mm: float, wall_hu: float) -> None:
        """Paint the wall now and keep the blood for later, so that no wall runs through a neighbouring chamber."""
        if wall_mm > 0:
            add(both(distance + wall_mm, gap - 0.3, round_mm=0.6), wall_hu, 5.0)
        spaces.append((both(distance, room, round_mm=0.8), hu))

    thick = rng.uniform(8.5, 11.5) * np.sqrt(k)
    cavity = np.array([heart.axes[0] - thick - 8 * k, heart.axes[1] - thick - 9 * k, heart.axes[2] - 14 * k])
    centre = at(-2, 7, -4)
    ventricle = both(
        ellipsoid(points, centre, heart.frame, cavity), epicardium - 0.75 * thick, heart.base_mm - 1.5 - c
    )
    for angle in rng.uniform(0, 6.28, 2) + [0.0, 2.6]:  # papillary muscles
        side = np.cos(angle) * front + np.sin(angle) * left
        foot = centre + 0.8 * cavity[0] * side - 0.55 * cavity[2] * up
        ventricle = both(
            ventricle,
            -capsule(points, foot, centre + 0.55 * cavity[0] * side + 0.05 * cavity[2] * up, 3.2 * k),
        )
    outside = ellipsoid(points, centre, heart.frame, cavity + thick)
    rightward = -(b + 9 * k) + (a - 10 * k) * 0.1
    right_ventricle = both(
        epicardium - rng.uniform(3.0, 4.5),
        -outside - 0.5,
        rightward,
        heart.base_mm - 2.5 - c,
        c + 30 * k,
        round_mm=4.0,
    )
    outflow = capsule(points, at(20, -18, 10), at(26, -13, 26), 10.5 * k)
    pulmonary = either(
        capsule(points, at(26, -13, 24), at(22, -6, 42), 11.0 * k),
        capsule(points, at(22, -6, 42), at(4, 8, 66), 11.5 * k),
        round_mm=4,
    )
    right_ventricle = either(right_ventricle, both(outflow, epicardium + 6, -outside - 0.5), round_mm=5)
    chamber(right_ventricle, right * smear, 0.0, 0.0)
    spaces.append((both(ventricle, muscle_room, round_mm=0.8), blood * (1 + 0.2 * unevenness * coarse)))
    chamber(pulmonary, right * 1.02 * (1 + 0.5 * unevenness * coarse), 1.5, 55.0)
    left_atrium = ellipsoid(
        points, at(-21, 14, 35), heart.frame, k * np.array([16.0, 20.0, 13.0]) * rng.uniform(0.9, 1.1)
    )
    for side, height in ((1, 44), (1, 33), (-1, 44), (-1, 33)):  # pulmonary veins
        root_of = at(-21, 14, height - 1) + k * np.array([side * 10.0, 4.0, 0.0])
        tip = root_of + k * np.array([side * 40.0, 10.0, (height - 38.5) * 1.2])
        left_atrium = either(left_atrium, capsule(points, root_of, tip, 5.0 * k), round_mm=4)
    appendage = capsule(points, at(-2, 34, 36), at(14, 31, 38), 5.0 * k)
    left_atrium = either(left_atrium, appendage, round_mm=4)
    left_atrium = both(left_atrium, -trunk - 4.0)
    chamber(both(left_atrium, -muscle, round_mm=1), blood * 0.98 * (1 + 0.3 * unevenness * coarse), 2.0, 70.0)
    atrium = ellipsoid(points, at(-7, -25, 31), heart.frame, k * np.array([14.0, 12.0, 14.0]))
    atrium = either(atrium, capsule(points, at(2, -30, 34), at(15, -24, 38), 5.5 * k), round_mm=4)
    cava = capsule(points, at(-7, -25, 34), at(-7, -25, 34) + np.array([-8.0, 6.0, 90.0]), 8.5 * k)
    lower = capsule(points, at(-14, -25, 26), at(-14, -25, 26) + np.array([-6.0, 14.0, -90.0]), 10.0 * k)
    chamber(lower, blood * 0.35 * (1 + 0.3 * unevenness * coarse), 1.0, 50.0)
    chamber(
        both(atrium, -muscle, round_mm=1),
        right * rng.uniform(0.7, 1.1) * (1 + 1.5 * unevenness * coarse),
        2.0,
        70.0,
    )
    jet = rng.uniform(0.9, 1.8)
    chamber(cava, right * jet * (1 + unevenness * coarse), 1.2, 50.0)

    for distance, hu in spaces:
        add(distance, hu)

    aorta = capsule(points, heart.aorta_from, heart.aorta_to, heart.aorta_mm)
    root = ellipsoid(
        points, heart.aorta_from + 4 * up, heart.frame, np.array([1.12, 1.12, 0.9]) * heart.aorta_mm
    )
    add(both(aorta + 1.4, -ventricle - 1.0, c - 4.0), 60.0)
    add(both(root, aorta + 1.0), blood)
    add(aorta, blood * (1 + 0.01 * coarse))
    return layers
