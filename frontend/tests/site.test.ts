import { describe, expect, it } from "vitest";
import { compareCells, matches } from "../src/site/tables";
import { chosenTheme } from "../src/site/theme";

describe("lists", () => {
  it("sort numbers by size, also with units and a true minus", () => {
    expect(["10.5 mm³", "9 mm³", "−3 mm³"].sort(compareCells)).toEqual(["−3 mm³", "9 mm³", "10.5 mm³"]);
    expect(["1,200", "999"].sort(compareCells)).toEqual(["999", "1,200"]);
  });
  it("sort text as people do, and the empty last", () => {
    expect(["Case 10", "", "case 9"].sort(compareCells)).toEqual(["case 9", "Case 10", ""]);
    expect(["2026-11-02", "2026-02-10"].sort(compareCells)).toEqual(["2026-02-10", "2026-11-02"]);
  });
  it("are filtered by every word", () => {
    expect(matches("Site A  accepted", "acc site")).toBe(true);
    expect(matches("Site A  accepted", "acc refused")).toBe(false);
    expect(matches("anything", "  ")).toBe(true);
  });
});

describe("the theme", () => {
  it("is the system's until a person chose", () => {
    expect(chosenTheme(null, true)).toBe("dark");
    expect(chosenTheme("light", true)).toBe("light");
    expect(chosenTheme("nonsense", false)).toBe("light");
  });
});
