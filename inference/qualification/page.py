"""``qualify.html``: pictures of the insert with what was measured where, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from inference.qualification.measuring import MeasuredCylinder, Qualification
from inference.report.drawing import LUMEN, MARK, image, png, polygon, svg
from inference.rounding import half_up
from inference.scan import Volume

SHOWN_MM = 55.0  # half the width of a picture: the whole insert
PICTURE_PX = 420  # two beside each other on a page of 70 rem; by hand
# From air's edge to below the densest cylinder, so that all nine can be told apart; by hand.
WINDOW_HU = (-150.0, 650.0)
TURNS = np.linspace(0, 2 * np.pi, 48, endpoint=False)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; background: #0d1014; color: #d7dce2; max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #23292f; }
th:first-child, td:first-child { text-align: left; } td { white-space: nowrap; } figure { margin: 0; } figcaption, .dim { color: #8b949e; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; } .outside { color: #ffb703; } svg { background: #000; display: block; }
"""


def qualification_page(*, name: str, volume: Volume, found: Qualification) -> str:
    """Return the page of one scan of the insert; ``name`` is what it is called."""
    metadata = volume.metadata
    scanner = ", ".join(str(metadata[k]) for k in ("manufacturer", "model", "kernel") if metadata.get(k))
    kvp = metadata.get("kvp")
    about = (
        f"{scanner or 'scanner not stated'}, {'tube voltage not stated' if kvp is None else f'{half_up(float(kvp), 0)} kVp'}, "
        f"slices every {half_up(found.slice_mm, 2)} mm. The rod reads {half_up(found.rod_hu, 1)} HU, the insert "
        f"{half_up(found.insert_hu, 1)} HU: {half_up(found.hu_per_mg_cc, 3)} HU per mg/cc."
    )
    title = f"{name}: calcium qualification"
    kept = all(c.kept for c in found.criteria)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
        f"<h1>{escape(title)}</h1><p class=dim>For research use only. {escape(about)}</p>"
        f"<p{'' if kept else ' class=outside'}>{escape(found.verdict)}</p>"
        f"<div class=row>{_cylinders(volume, found)}{_rod(volume, found)}</div>"
        f"{_table(found.cylinders)}{_criteria(found)}"
        "<p class=dim>Mass: HU above the insert, integrated without a threshold with the weight of the cylinder’s own blurred shape, "
        "calibrated on the rod alone; the plain sum beside it. Volume: what measures 350 HU or more, as plaque is measured; and the "
        "integral over the HU of the densest quarter. Cylinders of 1 mm are reported and not judged.</p></html>"
    )


def _picture(volume: Volume, middle: tuple[float, float, float], shapes: Sequence[str], label: str) -> str:
    """One slice about a point (LPS mm), with shapes in mm from it."""
    column, row, slice_at = volume.to_index(np.array(middle))
    across, down, _ = volume.spacing_mm
    plane = volume.hu[round(float(slice_at))]
    reach = [round(SHOWN_MM / size) for size in (down, across)]
    at = [round(float(x)) for x in (row, column)]
    low = [max(0, a - n) for a, n in zip(at, reach, strict=True)]
    part = plane[low[0] : at[0] + reach[0] + 1, low[1] : at[1] + reach[1] + 1].astype(float)
    bright = (part - WINDOW_HU[0]) / (WINDOW_HU[1] - WINDOW_HU[0])
    grey = (255 * np.clip(bright, 0, 1)).astype(np.uint8)
    size = (part.shape[1] * across, part.shape[0] * down)
    corner = ((low[1] - 0.5 - column) * across, (low[0] - 0.5 - row) * down)
    parts = [
        f'<g transform="translate({corner[0]:.2f} {corner[1]:.2f})">{image(png(grey), *size)}</g>',
        *shapes,
    ]
    drawn = svg(
        parts,
        box=(*corner, *size),
        width=PICTURE_PX,
        height=round(PICTURE_PX * size[1] / size[0]),
        label=label,
    )
    return f"<figure>{drawn}<figcaption>{escape(label)}</figcaption></figure>"


def _circle(x: float, y: float, radius: float, colour: str) -> str:
    return polygon(np.stack([x + radius * np.cos(TURNS), y + radius * np.sin(TURNS)], 1), colour)


def _cylinders(volume: Volume, found: Qualification) -> str:
    places = np.array([c.cylinder.centre for c in found.cylinders])
    middle = places.mean(0)
    across, down = (volume.affine[:3, n] / np.linalg.norm(volume.affine[:3, n]) for n in (0, 1))
    shapes = []
    for measured, place in zip(found.cylinders, places, strict=True):
        x, y = float((place - middle) @ across), float((place - middle) @ down)
        radius = measured.cylinder.diameter_mm / 2
        shapes.append(_circle(x, y, radius + 1.0, MARK))
        said = f"{half_up(measured.cylinder.mg_cc, 0)}/{half_up(measured.cylinder.diameter_mm, 0)}"
        shapes.append(
            f'<text x="{x + radius + 1.5:.2f}" y="{y:.2f}" font-size="3" fill="{MARK}">{said}</text>'
        )
    return _picture(volume, tuple(middle), shapes, "Cylinders: mg/cc / diameter in mm")


def _rod(volume: Volume, found: Qualification) -> str:
    circle = _circle(0.0, 0.0, found.insert.rod_diameter_mm / 2, LUMEN)
    return _picture(volume, found.insert.rod_centre, [circle], "Rod of 200 mg/cc")


def _table(cylinders: Sequence[MeasuredCylinder]) -> str:
    head = "".join(
        f"<th>{name}</th>"
        for name in (
            *("cylinder", "mass, mg", "true", "error", "plain sum"),
            *("volume ≥ 350 HU, mm³", "true", "error", "integrated volume, mm³", "error"),
        )
    )
    body = ""
    for c in cylinders:
        numbers = (
            half_up(c.mass_mg, 2),
            half_up(c.cylinder.mass_mg, 2),
            f"{half_up(c.mass_error, 1)} %",
            half_up(c.mass_plain_mg, 2),
            half_up(c.volume_350_mm3, 1),
            half_up(c.cylinder.volume_mm3, 1),
            f"{half_up(c.volume_350_error, 0)} %",
            half_up(c.volume_integrated_mm3, 1),
            f"{half_up(c.volume_integrated_error, 0)} %",
        )
        named = f"{half_up(c.cylinder.mg_cc, 0)} mg/cc, {half_up(c.cylinder.diameter_mm, 0)} mm"
        body += f"<tr><td>{named}</td>{''.join(f'<td>{n}</td>' for n in numbers)}</tr>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _criteria(found: Qualification) -> str:
    body = ""
    for c in found.criteria:
        word = "kept" if c.kept else "outside"
        body += (
            f"<tr class={word}><td>{escape(c.name)}</td><td>{half_up(c.found, 2)} {c.unit}</td>"
            f"<td>{half_up(c.limit, 1)} {c.unit}</td><td>{word}</td></tr>"
        )
    head = "<tr><th>limit</th><th>found</th><th>at most</th><th></th></tr>"
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
