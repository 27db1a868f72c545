/**
 * The contours of a vessel as radii (section, angle); the same formulas as the server's, tied by golden files.
 *
 * Angle k is 2 pi k / 64; angle 0 lies on +u and angles grow towards +v.
 */

export const ANGLES = 64;
const TURN = 2 * Math.PI;
/** The largest wall radius: the field of view's half less the margin that the server keeps. */
export const MAX_RADIUS = 9.6;

export type Which = "lumen" | "wall";

export interface Contours {
  readonly sections: number;
  /** (sections x 64) mm */
  readonly lumen: Float32Array;
  /** (sections x 64) mm, never below lumen */
  readonly wall: Float32Array;
  /** Label masks (64 x 64: 0 background, 1 lumen, 2 wall) that overrule the radii of their section. */
  readonly masks?: ReadonlyMap<number, Uint8Array>;
}

export interface Move {
  readonly which: Which;
  readonly section: number;
  readonly angle_rad: number;
  readonly delta_mm: number;
  /** sigma of the falloff along the vessel, in sections */
  readonly width_sections: number;
  /** sigma of the falloff in angle, in radians */
  readonly width_rad: number;
}

export const DEFAULT_WIDTH_SECTIONS = 4;
export const DEFAULT_WIDTH_RAD = 0.5;

/** The difference of two angles, in [-pi, pi). */
export function wrap(angle: number): number {
  return angle - TURN * Math.floor((angle + Math.PI) / TURN);
}

/** The angle of a point on a cross-section, in [0, 2 pi). */
export function angleOf(u: number, v: number): number {
  const angle = Math.atan2(v, u);
  return angle < 0 ? angle + TURN : angle;
}

/** The radius of a contour at any angle: linear between the 64 angles, around the circle. */
export function radiusAt(radii: Float32Array, section: number, angle: number): number {
  const position = (((angle % TURN) + TURN) % TURN) / (TURN / ANGLES);
  const k = Math.floor(position) % ANGLES;
  const f = position - Math.floor(position);
  const at = section * ANGLES;
  return radii[at + k] * (1 - f) + radii[at + ((k + 1) % ANGLES)] * f;
}

/** Area inside a contour of one section, mm²: half the sum of r² times the angle step. */
export function area(radii: Float32Array, section: number): number {
  let sum = 0;
  for (let k = 0; k < ANGLES; k++) sum += radii[section * ANGLES + k] ** 2;
  return (sum * TURN) / ANGLES / 2;
}

/**
 * Move one contour at one place with a smooth falloff; returns new contours, the given ones stay as they were.
 *
 * dr * exp(-(ds / sigma_s)² / 2) * exp(-(dtheta / sigma_theta)² / 2); the lumen stays within [0, wall], the wall
 * within [lumen, 9.6 mm]. A mask of a section where the drag is felt gives way to the radii.
 */
export function moveContour(contours: Contours, move: Move): Contours {
  const { sections } = contours;
  const lumen = contours.lumen.slice();
  const wall = contours.wall.slice();
  const alongAngle = new Float64Array(ANGLES);
  for (let k = 0; k < ANGLES; k++) {
    const d = wrap((TURN * k) / ANGLES - move.angle_rad) / move.width_rad;
    alongAngle[k] = Math.exp(-0.5 * d * d);
  }
  for (let s = 0; s < sections; s++) {
    const d = (s - move.section) / move.width_sections;
    const along = move.delta_mm * Math.exp(-0.5 * d * d);
    if (along === 0) continue;
    for (let k = 0; k < ANGLES; k++) {
      const at = s * ANGLES + k;
      if (move.which === "lumen") {
        lumen[at] = Math.min(Math.max(lumen[at] + along * alongAngle[k], 0), wall[at]);
      } else {
        wall[at] = Math.max(Math.min(wall[at] + along * alongAngle[k], MAX_RADIUS), lumen[at]);
      }
    }
  }
  const felt = (s: number) => Math.exp(-0.5 * ((s - move.section) / move.width_sections) ** 2) > 0.01;
  const masks = new Map([...(contours.masks ?? [])].filter(([s]) => !felt(s)));
  return { sections, lumen, wall, masks };
}
