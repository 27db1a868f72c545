/** Numbers written by the server's own code (tests/golden/make_golden.py, make_rounding.py): the two must not drift apart. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { halfUp, printed } from "../src/numbers";
import { area, type Move, moveContour, radiusAt } from "../src/viewer/geometry/polar";
import { apply, invert, sampleStraightened, sampleVolume, type Vector } from "../src/viewer/geometry/sampler";

interface Golden {
  contours: { sections: number; lumen: number[][]; wall: number[][] };
  moves: { move: Move; lumen: number[][]; wall: number[][] }[];
  radius_at: { section: number; angles: number[]; lumen: number[] };
  lumen_area: number[];
  volume: { shape: [number, number, number]; hu: number[]; affine: number[]; points: Vector[]; values: number[] };
  straightened: { hu: number[]; places: Vector[]; values: number[] };
}

const golden = JSON.parse(
  readFileSync(new URL("../../tests/golden/geometry.json", import.meta.url), "utf-8"),
) as Golden;
const base = {
  sections: golden.contours.sections,
  lumen: Float32Array.from(golden.contours.lumen.flat()),
  wall: Float32Array.from(golden.contours.wall.flat()),
};

function worst(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  return expected.reduce((most, value, n) => Math.max(most, Math.abs(value - found[n])), 0);
}

describe("golden numbers", () => {
  it.each(golden.moves.map((each, n) => [n, each] as const))("drag %i moves both contours as on the server", (_n, each) => {
    const moved = moveContour(base, each.move);
    expect(worst(moved.lumen, each.lumen.flat())).toBeLessThan(3e-6);
    expect(worst(moved.wall, each.wall.flat())).toBeLessThan(3e-6);
  });

  it("radii between the 64 angles", () => {
    const { section, angles, lumen } = golden.radius_at;
    expect(worst(angles.map((angle) => radiusAt(base.lumen, section, angle)), lumen)).toBeLessThan(5e-6);
  });

  it("areas", () => {
    expect(worst(golden.lumen_area.map((_, s) => area(base.lumen, s)), golden.lumen_area)).toBeLessThan(2e-5);
  });

  it("HU of a CT volume at points in patient space", () => {
    const { shape, hu, affine, points, values } = golden.volume;
    const volume = { hu: Int16Array.from(hu), shape, affine };
    const inverse = invert(affine);
    const found = points.map((point) => sampleVolume(volume, ...apply(inverse, point)));
    expect(worst(found, values)).toBeLessThan(0.02);
  });

  it("HU of a straightened vessel at (section, u, v)", () => {
    const { hu, places, values } = golden.straightened;
    const stack = { hu: Int16Array.from(hu), sections: 3 };
    const found = places.map(([section, u, v]) => sampleStraightened(stack, section, u, v));
    expect(worst(found, values)).toBeLessThan(0.02);
  });
});

describe("rounding for people", () => {
  interface Rounding {
    borders: number[];
    rows: [value: number, digits: number, graded: boolean, text: string][];
  }
  const { borders, rows } = JSON.parse(
    readFileSync(new URL("../../tests/golden/rounding.json", import.meta.url), "utf-8"),
  ) as Rounding;
  it("gives the server's text for every number", () => {
    expect(rows.length).toBeGreaterThan(600);
    const wrong = rows.filter(([value, digits, graded, text]) => printed(value, digits, graded ? borders : []) !== text);
    expect(wrong).toEqual([]);
  });
  it("prints nothing for what is no number", () => {
    expect(() => halfUp(Number.NaN, 1)).toThrow(/cannot be printed/);
    expect(() => halfUp(-Infinity, 1)).toThrow(/cannot be printed/);
  });
});
