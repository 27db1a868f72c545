"""``report.html``: what one analysis found, to look at rather than to read; self-contained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.analysis import Analysis
from inference.composition_profiles import profile_named
from inference.contours import THETA
from inference.doubts import Doubt
from inference.quantification import (
    Lesion,
    LesionRecord,
    StretchRecord,
    VesselRead,
    calibration,
    composition_map,
    value_of,
)
from inference.rounding import half_up, written
from inference.scan import Volume
from inference.section_grid import PIXELS, SPACING_ACROSS, SPACING_ALONG
from inference.straightening import StraightenedVessel
from inference.vocabulary import METRICS

from .drawing import LUMEN, MARK, WALL, image, png, polygon, svg, tinted
from .views import along, curved, grey

HALF = PIXELS / 2
SECTION_PX, SHOWN = 176, 36  # size of a cross-section on the page, and how many of its 64 pixels are seen
SHOWN_OF_LESIONS = (
    "lesion_start",
    "lesion_end",
    "total_plaque_volume",
    "noncalcified_plaque_volume",
    "calcified_plaque_volume",
    "low_attenuation_plaque_volume",
    "calcified_plaque_mass",
    "total_plaque_burden",
    "minimal_luminal_area",
    "diameter_stenosis",
    "remodelling_index",
    "cadrads",
)
SHOWN_OF_THE_PATIENT = ("total_plaque_volume", "percent_atheroma_volume", "cadrads", "plaque_stage")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; background: #0d1014; color: #d7dce2; max-width: 78rem; margin: 1.5rem auto; padding: 0 1rem; }
h1, h2 { font-weight: 600; } h2 { border-top: 1px solid #30363d; padding-top: 1rem; margin-top: 2rem; }
table { border-collapse: collapse; } td, th { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #23292f; }
th:first-child, td:first-child { text-align: left; } svg { background: #000; display: block; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; } figure { margin: 0; } figcaption, .dim { color: #8b949e; }
.warning { color: #ffb703; } .key i { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
a { color: #48bfe3; } canvas { background: #000; cursor: grab; touch-action: none; max-width: 100%; }
"""
TURN = """
const canvas = document.getElementById("tree"), pen = canvas.getContext("2d"), tree = JSON.parse(canvas.dataset.tree);
let turn = 0, tilt = 0, from = null;
function draw() {
  const scale = 0.45 * canvas.height / tree.far, [ct, st, cp, sp] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (const { name, points } of tree.lines) {
    pen.beginPath();
    points.forEach(([x, y, z], n) => {
      const right = ct * x + st * y, deep = ct * y - st * x, up = cp * z - sp * deep;
      const at = [canvas.width / 2 + scale * right, canvas.height / 2 - scale * up];
      if (n) pen.lineTo(...at); else pen.moveTo(...at);
      if (n === points.length - 1) { pen.fillStyle = tree.colours[2]; pen.fillText(name, at[0] + 5, at[1] + 12); }
    });
    pen.strokeStyle = tree.colours[name ? 0 : 1]; pen.lineWidth = name ? 2 : 6; pen.stroke();
  }
}
canvas.onpointerdown = (e) => { from = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); };
canvas.onpointerup = () => { from = null; };
canvas.onpointermove = (e) => {
  if (!from) return;
  turn += (e.clientX - from[0]) / 150; tilt += (e.clientY - from[1]) / 150; from = [e.clientX, e.clientY]; draw();
};
pen.font = "13px system-ui"; draw();
"""


def report_page(*, exam: str, volume: Volume, analysis: Analysis, summary: Mapping[str, Any]) -> str:
    """The page of one analysis.

    Parameters
    ----------
    exam : its name in the tables. volume : the scan. summary : what ``analysis.json`` says.
    """
    parts = [_vessel(volume, v, r, analysis) for v, r in zip(analysis.vessels, analysis.reads, strict=True)]
    simulated = bool(volume.metadata.get("simulated"))
    overview = ", ".join(
        f"{METRICS[name].heading} {_value(name, record)}"
        for record in analysis.rolled
        if record.level == "patient"
        for name in SHOWN_OF_THE_PATIENT
    )
    if analysis.cadrads2 is not None:
        overview += f", {analysis.cadrads2}"
    about_image = _image(analysis)
    warnings = "".join(f"<li class=warning>{escape(w)}</li>" for w in analysis.warnings)
    versions = analysis.versions
    about = (
        f"Network {versions['model']} ({versions['weights_sha256'][:12]}), profile {versions['profile']}, "
        f"inference {versions['inference']} ({versions['code_version']}), "
        f"scan {versions['volume_sha256'][:12]}, {summary['timings_s']['total']} s."
    )
    title = f"{exam}: coronary plaque" + (" (simulated)" if simulated else "")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
        f"<h1>{escape(title)}</h1><p class=dim>For research use only. {escape(about)}</p>"
        f"<p>{escape(overview)}</p><p class=dim>{escape(about_image)}</p><ul>{warnings}</ul>{_doubt_list(_unplaced(analysis))}"
        '<p class="dim key">Drawn on the pictures:'
        f'<i style="background:{LUMEN}"></i>lumen<i style="background:{WALL}"></i>outer wall'
        '<i style="background:#b5179e"></i>low-attenuation<i style="background:#d62828"></i>non-calcified'
        '<i style="background:#ffd60a"></i>calcified</p>'
        f"{_lesion_table(analysis)}<h2>Tree</h2>{_tree(analysis)}{''.join(parts)}</html>"
    )


def _unplaced(analysis: Analysis) -> list[Doubt]:
    """Doubts of the scan, and of vessels that are not on the page."""
    there = {vessel.vessel for vessel in analysis.vessels}
    return [doubt for doubt in analysis.doubts if doubt.vessel not in there]


def _image(analysis: Analysis) -> str:
    """What the scan says of its own blur and noise, and what calcium's mass rests on."""
    image = analysis.imaging
    said = []
    if image.psf_plane_mm is not None:
        along = "" if image.psf_along_mm is None else f", {half_up(image.psf_along_mm, 2)} mm along the table"
        said.append(
            f"point spread {half_up(image.psf_plane_mm, 2)} mm in plane{along} (full width at half maximum)"
        )
    if image.noise_sd_hu is not None:
        said.append(f"noise in blood {half_up(image.noise_sd_hu, 1)} HU")
    scale = calibration(image.kvp)
    said.append(f"calcium {half_up(scale.hu_per_mg_cc, 3)} HU per mg/cc ({scale.source})")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def _value(metric: str, record: LesionRecord | StretchRecord | None) -> str:
    return written(METRICS[metric], value_of(record, metric).value if record else None)


def _head(metric: str) -> str:
    """``Total plaque, mm³``."""
    found = METRICS[metric]
    return f"{found.short}, {found.printed_unit}" if found.printed_unit else found.short


def _lesion_table(analysis: Analysis) -> str:
    found = {(x.vessel, x.number): x for record in analysis.records for x in record.lesions}
    head = "".join(
        f'<th title="{escape(METRICS[name].label)}">{escape(_head(name))}</th>' for name in SHOWN_OF_LESIONS
    )
    body = ""
    for read in analysis.reads:
        for lesion in read.lesions:
            record = found.get((read.vessel, lesion.number))
            cells = "".join(
                f"<td>{_value(name, record)}{_interval(name, record)}</td>" for name in SHOWN_OF_LESIONS
            )
            place = escape(f"{read.vessel} {lesion.number}")
            told = _doubts_of(analysis, read.vessel, lesion.number)
            words = f'<td class=warning title="{escape(" ".join(d.message for d in told))}">{len(told) or ""}</td>'
            body += f'<tr><td><a href="#{_anchor(read.vessel, lesion)}">{place}</a></td>{cells}{words}</tr>'
    if not body:
        return "<p>No lesion was found.</p>"
    known = analysis.versions.get("calibration")
    said = (
        f"<p class=dim>Small: 90 % interval against the truth, calibrated on {escape(known)}.</p>"
        if known
        else ""
    )
    return f"<table><thead><tr><th>lesion</th>{head}<th>doubts</th></tr></thead><tbody>{body}</tbody></table>{said}"


def _interval(metric: str, record: LesionRecord | None) -> str:
    """``12.1–40.3`` on a line of its own, nothing where there is no interval."""
    value = value_of(record, metric) if record else None
    if value is None or value.interval_low is None or value.interval_high is None:
        return ""
    low, high = (written(METRICS[metric], end) for end in (value.interval_low, value.interval_high))
    return f"<br><small class=dim>{low}–{high}</small>"


def _doubts_of(analysis: Analysis, vessel: str, lesion: int | None) -> list[Doubt]:
    return [doubt for doubt in analysis.doubts if doubt.vessel == vessel and doubt.lesion == lesion]


def _doubt_list(doubts: Iterable[Doubt]) -> str:
    lines = "".join(f"<li class=warning>{escape(doubt.message)}</li>" for doubt in doubts)
    return f"<ul>{lines}</ul>" if lines else ""


def _anchor(vessel: str, lesion: Lesion) -> str:
    return f"{vessel}-{lesion.number}"


def _vessel(
    volume: Volume,
    vessel: StraightenedVessel,
    read: VesselRead,
    analysis: Analysis,
) -> str:
    profile = profile_named(analysis.versions["profile"].split("/")[0])
    overlay = composition_map(vessel, read, profile, analysis.imaging)
    long = vessel.sections * SPACING_ALONG
    view = curved(volume, vessel)
    rows_px, columns_px = view.hu.shape
    lesions = [
        polygon(view.line[_inside(vessel, lesion)], MARK, closed=False, width=2) for lesion in read.lesions
    ]
    faint = polygon(view.line, MARK, closed=False, width=0.5)
    scale = min(2.0, 420 / rows_px)
    curve = svg(
        [image(png(grey(view.hu)), columns_px, rows_px), faint, *lesions],
        box=(0, 0, columns_px, rows_px),
        width=round(columns_px * scale),
        height=round(rows_px * scale),
        label=f"{read.vessel}, curved reformation",
    )
    doubt = float(analysis.uncertainty[vessel.vessel].mean())
    cuts = "".join(_cut(vessel, read, overlay, angle) for angle in (0, 1))
    whole = next((x.whole for x in analysis.records if x.vessel == vessel.vessel), None)
    volume_text = _value("total_plaque_volume", whole)
    return (
        f'<h2 id="{escape(vessel.vessel)}">{escape(vessel.vessel)}</h2>'
        f"<p class=dim>{half_up(long, 0)} mm, {volume_text} mm³ of plaque, {half_up(100 * doubt, 1)} % of labels expected to be wrong</p>"
        f"<div class=row><figure>{curve}<figcaption>curved reformation, lesions marked</figcaption></figure>"
        f"<figure>{cuts}<figcaption>straightened, two cuts at right angles, proximal on the left</figcaption></figure></div>"
        f"{_doubt_list(_doubts_of(analysis, vessel.vessel, None))}"
        f"<div class=row>{''.join(_sections(vessel, read, lesion, overlay, analysis) for lesion in read.lesions)}</div>"
    )


def _inside(vessel: StraightenedVessel, lesion: Lesion) -> slice:
    first = int(np.floor(lesion.start_mm / SPACING_ALONG))
    return slice(max(0, first), min(vessel.sections, int(np.ceil(lesion.end_mm / SPACING_ALONG)) + 1))


def _cut(vessel: StraightenedVessel, read: VesselRead, overlay: NDArray[np.uint8], angle: int) -> str:
    n, quarter = vessel.sections, len(THETA) // 4
    first = angle * quarter
    at = np.arange(n) + 0.5
    edges = []
    for radius, colour in ((read.contours.wall_radius, WALL), (read.contours.lumen_radius, LUMEN)):
        for way, column in ((1, first), (-1, first + 2 * quarter)):
            edges.append(
                polygon(
                    np.stack([at, HALF + way * radius[:, column] / SPACING_ACROSS], 1), colour, closed=False
                )
            )
    bars = [
        f'<rect x="{part.start}" y="{HALF + SHOWN / 2 - 1.5}" width="{part.stop - part.start}" height="1.5" fill="{MARK}"/>'
        for part in (_inside(vessel, lesion) for lesion in read.lesions)
    ]
    middle = PIXELS // 2
    tint = overlay[:, middle] if angle == 0 else overlay[:, :, middle]
    return svg(
        [
            image(png(grey(along(vessel, angle))), n, PIXELS),
            image(png(tinted(tint.T)), n, PIXELS),
            *edges,
            *bars,
        ],
        box=(0, HALF - SHOWN / 2, n, SHOWN),
        width=min(760, max(240, round(1.6 * n))),
        height=110,
        label=f"{vessel.vessel}, straightened, cut {angle + 1}",
    )


def _sections(
    vessel: StraightenedVessel,
    read: VesselRead,
    lesion: Lesion,
    overlay: NDArray[np.uint8],
    analysis: Analysis,
) -> str:
    part = _inside(vessel, lesion)
    area = (read.contours.lumen_radius[part] ** 2).sum(1)
    narrow = part.start + int(np.argmin(area))
    shown = sorted({part.start, narrow, part.stop - 1})
    pictures = ""
    for section in shown:
        shapes = []
        for radius, colour in ((read.contours.wall_radius, WALL), (read.contours.lumen_radius, LUMEN)):
            r = radius[section][:, None] / SPACING_ACROSS
            shapes.append(polygon(HALF + r * np.stack([np.cos(THETA), np.sin(THETA)], 1), colour))
        words = f"{half_up(section * SPACING_ALONG, 1)} mm" + (", narrowest" if section == narrow else "")
        pictures += (
            "<figure>"
            + svg(
                [
                    image(png(grey(vessel.hu[section])), PIXELS, PIXELS),
                    image(png(tinted(overlay[section])), PIXELS, PIXELS),
                    *shapes,
                ],
                box=(HALF - SHOWN / 2, HALF - SHOWN / 2, SHOWN, SHOWN),
                width=SECTION_PX,
                height=SECTION_PX,
                label=f"{vessel.vessel} lesion {lesion.number}, section at {words}",
            )
            + f"<figcaption>{words}</figcaption></figure>"
        )
    told = _doubt_list(_doubts_of(analysis, vessel.vessel, lesion.number))
    return (
        f'<div id="{_anchor(vessel.vessel, lesion)}"><p>Lesion {lesion.number}</p>{told}'
        f"<div class=row>{pictures}</div></div>"
    )


def _tree(analysis: Analysis) -> str:
    """The centrelines in space as a picture that a drag turns; lesions thick. Seen from the front at first."""
    centre = np.concatenate([v.centre for v in analysis.vessels]).mean(0)
    lines: list[dict[str, Any]] = []
    for vessel, read in zip(analysis.vessels, analysis.reads, strict=True):
        points = (vessel.centre - centre).round(1)
        lines.append({"name": vessel.vessel, "points": points[::4].tolist()})
        lines += [
            {"name": "", "points": points[_inside(vessel, lesion)][::2].tolist()} for lesion in read.lesions
        ]
    far = max(float(np.abs(np.array(line["points"])).max()) for line in lines)
    data = {"lines": lines, "far": far, "colours": ["#8b949e", "#d62828", "#d7dce2"]}
    return (
        f'<canvas id=tree width=720 height=480 aria-label="coronary tree, drag to turn" data-tree="{escape(json.dumps(data))}">'
        f"</canvas><p class=dim>Drag to turn. Lesions are thick. Seen from the front at first.</p><script>{TURN}</script>"
    )
