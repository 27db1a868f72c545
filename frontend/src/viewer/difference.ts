/** Where two reads of one vessel differ: a curve along the vessel, and its peaks to jump by. */
import { area, type Contours } from "./geometry/polar";

/** Per section, the larger of the differences in lumen and in wall area, mm². */
export function differenceCurve(a: Contours, b: Contours): Float32Array {
  if (a.sections !== b.sections) throw new Error("The two reads are of different vessels.");
  const out = new Float32Array(a.sections);
  for (let s = 0; s < a.sections; s++) {
    out[s] = Math.max(
      Math.abs(area(a.lumen, s) - area(b.lumen, s)),
      Math.abs(area(a.wall, s) - area(b.wall, s)),
    );
  }
  return out;
}

/** Sections of the curve's peaks in order: at least a quarter of the greatest, and `apart` sections from each other. */
export function peaks(curve: Float32Array, apart = 10): number[] {
  const greatest = curve.reduce((most, value) => Math.max(most, value), 0);
  if (greatest <= 0) return [];
  const candidates = Array.from(curve.keys())
    .filter((s) => curve[s] >= greatest / 4 && curve[s] >= (curve[s - 1] ?? 0) && curve[s] >= (curve[s + 1] ?? 0))
    .sort((x, y) => curve[y] - curve[x] || x - y);
  const chosen: number[] = [];
  for (const s of candidates) if (chosen.every((other) => Math.abs(other - s) >= apart)) chosen.push(s);
  return chosen.sort((x, y) => x - y);
}
