/** Painting of a straightened vessel into pixels: HU interpolated first, windowed by a table after. */
import { CENTRE, OUTSIDE, SIZE, SPACING_ACROSS, SPACING_ALONG, type Stack } from "./sampler";
import { paint } from "./window";

/** Paint one cross-section; (left, top) is the first pixel's place in mm from the centreline. */
export function renderSection(
  out: Uint32Array, stack: Stack, section: number,
  view: { left: number; top: number; mmPerPixel: number; width: number; height: number }, table: Uint32Array,
): void {
  const { width, height, mmPerPixel } = view;
  const step = mmPerPixel / SPACING_ACROSS;
  const base = section * SIZE * SIZE;
  const black = paint(table, OUTSIDE);
  const columns = axis(view.left / SPACING_ACROSS + CENTRE, step, width);
  const rows = axis(view.top / SPACING_ACROSS + CENTRE, step, height);
  const { hu } = stack;
  for (let y = 0; y < height; y++) {
    const at = y * width;
    if (rows.index[y] < 0) {
      out.fill(black, at, at + width);
      continue;
    }
    const upper = base + rows.index[y] * SIZE;
    const fr = rows.fraction[y];
    for (let x = 0; x < width; x++) {
      const c = columns.index[x];
      if (c < 0) {
        out[at + x] = black;
        continue;
      }
      const f = columns.fraction[x];
      const n = upper + c;
      const value =
        (hu[n] * (1 - f) + hu[n + 1] * f) * (1 - fr) + (hu[n + SIZE] * (1 - f) + hu[n + SIZE + 1] * f) * fr;
      out[at + x] = paint(table, value);
    }
  }
}

/**
 * Paint the longitudinal cut at an angle (radians): across the page the distance from the centreline, down the
 * page the sections, both at the same mm per pixel.
 */
export function renderLongitudinal(
  out: Uint32Array, stack: Stack, angle: number,
  view: { topSection: number; mmPerPixel: number; width: number; height: number }, table: Uint32Array,
): void {
  const { width, height, mmPerPixel } = view;
  const black = paint(table, OUTSIDE);
  const left = -((width - 1) / 2) * mmPerPixel;
  const columns = axis((left * Math.cos(angle)) / SPACING_ACROSS + CENTRE, (mmPerPixel * Math.cos(angle)) / SPACING_ACROSS, width);
  const rows = axis((left * Math.sin(angle)) / SPACING_ACROSS + CENTRE, (mmPerPixel * Math.sin(angle)) / SPACING_ACROSS, width);
  const { hu, sections } = stack;
  for (let y = 0; y < height; y++) {
    const at = y * width;
    const position = view.topSection + (y * mmPerPixel) / SPACING_ALONG;
    if (position < -0.5 || position > sections - 0.5) {
      out.fill(black, at, at + width);
      continue;
    }
    const s = Math.min(Math.max(position, 0), sections - 1);
    const s0 = Math.min(Math.floor(s), Math.max(sections - 2, 0));
    const fs = s - s0;
    const base = s0 * SIZE * SIZE;
    for (let x = 0; x < width; x++) {
      const c = columns.index[x];
      const r = rows.index[x];
      if (c < 0 || r < 0) {
        out[at + x] = black;
        continue;
      }
      const fc = columns.fraction[x];
      const fr = rows.fraction[x];
      let n = base + r * SIZE + c;
      let value =
        (hu[n] * (1 - fc) + hu[n + 1] * fc) * (1 - fr) + (hu[n + SIZE] * (1 - fc) + hu[n + SIZE + 1] * fc) * fr;
      if (fs > 0) {
        n += SIZE * SIZE;
        const next =
          (hu[n] * (1 - fc) + hu[n + 1] * fc) * (1 - fr) + (hu[n + SIZE] * (1 - fc) + hu[n + SIZE + 1] * fc) * fr;
        value = value * (1 - fs) + next * fs;
      }
      out[at + x] = paint(table, value);
    }
  }
}

/** Lower neighbour (-1: outside) and fraction of evenly stepped places along one image axis. */
function axis(first: number, step: number, count: number): { index: Int16Array; fraction: Float32Array } {
  const index = new Int16Array(count);
  const fraction = new Float32Array(count);
  for (let n = 0; n < count; n++) {
    const place = first + n * step;
    if (place < -0.5 || place > SIZE - 0.5) {
      index[n] = -1;
      continue;
    }
    const inside = Math.min(Math.max(place, 0), SIZE - 1);
    index[n] = Math.min(Math.floor(inside), SIZE - 2);
    fraction[n] = inside - index[n];
  }
  return { index, fraction };
}
