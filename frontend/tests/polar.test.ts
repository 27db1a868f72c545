import { describe, expect, it } from "vitest";
import { ANGLES, angleOf, area, type Contours, moveContour, radiusAt, wrap } from "../src/viewer/geometry/polar";

function tube(sections: number, lumen: number, wall: number): Contours {
  return {
    sections,
    lumen: new Float32Array(sections * ANGLES).fill(lumen),
    wall: new Float32Array(sections * ANGLES).fill(wall),
  };
}
const move = { section: 10, angle_rad: 0, delta_mm: 0.5, width_sections: 4, width_rad: 0.5 };

describe("moveContour", () => {
  it("moves the place under the pointer by the whole delta, and falls off in angle and along the vessel", () => {
    const moved = moveContour(tube(21, 1.5, 3), { ...move, which: "lumen" });
    expect(moved.lumen[10 * ANGLES]).toBeCloseTo(2, 6);
    expect(moved.lumen[14 * ANGLES]).toBeCloseTo(1.5 + 0.5 * Math.exp(-0.5), 6);
    const eighth = Math.PI / 4 / 0.5;
    expect(moved.lumen[10 * ANGLES + 8]).toBeCloseTo(1.5 + 0.5 * Math.exp(-0.5 * eighth ** 2), 6);
  });

  it("falls off around the circle the short way", () => {
    const moved = moveContour(tube(21, 1.5, 3), { ...move, which: "lumen", angle_rad: 2 * Math.PI - 0.05 });
    expect(moved.lumen[10 * ANGLES + 1]).toBeGreaterThan(1.9);
    expect(moved.lumen[10 * ANGLES + 63]).toBeGreaterThan(1.9);
  });

  it("keeps the lumen inside the wall and above zero, and the wall outside the lumen", () => {
    const outwards = moveContour(tube(21, 1.5, 1.8), { ...move, which: "lumen", delta_mm: 3 });
    expect(outwards.lumen[10 * ANGLES]).toBeCloseTo(1.8, 6);
    expect(outwards.wall).toEqual(tube(21, 1.5, 1.8).wall);
    const inwards = moveContour(tube(21, 1.5, 1.8), { ...move, which: "lumen", delta_mm: -9 });
    expect(inwards.lumen[10 * ANGLES]).toBe(0);
    const wall = moveContour(tube(21, 1.5, 1.8), { ...move, which: "wall", delta_mm: -9 });
    expect(wall.wall[10 * ANGLES]).toBe(1.5);
    const far = moveContour(tube(21, 1.5, 9), { ...move, which: "wall", delta_mm: 5 });
    expect(far.wall[10 * ANGLES]).toBeCloseTo(9.6, 6);
  });

  it("leaves the given contours untouched and lets felt masks give way", () => {
    const before = { ...tube(40, 1.5, 3), masks: new Map([[10, new Uint8Array(4096)], [39, new Uint8Array(4096)]]) };
    const moved = moveContour(before, { ...move, which: "wall" });
    expect(before.wall[10 * ANGLES]).toBe(3);
    expect([...(moved.masks ?? [])].map(([s]) => s)).toEqual([39]);
  });
});

describe("angles and radii", () => {
  it("counts angles from +u towards +v", () => {
    expect(angleOf(1, 0)).toBe(0);
    expect(angleOf(0, 1)).toBeCloseTo(Math.PI / 2, 12);
    expect(angleOf(0, -1)).toBeCloseTo(1.5 * Math.PI, 12);
    expect(wrap(1.5 * Math.PI)).toBeCloseTo(-0.5 * Math.PI, 12);
    expect(wrap(Math.PI)).toBeCloseTo(-Math.PI, 12);
  });

  it("reads a radius between two angles, also across the start of the circle", () => {
    const radii = new Float32Array(ANGLES).map((_, k) => k);
    expect(radiusAt(radii, 0, (2 * Math.PI * 3.25) / ANGLES)).toBeCloseTo(3.25, 5);
    expect(radiusAt(radii, 0, (2 * Math.PI * 63.5) / ANGLES)).toBeCloseTo(31.5, 5);
    expect(radiusAt(radii, 0, -(2 * Math.PI * 0.5) / ANGLES)).toBeCloseTo(31.5, 4);
  });

  it("gives the area of a circle", () => {
    expect(area(tube(1, 2, 3).lumen, 0)).toBeCloseTo(4 * Math.PI, 4);
  });
});
