"""A patient with a whole coronary tree: seed and scenario in, scan with exact truth out.

Every part draws from its own generator (seed, scenario, part), so that a change to one leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from inference.scan import Volume

from .anatomy import Heart, make_heart
from .chest import chest_layers
from .ct import CtSettings, at_voltage, draw_ct, materials_of, scan_materials, without_calcium
from .curve import STEP_MM, Curve
from .grid import Grid, grid_around
from .headers import AIR_HU, Header, draw_header
from .layers import Layer, coarse_points, near_vessels, paint_layers
from .lesions import THICKER_MM, build_table
from .paths import make_veins
from .scanner import Motion, Step, bloom_and_halo, move, scan, shift_slabs, shifted_curve, slab_shifts
from .segments import segments
from .settings import Scenario, TreeSettings, draw_scan
from .stents import Stent, paint_stent, place_stent, strut_points
from .table import VesselTable
from .tissue import fill_tissue, fill_veins
from .tree import Bridge, Tree, make_tree
from .wide_lesions import build_wide_table

PARTS = (
    "settings",
    "heart",
    "tree",
    "walls",
    "stents",
    "chest",
    "veins",
    "sheaths",
    "artefacts",
    "noise",
    "header",
    "physics",
)
ANOTHER_SCAN = ("artefacts", "noise")
ANOTHER_SCANNER = (*ANOTHER_SCAN, "settings", "header", "physics")
SOFT_HU = 40.0  # what a bone is made of beside its mineral, where a scene is split into materials


@dataclass(frozen=True)
class Findings:
    """What a tree phantom holds beyond its vessels; extents in mm along each vessel's centreline."""

    dominance: str
    bridges: tuple[Bridge, ...]
    stents: tuple[Stent, ...]
    motions: tuple[Motion, ...]
    steps: tuple[Step, ...]
    acute_margin_mm: float


@dataclass(frozen=True)
class Patient:
    """What ``make_patient`` returns; ``outside`` marks pixels beyond a round field of view."""

    volume: Volume
    tables: tuple[VesselTable, ...]
    settings: dict[str, float]
    findings: Findings
    header: Header
    outside: NDArray[np.bool_] | None


def _sheath_layers(
    rng: np.random.Generator,
    *,
    points: NDArray[np.float64],
    tables: tuple[VesselTable, ...],
    chosen: Scenario,
    heart: Heart,
    gap: NDArray[np.float32],
    nearest: NDArray[np.int32],
) -> list[Layer]:
    """Soft tissue against one side of some stretches: its border is a plane that passes near the vessel.

    A shell of even thickness would look like a thick wall.
    """
    total = sum(len(t.curve.points[::2]) for t in tables)
    side, reach, hu = np.zeros((total, 3)), np.zeros(total), np.zeros(total)
    centre = np.concatenate([t.curve.points[::2] for t in tables])
    first = 0
    for table in tables:
        u, v = table.curve.u[::2], table.curve.v[::2]
        at, n = 0, len(u)
        while at < n:
            stop = min(n, at + int(rng.uniform(20, 100)))
            if rng.choice(3, p=chosen.surroundings) == 2:
                angle = rng.uniform(0, 6.28) + np.linspace(0, rng.normal(0, 0.7), stop - at)
                part = slice(first + at, first + stop)
                side[part] = np.cos(angle)[:, None] * u[at:stop] + np.sin(angle)[:, None] * v[at:stop]
                side[part] *= rng.uniform(0.2, 4.5)  # 3 = the border passes through the centreline
                reach[part] = rng.uniform(3.0, 5.0)
                hu[part] = rng.uniform(30.0, heart.muscle_hu)
            at = stop
        first += n
    distance = np.full(gap.shape, -9.0, np.float32)
    value = np.full(gap.shape, heart.muscle_hu, np.float32)
    where = np.flatnonzero(nearest.ravel() >= 0)
    row = nearest.ravel()[where]
    keep = reach[row] > 0
    where, row = where[keep], row[keep]
    size = np.linalg.norm(side[row], axis=1)
    off = ((points.reshape(-1, 3)[where] - centre[row]) * side[row]).sum(1) / size
    distance.ravel()[where] = np.minimum(off + 3.0 - size, reach[row] - gap.ravel()[where])
    value.ravel()[where] = hu[row]
    return [Layer(distance, value)]


def _motions(
    rng: np.random.Generator, tables: dict[str, VesselTable], settings: TreeSettings
) -> tuple[Motion, ...]:
    out = []
    for name in settings.motion_vessels:
        if name not in tables or rng.random() >= settings.motion_share:
            continue
        length = tables[name].curve.length_mm
        long = min(rng.uniform(*settings.motion_long_mm), 0.8 * length)
        start = rng.uniform(0.1 * length, max(0.1 * length, length - long - 2.0))
        way = rng.normal(0, 1, 3) * [1.0, 1.0, 0.35]
        way *= rng.uniform(*settings.motion_mm) / np.linalg.norm(way)
        start, end = (round(x / STEP_MM) * STEP_MM for x in (start, start + long))
        out.append(Motion(name, start, min(end, length), (float(way[0]), float(way[1]), float(way[2]))))
    return tuple(out)


def _steps(rng: np.random.Generator, grid: Grid, settings: TreeSettings) -> tuple[Step, ...]:
    """Slabs of a scan over several heart beats, each lying a little otherwise; the middle of the heart is cut."""
    if rng.random() >= settings.step_share:
        return ()
    count = int(rng.integers(settings.steps[0], settings.steps[1] + 1))
    n = grid.shape[0]
    # slabs of one detector's coverage have much the same height
    cuts = np.linspace(0.2 * n, 0.9 * n, count + 1)[:-1] + rng.uniform(0.0, 0.6 * 0.7 * n / count, count)
    edges = [*cuts.astype(int), n + 1]
    out = []
    for low, high in pairwise(edges):
        angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(*settings.step_mm)
        shift = np.rint(size * np.array([np.cos(angle), np.sin(angle)]) / grid.pixel_mm) * grid.pixel_mm
        if shift.any():
            out.append(
                Step(
                    float(grid.origin[2] + low * grid.slice_mm),
                    float(grid.origin[2] + high * grid.slice_mm),
                    (float(shift[0]), float(shift[1])),
                )
            )
    return tuple(out)


def _walls(
    seed: int, chosen: Scenario, tree: Tree, contrast: float
) -> tuple[tuple[VesselTable, ...], tuple[Bridge, ...]]:
    """Tables of all paths, parents first; the lumen of a bridged stretch is a little narrower and free of plaque."""
    healthy = np.random.default_rng([seed, chosen.salt, PARTS.index("walls")]).uniform(
        *chosen.whole_tree.healthy
    )
    tables: dict[int, VesselTable] = {}
    place = {id(p): n for n, p in enumerate(tree.paths)}
    for n, path in enumerate(tree.paths):
        rng = np.random.default_rng([seed, chosen.salt, PARTS.index("walls"), n])
        radius = None
        if path.parent:
            parent = tables[next(place[id(p)] for p in tree.paths if p.name == path.parent)]
            row = min(int(path.origin_mm / STEP_MM), len(parent.lumen) - 1)
            near = parent.lumen_area()[max(0, row - 40) : row + 40].max()
            radius = float(np.sqrt(max(near, 0.5) / np.pi))
        free = tuple((b.start_mm, b.end_mm) for b in tree.bridges if b.vessel == path.name)
        whole = ((0.0, path.curve.length_mm),) if rng.random() < healthy else ()
        build = build_wide_table if chosen.wide else build_table
        table = build(rng, path, chosen, contrast, radius, free=free + whole)
        for a, b in free:
            s = table.curve.arc_length
            dent = gaussian_filter1d(((s >= a) & (s <= b)).astype(float), 12.0)[:, None]
            narrow = 1 - rng.uniform(0.05, 0.2) * dent
            lumen, wall = table.lumen * narrow, table.wall * narrow
            thick = wall - lumen > table.normal_wall_mm[:, None] + THICKER_MM
            table = replace(
                table,
                lumen=lumen.astype(np.float32),
                wall=wall.astype(np.float32),
                plaque=table.plaque & thick,
            )
        tables[n] = table
    names = segments(tree, tables)
    return tuple(replace(tables[n], segment=names[n]) for n in range(len(tree.paths))), tree.bridges


def _stents(
    rng: np.random.Generator,
    tables: tuple[VesselTable, ...],
    settings: TreeSettings,
    bridges: tuple[Bridge, ...],
) -> tuple[tuple[VesselTable, ...], tuple[Stent, ...]]:
    if rng.random() >= settings.stent_share:
        return tables, ()
    out, stents = list(tables), []
    free = {t.name: [(b.start_mm, b.end_mm) for b in bridges if b.vessel == t.name] for t in tables}
    for _ in range(int(rng.integers(settings.stents[0], settings.stents[1] + 1))):
        for name in rng.permutation(["LAD", "RCA", "LCx", "LAD", "RCA", "OM1", "D1"]):
            n = next((k for k, t in enumerate(out) if t.name == name), None)
            if n is None:
                continue
            done = place_stent(rng, out[n], free=tuple(free[str(name)]))
            if done is not None:
                out[n], stent = done
                stents.append(stent)
                free[str(name)].append((stent.start_mm - 2.0, stent.end_mm + 2.0))
                break
    return tuple(out), tuple(stents)


def _grid(rng: np.random.Generator, chosen: Scenario, curves: list[Curve], pixel: float, slab: float) -> Grid:
    crop = grid_around(curves, margin_mm=chosen.margin_mm, pixel_mm=pixel, slice_mm=slab)
    if chosen.whole_tree.grid is None:
        return crop
    columns, rows, slices = chosen.whole_tree.grid
    points = np.concatenate([c.points for c in curves])
    centre = 0.5 * (points.min(0) + points.max(0)) + rng.uniform(-4, 4, 3) + [-12.0, 10.0, 0.0]
    size = np.array([columns * pixel, rows * pixel, slices * slab])
    return Grid(
        shape=(slices, rows, columns), origin=np.round(centre - 0.5 * size, 3), pixel_mm=pixel, slice_mm=slab
    )


def make_patient(
    seed: int, chosen: Scenario, *, scan_number: int = 1, other_scanner: bool = False
) -> Patient:
    """Draw and scan one patient of a scenario that has a tree.

    Scans of one patient differ in position, artefacts and noise; those of another scanner in its settings too: contrast,
    kernel, noise, grid, tube voltage and vendor. Vessels, walls and plaque are the patient's.
    """
    wish = chosen.whole_tree
    drawn_anew = ANOTHER_SCANNER if other_scanner else ANOTHER_SCAN

    def generator(part: str) -> np.random.Generator:
        again = [scan_number] if scan_number > 1 and part in drawn_anew else []
        return np.random.default_rng([seed, chosen.salt, PARTS.index(part), *again])

    rng = generator("settings")
    pixel, slab, settings = draw_scan(rng, chosen)
    contrast = settings["contrast_hu"]
    settings |= {
        "bloom": float(rng.uniform(*wish.bloom)),
        "bloom_mm": float(rng.uniform(0.6, 1.1)),
        "halo": float(rng.uniform(*wish.halo)),
        "halo_mm": float(rng.uniform(1.2, 2.0)),
    }
    kvp = int(rng.choice(chosen.kvp))
    ct = None
    if chosen.physics is not None:
        ct = draw_ct(generator("physics"), chosen.physics, kvp=kvp, noise_hu=settings["noise_hu"])
        settings = {name: settings[name] for name in ("contrast_hu", "noise_hu")} | ct.settings(contrast)
    header = draw_header(
        generator("header"),
        vendors=wish.vendors,
        kvp=kvp,
        overshoot=settings["overshoot"] if ct is None else ct.sharpness,
        noise_hu=settings["noise_hu"],
    )
    heart = make_heart(generator("heart"), chosen, contrast)
    tree = make_tree(generator("tree"), heart, chosen)
    tables, bridges = _walls(seed, chosen, tree, contrast)
    rng = generator("stents")
    tables, stents = _stents(rng, tables, wish, bridges)
    struts = [strut_points(rng, next(t for t in tables if t.name == s.vessel), s) for s in stents]

    rng = generator("artefacts")
    grid = _grid(rng, chosen, [t.curve for t in tables], pixel, slab)
    if ct is not None:
        hu, tables = _imaged(generator, chosen, heart=heart, tables=tables, grid=grid, ct=ct)
        return Patient(
            volume=Volume(hu=hu, affine=grid.affine, metadata={**header.metadata, **grid.metadata}),
            tables=tables,
            settings=settings,
            findings=Findings(tree.dominance, bridges, (), (), (), tree.acute_margin_mm),
            header=header,
            outside=None,
        )
    steps = _steps(rng, grid, wish)
    motions = _motions(rng, {t.name: t for t in tables if t.tracked}, wish)
    shifts = slab_shifts(grid, steps)
    border = int(np.abs(shifts).max(initial=0))
    wide = Grid(
        shape=(grid.shape[0], grid.shape[1] + 2 * border, grid.shape[2] + 2 * border),
        origin=grid.origin - [border * pixel, border * pixel, 0.0],
        pixel_mm=pixel,
        slice_mm=slab,
    )
    scene = _scene(
        generator,
        chosen,
        heart=heart,
        tables=tables,
        stents=stents,
        struts=struts,
        grid=wide,
        settings=settings,
    )
    for motion in motions:
        curve = next(t.curve for t in tables if t.name == motion.vessel)
        scene = move(scene, grid=wide, curve=curve, motion=motion)
    if border:
        scene = shift_slabs(scene, shifts=shifts, border=border)
        tables = tuple(replace(t, curve=shifted_curve(t.curve, grid=grid, shifts=shifts)) for t in tables)
    hu = scan(
        generator("noise"),
        scene,
        grid=grid,
        psf_plane_mm=settings["psf_plane_mm"],
        psf_along_mm=settings["psf_along_mm"],
        noise_hu=settings["noise_hu"],
        grain_mm=settings["grain_mm"],
        overshoot=settings["overshoot"],
        tails=settings.get("tails", 0.0),
    )
    outside = None
    if wish.grid is not None:
        y, x = (np.arange(n) - 0.5 * (n - 1) for n in grid.shape[1:])
        outside = np.hypot(y[:, None], x[None, :]) > 0.5 * max(grid.shape[1:])
        hu[:, outside] = AIR_HU
    return Patient(
        volume=Volume(hu=hu, affine=grid.affine, metadata={**header.metadata, **grid.metadata}),
        tables=tables,
        settings=settings,
        findings=Findings(tree.dominance, bridges, stents, motions, steps, tree.acute_margin_mm),
        header=header,
        outside=outside,
    )


def _imaged(
    generator: Callable[[str], np.random.Generator],
    chosen: Scenario,
    *,
    heart: Heart,
    tables: tuple[VesselTable, ...],
    grid: Grid,
    ct: CtSettings,
) -> tuple[NDArray[np.int16], tuple[VesselTable, ...]]:
    """HU by CT physics (or its blur alone), and the tables as they read at the scan's tube voltage."""
    whole, soft = (
        _scene(
            generator,
            chosen,
            heart=heart,
            tables=parts,
            stents=(),
            struts=[],
            grid=grid,
            settings=dict.fromkeys(("bloom", "bloom_mm", "halo", "halo_mm"), 0.0),
            mineral=mineral,
        )
        for mineral, parts in ((True, tables), (False, tuple(without_calcium(t) for t in tables)))
    )
    hu = scan_materials(generator("noise"), materials_of(whole, soft), grid=grid, settings=ct)
    return hu, tuple(at_voltage(t, ct.kvp) for t in tables)


def _scene(
    generator: Callable[[str], np.random.Generator],
    chosen: Scenario,
    *,
    heart: Heart,
    tables: tuple[VesselTable, ...],
    stents: tuple[Stent, ...],
    struts: list[NDArray[np.float64]],
    grid: Grid,
    settings: dict[str, float],
    mineral: bool = True,
) -> NDArray[np.float32]:
    """Bodies, veins, arteries and metal on a grid, HU, with what dense matter does to its neighbours.

    Without ``mineral`` bones are soft tissue.
    """
    points = coarse_points(grid)
    centre = np.concatenate([t.curve.points[::2] for t in tables])
    radius = np.concatenate([t.wall.max(1)[::2] for t in tables])
    gap, nearest = near_vessels(grid, centre, radius, reach_mm=8.0)
    layers = chest_layers(generator("chest"), points=points, heart=heart, chosen=chosen, gap=gap)
    layers += _sheath_layers(
        generator("sheaths"),
        points=points,
        tables=tables,
        chosen=chosen,
        heart=heart,
        gap=gap,
        nearest=nearest,
    )
    if not mineral:
        layers = [replace(x, hu=SOFT_HU) if x.bone else x for x in layers]
    scene = np.empty(grid.shape, np.float32)
    paint_layers(scene, grid=grid, layers=layers)
    rng = generator("veins")
    veins = make_veins(rng, heart)
    fill_veins(
        scene,
        grid=grid,
        curves=veins,
        radius_mm=rng.uniform(0.8, 1.7, len(veins)),
        hu=heart.blood_hu * rng.uniform(0.25, 0.75, len(veins)),
    )
    reach = fill_tissue(scene, grid=grid, tables=tables)
    dense = [reach.voxels]
    for stent, metal in zip(stents, struts, strict=True):
        dense.append(paint_stent(scene, grid=grid, points=metal, stent=stent))
    voxels = np.unique(np.concatenate(dense), axis=0) if stents else reach.voxels
    bloom_and_halo(
        scene,
        grid=grid,
        voxels=voxels,
        bloom=settings["bloom"],
        bloom_mm=settings["bloom_mm"],
        halo=settings["halo"],
        halo_mm=settings["halo_mm"],
    )
    return scene
