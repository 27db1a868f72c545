import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ANGLES, area, type Contours, type Move, moveContour, radiusAt } from "../src/viewer/geometry/polar";
import { apply, invert, sampleStraightened, sampleVolume, type Vector } from "../src/viewer/geometry/sampler";

/** Numbers written by tests/golden/make_golden.py: the server and the browser must agree. */
const golden = JSON.parse(readFileSync(fileURLToPath(new URL("../../tests/golden/geometry.json", import.meta.url)), "utf8"));

const flat = (rows: number[][]) => Float32Array.from(rows.flat());
const base: Contours = {
  sections: golden.contours.sections,
  lumen: flat(golden.contours.lumen),
  wall: flat(golden.contours.wall),
};

function worst(got: Float32Array, wanted: number[][]): number {
  return wanted.flat().reduce((most, value, n) => Math.max(most, Math.abs(value - got[n])), 0);
}

describe("the server's numbers", () => {
  it("moves contours as the server does", () => {
    for (const { move, lumen, wall } of golden.moves as { move: Move; lumen: number[][]; wall: number[][] }[]) {
      const moved = moveContour(base, move);
      expect(worst(moved.lumen, lumen)).toBeLessThan(2e-6);
      expect(worst(moved.wall, wall)).toBeLessThan(2e-6);
    }
  });

  it("finds radii between the angles and areas as the server does", () => {
    const { section, angles, lumen } = golden.radius_at;
    angles.forEach((angle: number, n: number) => expect(radiusAt(base.lumen, section, angle)).toBeCloseTo(lumen[n], 5));
    golden.lumen_area.forEach((mm2: number, s: number) => expect(area(base.lumen, s)).toBeCloseTo(mm2, 4));
    expect(base.lumen.length).toBe(golden.contours.sections * ANGLES);
  });

  it("samples the CT at patient points as the server does", () => {
    const { shape, hu, affine, points, values } = golden.volume;
    const volume = { hu: Int16Array.from(hu as number[]), shape, affine };
    const inverse = invert(affine);
    points.forEach((point: Vector, n: number) => {
      const [i, j, k] = apply(inverse, point);
      expect(Math.abs(sampleVolume(volume, i, j, k) - values[n])).toBeLessThan(0.02);
    });
  });

  it("samples the straightened vessel as the server does", () => {
    const { hu, places, values } = golden.straightened;
    const stack = { hu: Int16Array.from(hu as number[]), sections: 3 };
    places.forEach(([section, u, v]: number[], n: number) => {
      expect(Math.abs(sampleStraightened(stack, section, u, v) - values[n])).toBeLessThan(0.02);
    });
  });
});
