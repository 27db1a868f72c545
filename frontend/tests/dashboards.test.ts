import { describe, expect, it } from "vitest";
import { linkOf, parseFigure } from "../src/dashboards/figures";

describe("linkOf", () => {
  it("follows paths of this site only", () => {
    expect(linkOf(["/studies/demo/exams/3/view/?vessel=LAD&lesion=2", "P-003"])).toBe(
      "/studies/demo/exams/3/view/?vessel=LAD&lesion=2",
    );
    for (const bad of [["", ""], ["//evil.example", ""], ["javascript:alert(1)", ""], ["https://x.example/", ""], null, 7]) {
      expect(linkOf(bad)).toBeNull();
    }
  });
});

describe("parseFigure", () => {
  it("takes data and layout, and refuses anything else", () => {
    expect(parseFigure('{"data":[{"x":[1]}],"layout":{}}')?.data).toHaveLength(1);
    expect(parseFigure("{}")).toBeNull();
    expect(parseFigure("")).toBeNull();
    expect(parseFigure(undefined)).toBeNull();
  });
});
