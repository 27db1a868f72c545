import { describe, expect, it } from "vitest";
import { comparisonRows } from "../src/viewer/adjudication";
import { differenceCurve, peaks } from "../src/viewer/difference";
import { ANGLES } from "../src/viewer/geometry/polar";
import { emptyText, notAnnotated } from "../src/viewer/lists";
import { interval, range, written } from "../src/viewer/metrics";
import { type VesselSummary } from "../src/viewer/model";
import { FIRST_VIEW, readAddress, Store, writeAddress } from "../src/viewer/state";

describe("the address", () => {
  it("says where the view is, and is read back", () => {
    const view = { vessel: "R-PDA", section: 120, angle: 45, window: { width: 1500, level: -20 } };
    expect(readAddress(writeAddress(view))).toEqual(view);
  });

  it("takes a lesion from a dashboard's link and leaves out nonsense", () => {
    expect(readAddress("?vessel=LAD&lesion=2")).toEqual({ vessel: "LAD", lesion: 2 });
    expect(readAddress("?section=-4&angle=abc&window=0/200")).toEqual({});
    expect(readAddress("?angle=725")).toEqual({ angle: 5 });
  });
});

describe("the store", () => {
  it("tells listeners of changes only", () => {
    const store = new Store(FIRST_VIEW);
    let calls = 0;
    const stop = store.subscribe(() => calls++);
    store.set({ section: 0 });
    expect(calls).toBe(0);
    store.set({ section: 3 });
    stop();
    store.set({ section: 4 });
    expect(calls).toBe(1);
  });
});

describe("numbers", () => {
  const metric = (low: number | null, high: number | null) => ({ low, high });
  const digits = (digits: number, borders: number[] = []) => ({ digits, borders, ranged: true });
  it("carry fixed digits, a true minus and an honest gap", () => {
    expect(written(-78.24, digits(0))).toBe("\u221278");
    expect(written(-0.04, digits(1))).toBe("0.0");
    expect(written(null, digits(1))).toBe("n/e");
    expect(written(Number.NaN, digits(1))).toBe("n/e");
    expect(written("4A", digits(0))).toBe("4A");
    expect(written(0, digits(1))).toBe("0.0");
    expect(written(49.96, digits(1, [50]))).toBe("49.9");
  });
  it("carry a range from the lower to the higher", () => {
    expect(range(metric(4.6, 5.6), digits(1))).toBe("4.6–5.6");
    expect(range(metric(5.6, 4.6), digits(1))).toBe("4.6–5.6");
    expect(range(metric(-86, -70), digits(0))).toBe("\u221286 to \u221270");
    expect(range(metric(null, 3), digits(1))).toBe("");
    expect(range(metric(1, 2), { ...digits(0), ranged: false })).toBe("");
  });
  it("carry the interval that holds the truth, where there is one", () => {
    expect(interval({ interval_low: 4.6, interval_high: 55.6 }, digits(1))).toBe("90 %: 4.6–55.6");
    expect(interval({ interval_low: null, interval_high: null }, digits(1))).toBe("");
    expect(interval({}, digits(1))).toBe("");
  });
  it("keep the four kinds of nothing apart", () => {
    const texts = ["not annotated", "no plaque", "uncertain", "not evaluable"].map(emptyText);
    expect(new Set(texts).size).toBe(4);
  });
});

describe("differences of two reads", () => {
  const read = (sections: number, lumen: (s: number) => number) => ({
    sections,
    lumen: Float32Array.from({ length: sections * ANGLES }, (_, n) => lumen(Math.floor(n / ANGLES))),
    wall: new Float32Array(sections * ANGLES).fill(3),
  });
  it("peak where the areas differ most", () => {
    const a = read(100, () => 1);
    const b = read(100, (s) => 1 + Math.exp(-(((s - 20) / 3) ** 2)) + 0.6 * Math.exp(-(((s - 70) / 3) ** 2)));
    const curve = differenceCurve(a, b);
    expect(curve[20]).toBeCloseTo(3 * Math.PI, 4);
    expect(peaks(curve)).toEqual([20, 70]);
  });
  it("have no peak where the reads are the same, and need one vessel", () => {
    expect(peaks(differenceCurve(read(10, () => 1), read(10, () => 1)))).toEqual([]);
    expect(() => differenceCurve(read(10, () => 1), read(9, () => 1))).toThrow(/different vessels/);
  });
});

describe("the two forms", () => {
  it("stand side by side, so that differing fields can be marked", () => {
    const row = (value: number) => ({
      level: "patient", vessel: "", segment: "", lesion: null, metric: "total_plaque_volume", value, unit: "mm³", low: null, high: null, profile: "corrected",
    });
    const words = { short: "Total plaque", label: "Total plaque volume", unit: "mm³", digits: 1, borders: [], ranged: true };
    const sides = {
      a: { form: { image_quality: 4, remarks: "" }, patient: [row(100)] },
      b: { form: { image_quality: 3, remarks: "" }, patient: [row(100)] },
    };
    const rows = comparisonRows(sides, [
      { metric: "plaque_stage", ...words },
      { metric: "total_plaque_volume", ...words },
    ]);
    expect(rows.filter((each) => each.a !== each.b).map((each) => each.name)).toEqual(["Image quality"]);
    expect(rows.at(-1)).toEqual({ name: "Total plaque, mm³", a: "100.0", b: "100.0" });
  });
});

describe("a case that nobody has annotated", () => {
  const vessel = (lesions: number, reviewed: boolean): VesselSummary =>
    ({ name: "LAD", sections: 1, arc_length_mm: 0, segments: [], lesions, reviewed, hu: "", frames: "", state: "" });
  it("is one without a lesion that is not wholly reviewed", () => {
    expect(notAnnotated({ mode: "read", vessels: [vessel(0, false), vessel(0, true)] })).toBe(true);
    expect(notAnnotated({ mode: "read", vessels: [vessel(0, true), vessel(0, true)] })).toBe(false);
    expect(notAnnotated({ mode: "read", vessels: [vessel(1, false), vessel(0, false)] })).toBe(false);
    expect(notAnnotated({ mode: "adjudicate", vessels: [vessel(0, false)] })).toBe(false);
  });
});
