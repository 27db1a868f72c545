/**
 * Sampling of CT volumes and straightened vessels. HU is interpolated first and windowed after.
 *
 * A straightened vessel is Int16 [section, row, column]; pixel (row, column) lies at
 * u = (column - 31.5) * 0.3125 mm, v = (row - 31.5) * 0.3125 mm from the centreline.
 *
 * The grid is that of inference/section_grid.py; tests/house/test_viewer_grid.py holds the two equal.
 */

export const SIZE = 64;
export const CENTRE = 31.5;
export const SPACING_ALONG = 0.3;
export const SPACING_ACROSS = 0.3125;
/** Half of the field of view of a cross-section, in mm. */
export const HALF_FIELD = (SIZE / 2) * SPACING_ACROSS;
/** What lies outside the image. */
export const OUTSIDE = -1024;

export interface Stack {
  readonly hu: Int16Array;
  readonly sections: number;
}

export interface CtVolume {
  readonly hu: Int16Array;
  /** slices, rows, columns */
  readonly shape: readonly [number, number, number];
  /** row-major 4 x 4, (i, j, k, 1) to LPS mm; i counts columns, j rows, k slices */
  readonly affine: readonly number[];
}

export type Vector = readonly [number, number, number];

/** HU at a (fractional) section and (u, v) mm; the edge pixel reaches half a pixel outwards. */
export function sampleStraightened(stack: Stack, section: number, u: number, v: number): number {
  const column = u / SPACING_ACROSS + CENTRE;
  const row = v / SPACING_ACROSS + CENTRE;
  if (column < -0.5 || row < -0.5 || column > SIZE - 0.5 || row > SIZE - 0.5) return OUTSIDE;
  if (section < -0.5 || section > stack.sections - 0.5) return OUTSIDE;
  const c = Math.min(Math.max(column, 0), SIZE - 1);
  const r = Math.min(Math.max(row, 0), SIZE - 1);
  const s = Math.min(Math.max(section, 0), stack.sections - 1);
  const s0 = Math.min(Math.floor(s), Math.max(stack.sections - 2, 0));
  const fs = s - s0;
  const first = bilinear(stack.hu, s0 * SIZE * SIZE, r, c);
  return fs === 0 ? first : first * (1 - fs) + bilinear(stack.hu, (s0 + 1) * SIZE * SIZE, r, c) * fs;
}

function bilinear(hu: Int16Array, offset: number, r: number, c: number): number {
  const r0 = Math.min(Math.floor(r), SIZE - 2);
  const c0 = Math.min(Math.floor(c), SIZE - 2);
  const fr = r - r0;
  const fc = c - c0;
  const at = offset + r0 * SIZE + c0;
  return (
    (hu[at] * (1 - fc) + hu[at + 1] * fc) * (1 - fr) + (hu[at + SIZE] * (1 - fc) + hu[at + SIZE + 1] * fc) * fr
  );
}

/** HU at a fractional voxel index (i columns, j rows, k slices), trilinear; outside is -1024. */
export function sampleVolume(volume: CtVolume, i: number, j: number, k: number): number {
  const [slices, rows, columns] = volume.shape;
  if (i < -0.5 || j < -0.5 || k < -0.5 || i > columns - 0.5 || j > rows - 0.5 || k > slices - 0.5) return OUTSIDE;
  const x = Math.min(Math.max(i, 0), columns - 1);
  const y = Math.min(Math.max(j, 0), rows - 1);
  const z = Math.min(Math.max(k, 0), slices - 1);
  const x0 = Math.min(Math.floor(x), Math.max(columns - 2, 0));
  const y0 = Math.min(Math.floor(y), Math.max(rows - 2, 0));
  const z0 = Math.min(Math.floor(z), Math.max(slices - 2, 0));
  const fx = x - x0;
  const fy = y - y0;
  const fz = z - z0;
  const dx = columns > 1 ? 1 : 0;
  const dy = rows > 1 ? columns : 0;
  const dz = slices > 1 ? rows * columns : 0;
  const { hu } = volume;
  const at = (z0 * rows + y0) * columns + x0;
  const near =
    (hu[at] * (1 - fx) + hu[at + dx] * fx) * (1 - fy) + (hu[at + dy] * (1 - fx) + hu[at + dy + dx] * fx) * fy;
  if (fz === 0) return near;
  const b = at + dz;
  const far = (hu[b] * (1 - fx) + hu[b + dx] * fx) * (1 - fy) + (hu[b + dy] * (1 - fx) + hu[b + dy + dx] * fx) * fy;
  return near * (1 - fz) + far * fz;
}

/** A rectangle of pixels laid in patient space: the middle pixel's centre and the mm steps along right and down. */
export interface Plane {
  readonly centre: Vector;
  readonly right: Vector;
  readonly down: Vector;
  readonly mmPerPixel: number;
  readonly width: number;
  readonly height: number;
}

/** HU (rounded) of a plane through a volume; `inverse` is the inverse of the volume's affine. */
export function samplePlane(volume: CtVolume, inverse: readonly number[], plane: Plane): Int16Array {
  const out = new Int16Array(plane.width * plane.height);
  const step = plane.mmPerPixel;
  const direction = (d: Vector): Vector => [
    (inverse[0] * d[0] + inverse[1] * d[1] + inverse[2] * d[2]) * step,
    (inverse[4] * d[0] + inverse[5] * d[1] + inverse[6] * d[2]) * step,
    (inverse[8] * d[0] + inverse[9] * d[1] + inverse[10] * d[2]) * step,
  ];
  const right = direction(plane.right);
  const down = direction(plane.down);
  const middle = apply(inverse, plane.centre);
  const x0 = -(plane.width - 1) / 2;
  const y0 = -(plane.height - 1) / 2;
  let at = 0;
  for (let y = 0; y < plane.height; y++) {
    let i = middle[0] + right[0] * x0 + down[0] * (y0 + y);
    let j = middle[1] + right[1] * x0 + down[1] * (y0 + y);
    let k = middle[2] + right[2] * x0 + down[2] * (y0 + y);
    for (let x = 0; x < plane.width; x++) {
      out[at++] = Math.round(sampleVolume(volume, i, j, k));
      i += right[0];
      j += right[1];
      k += right[2];
    }
  }
  return out;
}

/** Multiply a row-major 4 x 4 affine with a point. */
export function apply(matrix: readonly number[], p: Vector): Vector {
  return [
    matrix[0] * p[0] + matrix[1] * p[1] + matrix[2] * p[2] + matrix[3],
    matrix[4] * p[0] + matrix[5] * p[1] + matrix[6] * p[2] + matrix[7],
    matrix[8] * p[0] + matrix[9] * p[1] + matrix[10] * p[2] + matrix[11],
  ];
}

/** The inverse of a row-major 4 x 4 affine. Throws when the affine is singular. */
export function invert(m: readonly number[]): number[] {
  const [a, b, c, , d, e, f, , g, h, i] = m;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (Math.abs(determinant) < 1e-12) throw new Error("The affine of the CT volume is singular.");
  const r = [
    e * i - f * h, c * h - b * i, b * f - c * e,
    f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  ].map((value) => value / determinant);
  const t = [m[3], m[7], m[11]];
  const shift = (n: number) => -(r[n] * t[0] + r[n + 1] * t[1] + r[n + 2] * t[2]);
  return [r[0], r[1], r[2], shift(0), r[3], r[4], r[5], shift(3), r[6], r[7], r[8], shift(6), 0, 0, 0, 1];
}
