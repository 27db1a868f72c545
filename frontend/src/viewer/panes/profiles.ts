/** Beside the longitudinal view: lesion bars, diameters, plaque area, stenosis, differences, the whole vessel small. */
import { COLOURS, label, type Screen } from "../drawing";
import { SPACING_ALONG } from "../geometry/sampler";
import { type Layer, type Viewer } from "../viewer";

export interface Track {
  readonly x: number;
  readonly width: number;
}

type Along = (mm: number) => number;

const LARGEST_DIAMETER = 6;

export function drawLesionBars(screen: Screen, viewer: Viewer, track: Track, y: Along): void {
  const { context, height } = screen;
  const view = viewer.view.get();
  context.fillStyle = "#0d1014";
  context.fillRect(track.x, 0, track.width, height);
  for (const layer of viewer.layers()) {
    const width = layer.side === null ? track.width - 6 : track.width / 2 - 3;
    const x = track.x + 3 + (layer.side === "B" ? track.width / 2 - 1 : 0);
    for (const [start, end] of layer.state.excluded) {
      context.fillStyle = COLOURS.grid;
      context.fillRect(x, y(start), width, y(end) - y(start));
    }
    for (const lesion of layer.state.lesions) {
      const chosen = lesion.number === view.lesion;
      const [top, bottom] = [y(lesion.start_mm), y(lesion.end_mm)];
      context.fillStyle = chosen ? COLOURS.cursor : "#5c6773";
      context.fillRect(x, top, width, Math.max(2, bottom - top));
      if (layer.side === "B") {
        context.strokeStyle = "#000";
        context.setLineDash([4, 4]);
        context.strokeRect(x + 0.5, top + 0.5, width - 1, Math.max(2, bottom - top) - 1);
        context.setLineDash([]);
      }
      if (layer.side === null && bottom - top > 14) label(context, String(lesion.number), x + width / 2, (top + bottom) / 2 + 4, "center", "#fff");
      if (chosen) {
        for (const reference of [lesion.proximal_reference_mm, lesion.distal_reference_mm]) {
          if (reference === null || reference === undefined) continue;
          context.strokeStyle = COLOURS.cursorLight;
          context.lineWidth = 2;
          context.beginPath();
          context.moveTo(track.x, y(reference));
          context.lineTo(track.x + track.width, y(reference));
          context.stroke();
          label(context, "R", track.x + track.width / 2, y(reference) - 3, "center", COLOURS.cursorLight);
        }
      }
    }
  }
  if (view.pendingStart !== null) {
    const [from, to] = [view.pendingStart, viewer.cursorMm].sort((a, b) => a - b);
    context.fillStyle = "rgba(95,224,208,.45)";
    context.fillRect(track.x + 3, y(from), track.width - 6, Math.max(2, y(to) - y(from)));
  }
}

/** Diameters of lumen and vessel; plaque area; within lesions the stenosis; in adjudication the difference. */
export function drawProfiles(
  screen: Screen, viewer: Viewer, tracks: { diameter: Track; plaque: Track }, y: Along,
  range: { top: number; bottom: number },
): void {
  const { context, height } = screen;
  for (const track of [tracks.diameter, tracks.plaque]) {
    context.fillStyle = "#08090b";
    context.fillRect(track.x, 0, track.width, height);
    context.strokeStyle = COLOURS.grid;
    context.lineWidth = 1;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(track.x + 0.5, 0);
    context.lineTo(track.x + 0.5, height);
    context.stroke();
  }
  const layers = viewer.layers();
  const difference = viewer.difference();
  const most = plaqueScale(viewer.allLayers());
  const first = Math.max(0, Math.floor(range.top / SPACING_ALONG) - 1);
  for (const layer of layers) {
    const last = Math.min(layer.contours.sections - 1, Math.ceil(range.bottom / SPACING_ALONG) + 1);
    const areas = viewer.areas(layer);
    const dash = layer.side === "B" ? [4, 3] : [];
    const line = (track: Track, value: (s: number) => number, largest: number, colour: string, width = 1.5) => {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.setLineDash(dash);
      context.beginPath();
      for (let s = first; s <= last; s++) {
        const x = track.x + 2 + Math.min(1, value(s) / largest) * (track.width - 5);
        context.lineTo(x, y(s * SPACING_ALONG));
      }
      context.stroke();
      context.setLineDash([]);
    };
    const diameter = (area: number) => 2 * Math.sqrt(Math.max(area, 0) / Math.PI);
    line(tracks.diameter, (s) => diameter(areas.wall[s]), LARGEST_DIAMETER, COLOURS.wall);
    line(tracks.diameter, (s) => diameter(areas.lumen[s]), LARGEST_DIAMETER, COLOURS.lumen);
    if (layer.side === null) {
      context.fillStyle = "rgba(214,40,40,.45)";
      context.beginPath();
      context.moveTo(tracks.plaque.x + 2, y(first * SPACING_ALONG));
      for (let s = first; s <= last; s++) {
        context.lineTo(tracks.plaque.x + 2 + (areas.plaque[s] / most) * (tracks.plaque.width - 5), y(s * SPACING_ALONG));
      }
      context.lineTo(tracks.plaque.x + 2, y(last * SPACING_ALONG));
      context.fill();
    }
    line(tracks.plaque, (s) => areas.plaque[s], most, COLOURS.noncalcified, 1.2);
    if (layer.side === null) drawStenosis(screen, layer, areas.lumen, tracks.plaque, y);
  }
  if (difference) drawDifference(screen, difference, tracks.plaque, y, first);
  const heading = (track: Track, lines: readonly (readonly [string, string])[]) =>
    lines.forEach(([text, colour], n) => label(context, text, track.x + track.width / 2, 14 + 13 * n, "center", colour));
  heading(tracks.diameter, [["⌀ 0–6 mm", COLOURS.dim]]);
  heading(tracks.plaque, [
    ["plaque", COLOURS.dim], [`0–${most} mm²`, COLOURS.dim],
    difference ? ["difference", COLOURS.cursorLight] : ["stenosis %", COLOURS.text],
  ]);
}

function plaqueScale(layers: readonly Layer[]): number {
  const most = Math.max(4, ...layers.flatMap((layer) => layer.state.curves.plaque_area));
  return Math.ceil(most / 2) * 2;
}

/** 100 (1 - D / reference) inside each lesion that has a reference, on 0 to 100 %, with lines at 50 and 70. */
function drawStenosis(screen: Screen, layer: Layer, lumen: ArrayLike<number>, track: Track, y: Along): void {
  const { context } = screen;
  const x = (percent: number) => track.x + 2 + (Math.min(Math.max(percent, 0), 100) / 100) * (track.width - 5);
  for (const lesion of layer.state.lesions) {
    const reference = lesion.metrics.reference_luminal_diameter?.value;
    if (typeof reference !== "number" || reference <= 0) continue;
    const [top, bottom] = [y(lesion.start_mm), y(lesion.end_mm)];
    context.strokeStyle = COLOURS.grid;
    context.lineWidth = 1;
    for (const limit of [50, 70]) {
      context.beginPath();
      context.moveTo(x(limit), top);
      context.lineTo(x(limit), bottom);
      context.stroke();
    }
    context.strokeStyle = COLOURS.text;
    context.lineWidth = 1.3;
    context.beginPath();
    const end = Math.min(lumen.length - 1, Math.floor(lesion.end_mm / SPACING_ALONG));
    for (let s = Math.max(0, Math.ceil(lesion.start_mm / SPACING_ALONG)); s <= end; s++) {
      const diameter = 2 * Math.sqrt(Math.max(lumen[s], 0) / Math.PI);
      context.lineTo(x(100 * (1 - diameter / reference)), y(s * SPACING_ALONG));
    }
    context.stroke();
  }
}

function drawDifference(screen: Screen, difference: Float32Array, track: Track, y: Along, first: number): void {
  const { context } = screen;
  const most = Math.max(1, difference.reduce((a, b) => Math.max(a, b), 0));
  context.strokeStyle = COLOURS.cursorLight;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let s = first; s < difference.length; s++) {
    context.lineTo(track.x + 2 + (difference[s] / most) * (track.width - 5), y(s * SPACING_ALONG));
  }
  context.stroke();
}

/** The whole vessel, small: lesions, what is visible, the cursor. */
export function drawOverview(
  screen: Screen, viewer: Viewer, track: Track, length: number, range: { top: number; bottom: number },
): void {
  const { context, height } = screen;
  const y = (mm: number) => (mm / Math.max(length, 1)) * height;
  context.fillStyle = "#15181c";
  context.fillRect(track.x, 0, track.width, height);
  context.fillStyle = "#2a3038";
  context.fillRect(track.x, y(Math.max(range.top, 0)), track.width, y(Math.min(range.bottom, length)) - y(Math.max(range.top, 0)));
  for (const layer of viewer.layers()) {
    for (const lesion of layer.state.lesions) {
      context.fillStyle = lesion.number === viewer.view.get().lesion ? COLOURS.cursor : COLOURS.dim;
      const half = layer.side === null ? 0 : track.width / 2;
      const x = track.x + 3 + (layer.side === "B" ? half - 1 : 0);
      context.fillRect(x, y(lesion.start_mm), track.width - 6 - half / 1.3, Math.max(2, y(lesion.end_mm) - y(lesion.start_mm)));
    }
  }
  context.fillStyle = COLOURS.cursorLight;
  context.fillRect(track.x, y(viewer.cursorMm) - 1, track.width, 2);
}
