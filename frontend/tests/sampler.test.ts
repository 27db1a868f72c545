import { describe, expect, it } from "vitest";
import { letters, nearestSection, toPatient } from "../src/viewer/geometry/frames";
import { renderLongitudinal, renderSection } from "../src/viewer/geometry/render";
import { apply, invert, OUTSIDE, samplePlane, sampleStraightened, sampleVolume, SIZE } from "../src/viewer/geometry/sampler";
import { grey, paint, windowTable } from "../src/viewer/geometry/window";

/** HU rises by 1 per column, 10 per row, 100 per section: a linear image, so interpolation must be exact. */
function ramp(sections: number): { hu: Int16Array; sections: number } {
  const hu = new Int16Array(sections * SIZE * SIZE);
  hu.forEach((_, n) => {
    hu[n] = (n % SIZE) + 10 * (Math.floor(n / SIZE) % SIZE) + 100 * Math.floor(n / SIZE / SIZE);
  });
  return { hu, sections };
}

describe("a straightened vessel", () => {
  it("has (0, 0) mm between the four middle pixels", () => {
    expect(sampleStraightened(ramp(3), 0, 0, 0)).toBeCloseTo(31.5 + 315, 6);
    expect(sampleStraightened(ramp(3), 1, 0.3125, -0.3125)).toBeCloseTo(32.5 + 305 + 100, 6);
    expect(sampleStraightened(ramp(3), 1.25, 0.1, 0)).toBeCloseTo(31.5 + 0.32 + 315 + 125, 5);
  });

  it("is -1024 outside its field and its length", () => {
    expect(sampleStraightened(ramp(3), 0, 10.1, 0)).toBe(OUTSIDE);
    expect(sampleStraightened(ramp(3), 3, 0, 0)).toBe(OUTSIDE);
    expect(sampleStraightened(ramp(3), 2.4, 0, 0)).toBeCloseTo(346.5 + 200, 6);
  });

  it("is painted with the HU that its sampler gives, windowed after", () => {
    const table = windowTable({ width: 800, level: 400 });
    const stack = ramp(4);
    const out = new Uint32Array(40 * 30);
    renderSection(out, stack, 2, { left: -2, top: -1.5, mmPerPixel: 0.1, width: 40, height: 30 }, table);
    expect(out[7 * 40 + 11]).toBe(paint(table, sampleStraightened(stack, 2, -2 + 1.1, -1.5 + 0.7)));
    const angle = Math.PI / 3;
    renderLongitudinal(out, stack, angle, { topSection: 0.4, mmPerPixel: 0.05, width: 40, height: 20 }, table);
    const d = (9 - 19.5) * 0.05;
    const expected = sampleStraightened(stack, 0.4 + (6 * 0.05) / 0.3, d * Math.cos(angle), d * Math.sin(angle));
    expect(out[6 * 40 + 9]).toBe(paint(table, expected));
  });

  it("is black beyond its ends in the longitudinal view, never stretched", () => {
    const table = windowTable({ width: 800, level: 400 });
    const out = new Uint32Array(8 * 100);
    renderLongitudinal(out, ramp(4), 0, { topSection: -10, mmPerPixel: 0.3, width: 8, height: 100 }, table);
    const lit = Array.from({ length: 100 }, (_, y) => out[y * 8 + 4] !== 0xff000000);
    expect(lit.filter(Boolean).length).toBeLessThanOrEqual(4);
    expect(lit[10] || lit[11]).toBe(true);
  });
});

describe("a CT volume", () => {
  const affine = [0, -0.5, 0, 30, 0.4, 0, 0, -20, 0, 0, 2, 5, 0, 0, 0, 1];
  const volume = {
    hu: new Int16Array(5 * 6 * 7).map((_, n) => (n % 7) + 10 * (Math.floor(n / 7) % 6) + 100 * Math.floor(n / 42)),
    shape: [5, 6, 7] as const,
    affine,
  };

  it("is interpolated linearly on all three axes", () => {
    expect(sampleVolume(volume, 2.5, 3.25, 1.5)).toBeCloseTo(2.5 + 32.5 + 150, 6);
    expect(sampleVolume(volume, 6, 5, 4)).toBe(6 + 50 + 400);
    expect(sampleVolume(volume, 6.6, 0, 0)).toBe(OUTSIDE);
  });

  it("inverts an affine that swaps and flips axes", () => {
    const back = apply(invert(affine), apply(affine, [3, 2, 1]));
    expect(back[0]).toBeCloseTo(3, 9);
    expect(back[1]).toBeCloseTo(2, 9);
    expect(back[2]).toBeCloseTo(1, 9);
    expect(() => invert(new Array<number>(16).fill(0))).toThrow(/singular/);
  });

  it("is cut by a plane in patient space with its centre in the middle", () => {
    const centre = apply(affine, [3, 2, 1]);
    const plane = samplePlane(volume, invert(affine), {
      centre, right: [0, 1, 0], down: [-1, 0, 0], mmPerPixel: 0.4, width: 5, height: 3,
    });
    // Patient +y is +i here (0.4 mm a column), patient -x is +j (0.5 mm a row).
    expect(plane[1 * 5 + 2]).toBe(3 + 20 + 100);
    expect(plane[1 * 5 + 3]).toBe(4 + 20 + 100);
    expect(plane[2 * 5 + 2]).toBe(Math.round(3 + 10 * 2.8 + 100));
  });
});

describe("window", () => {
  it("maps the level to middle grey and clips outside", () => {
    const window = { width: 800, level: 200 };
    expect(grey(200, window)).toBe(128);
    expect(grey(-200, window)).toBe(0);
    expect(grey(600, window)).toBe(255);
    expect(grey(-3000, window)).toBe(0);
    const table = windowTable(window);
    expect(paint(table, 200.4)).toBe(0xff808080);
    expect(paint(table, 32000)).toBe(0xffffffff);
    expect(paint(table, -32000)).toBe(0xff000000);
  });
});

describe("frames", () => {
  const frames = {
    centre: [[0, 0, 0], [0, 0, 1], [0, 0, 2]] as const,
    axis_u: [[1, 0, 0], [1, 0, 0], [0, 1, 0]] as const,
    axis_v: [[0, 1, 0], [0, 1, 0], [-1, 0, 0]] as const,
    segment: ["", "", ""],
  };

  it("place a point of a section in the patient, and find the section back", () => {
    expect(toPatient(frames, 2, 3, 1)).toEqual([-1, 3, 2]);
    expect(nearestSection(frames, [3, 4, 1.2])).toMatchObject({ section: 1 });
    expect(nearestSection(frames, [3, 4, 1]).distance).toBe(5);
  });

  it("name directions in LPS", () => {
    expect(letters([1, 0, 0])).toBe("L");
    expect(letters([-1, 0.1, 0])).toBe("R");
    expect(letters([0, 0, -1])).toBe("I");
    expect(letters([0.1, -0.7, 0.7])).toBe("AS");
  });
});
