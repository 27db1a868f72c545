/** What is drawn over a cross-section: composition, contours, plaque marks. The large pane and the strip share it. */
import { closedCurve, COLOURS, type Point, type Screen } from "../drawing";
import { ANGLES } from "../geometry/polar";
import { CENTRE, HALF_FIELD, SIZE, SPACING_ACROSS } from "../geometry/sampler";
import { type Layer } from "../viewer";

export interface Placement {
  /** Where (u, v) = (0, 0) is drawn. */
  readonly x: number;
  readonly y: number;
  readonly pixelsPerMm: number;
}

const TURN = 2 * Math.PI;
const FILL: Record<number, readonly [number, number, number, number]> = {
  1: [181, 23, 158, 150],
  2: [214, 40, 40, 95],
  3: [255, 214, 10, 120],
};

let tile: OffscreenCanvas | null = null;

/** The composition of one section, labels nearest; low-attenuation carries an outline besides its colour. */
export function drawComposition(screen: Screen, layer: Layer, section: number, at: Placement): void {
  tile ??= new OffscreenCanvas(SIZE, SIZE);
  const paper = tile.getContext("2d");
  if (!paper) return;
  const image = paper.createImageData(SIZE, SIZE);
  const labels = layer.state.composition.subarray(section * SIZE * SIZE, (section + 1) * SIZE * SIZE);
  let some = false;
  labels.forEach((label, n) => {
    const colour = FILL[label];
    if (!colour) return;
    some = true;
    image.data.set(colour, n * 4);
  });
  if (!some) return;
  paper.putImageData(image, 0, 0);
  const { context } = screen;
  const side = 2 * HALF_FIELD * at.pixelsPerMm;
  context.imageSmoothingEnabled = false;
  context.drawImage(tile, at.x - side / 2, at.y - side / 2, side, side);
  edges(context, labels, at, (label) => label === 1);
  context.strokeStyle = COLOURS.lowOutline;
  context.lineWidth = at.pixelsPerMm > 12 ? 1.5 : 0.8;
  context.setLineDash([]);
  context.stroke();
}

/** The pixel edges around a set of labels, as one path. */
function edges(
  context: CanvasRenderingContext2D, labels: Uint8Array, at: Placement, inside: (label: number) => boolean,
): void {
  const pixel = SPACING_ACROSS * at.pixelsPerMm;
  const [left, top] = [at.x - (CENTRE + 0.5) * pixel, at.y - (CENTRE + 0.5) * pixel];
  const is = (r: number, c: number) =>
    r >= 0 && c >= 0 && r < SIZE && c < SIZE && inside(labels[r * SIZE + c]);
  context.beginPath();
  for (let r = 0; r <= SIZE; r++) {
    for (let c = 0; c <= SIZE; c++) {
      const here = is(r, c);
      if (here !== is(r - 1, c)) {
        context.moveTo(left + c * pixel, top + r * pixel);
        context.lineTo(left + (c + 1) * pixel, top + r * pixel);
      }
      if (here !== is(r, c - 1)) {
        context.moveTo(left + c * pixel, top + r * pixel);
        context.lineTo(left + c * pixel, top + (r + 1) * pixel);
      }
    }
  }
}

export function contourPoints(radii: Float32Array, section: number, at: Placement): Point[] {
  return Array.from({ length: ANGLES }, (_, k) => {
    const r = radii[section * ANGLES + k] * at.pixelsPerMm;
    return [at.x + r * Math.cos((TURN * k) / ANGLES), at.y + r * Math.sin((TURN * k) / ANGLES)] as const;
  });
}

/** Both contours of one read. A is solid and B dashed; in adjudication the lumen is thick and the wall thin. */
export function drawContours(
  screen: Screen, layer: Layer, section: number, at: Placement, options: { active?: "lumen" | "wall" | null } = {},
): void {
  const { context } = screen;
  const large = at.pixelsPerMm > 12;
  const compared = layer.side !== null;
  context.lineJoin = "round";
  context.setLineDash(layer.side === "B" ? (large ? [7, 5] : [3, 2]) : []);
  const mask = layer.contours.masks?.get(section);
  const thickness = (which: "lumen" | "wall") =>
    (large ? 1 : 0.75) * (compared ? (which === "lumen" ? 2.4 : 1.3) : options.active === which ? 2.2 : 1.5);
  if (mask) {
    // The section's label mask overrules its radii: a lumen that is no star around the centreline.
    edges(context, mask, at, (label) => label > 0);
    context.strokeStyle = COLOURS.wall;
    context.lineWidth = thickness("wall");
    context.stroke();
    edges(context, mask, at, (label) => label === 1);
    context.strokeStyle = COLOURS.lumen;
    context.lineWidth = thickness("lumen");
    context.stroke();
    context.setLineDash([]);
    return;
  }
  const wall = contourPoints(layer.contours.wall, section, at);
  context.strokeStyle = COLOURS.wall;
  context.lineWidth = thickness("wall");
  closedCurve(context, wall);
  context.stroke();
  context.strokeStyle = COLOURS.lumen;
  context.lineWidth = thickness("lumen");
  closedCurve(context, contourPoints(layer.contours.lumen, section, at));
  context.stroke();
  context.setLineDash([]);
}

/** Where the wall counts as plaque: a second, thicker arc just outside the wall contour. */
export function drawPlaqueMarks(screen: Screen, layer: Layer, section: number, at: Placement): void {
  const { context } = screen;
  context.strokeStyle = COLOURS.wall;
  context.globalAlpha = 0.5;
  context.lineWidth = 3;
  context.lineCap = "butt";
  context.beginPath();
  const marked = (k: number) => layer.state.plaque[section * ANGLES + ((k + ANGLES) % ANGLES)] === 1;
  const radius = (k: number) => layer.contours.wall[section * ANGLES + ((k + ANGLES) % ANGLES)];
  for (let k = 0; k < ANGLES; k++) {
    if (!marked(k)) continue;
    for (const part of [-0.5, 0, 0.5]) {
      const angle = (TURN * (k + part)) / ANGLES;
      const r = (radius(k) + radius(k + 2 * part)) / 2;
      const out = r * at.pixelsPerMm + 4.5;
      const point: Point = [at.x + out * Math.cos(angle), at.y + out * Math.sin(angle)];
      if (part < 0 && !(k > 0 && marked(k - 1))) context.moveTo(...point);
      else context.lineTo(...point);
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}
