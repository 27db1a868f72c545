/** Where a straightened vessel lies in the patient: centres and axes of its sections, in LPS mm. */
import { type Vector } from "./sampler";

export interface Frames {
  readonly centre: readonly Vector[];
  readonly axis_u: readonly Vector[];
  readonly axis_v: readonly Vector[];
  readonly segment: readonly string[];
}

export function toPatient(frames: Frames, section: number, u: number, v: number): Vector {
  const s = Math.min(Math.max(Math.round(section), 0), frames.centre.length - 1);
  const c = frames.centre[s];
  const a = frames.axis_u[s];
  const b = frames.axis_v[s];
  return [c[0] + u * a[0] + v * b[0], c[1] + u * a[1] + v * b[1], c[2] + u * a[2] + v * b[2]];
}

/** The section whose centre is nearest to a point, and its distance in mm. */
export function nearestSection(frames: Frames, point: Vector): { section: number; distance: number } {
  let section = 0;
  let best = Infinity;
  frames.centre.forEach((c, n) => {
    const d = (c[0] - point[0]) ** 2 + (c[1] - point[1]) ** 2 + (c[2] - point[2]) ** 2;
    if (d < best) {
      best = d;
      section = n;
    }
  });
  return { section, distance: Math.sqrt(best) };
}

/**
 * Orientation letters of a direction in LPS: at most two, the stronger first.
 *
 * +x left (L), -x right (R), +y posterior (P), -y anterior (A), +z superior (S), -z inferior (I).
 */
export function letters(direction: Vector): string {
  const parts: [number, string][] = [
    [Math.abs(direction[0]), direction[0] > 0 ? "L" : "R"],
    [Math.abs(direction[1]), direction[1] > 0 ? "P" : "A"],
    [Math.abs(direction[2]), direction[2] > 0 ? "S" : "I"],
  ];
  parts.sort((a, b) => b[0] - a[0]);
  const length = Math.hypot(...direction);
  return parts
    .filter(([size], n) => n === 0 || (n === 1 && size > 0.4 * length))
    .map(([, letter]) => letter)
    .join("");
}

export function negate(d: Vector): Vector {
  return [-d[0], -d[1], -d[2]];
}

/** cos(angle) u + sin(angle) v: the direction in which the longitudinal view cuts. */
export function turned(frames: Frames, section: number, angle: number): Vector {
  const a = frames.axis_u[section];
  const b = frames.axis_v[section];
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c * a[0] + s * b[0], c * a[1] + s * b[1], c * a[2] + s * b[2]];
}
