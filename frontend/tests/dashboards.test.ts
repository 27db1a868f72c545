import { describe, expect, it } from "vitest";
import { forExport, inked, inkedData, linkOf, parseFigure, selectionOf, wrapped } from "../src/dashboards/figures";

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

describe("selectionOf", () => {
  it("takes selections, from a pair or alone, and nothing else", () => {
    expect(selectionOf(["?row=12", "P-003"])).toBe("row=12");
    expect(selectionOf("?group=S07")).toBe("group=S07");
    for (const bad of [["?", ""], ["/x?row=1", ""], ["", ""], [12], null]) expect(selectionOf(bad)).toBeNull();
    expect(linkOf(["?row=12", "P-003"])).toBeNull();
  });
});

describe("pictures to take away", () => {
  const layout = { height: 420, font: { family: "serif", color: "#6c757d" }, annotations: [{ text: "Simulated data" }] };
  const words = { title: "A <b> title", caption: "n of N ".repeat(60), watermark: "freeze 3, released" };

  it("are on white paper whatever the page's colours, with caption and watermark inside", () => {
    const made = forExport(layout, { width: 1000, height: 420 }, words) as Record<string, any>;
    expect(made.paper_bgcolor).toBe("#ffffff");
    expect(made.font).toMatchObject({ family: "serif", color: "#222222" });
    expect(made.annotations).toHaveLength(2);
    expect(made.annotations[1].text).toContain("freeze 3, released");
    expect(made.title.text).toBe("A &lt;b> title");
    expect(made.height).toBeGreaterThan(420 + made.annotations[1].text.split("<br>").length * 15);
    expect(layout.annotations).toHaveLength(1);
  });

  it("break long captions between words", () => {
    expect(wrapped("one two three", 7)).toBe("one two<br>three");
    expect(wrapped("a<b", 10)).toBe("a&lt;b");
  });
});

describe("inked", () => {
  it("takes the page's colour of text and keeps the rest", () => {
    const found = inked({ height: 300, font: { size: 13 } }, { text: "#eee", paper: "#111" });
    expect(found).toMatchObject({ height: 300, font: { size: 13, color: "#eee" }, hoverlabel: { bgcolor: "#111" } });
  });
});

describe("numbers in a heat map", () => {
  it("take the page's ink; other traces keep theirs", () => {
    const traces = [{ type: "heatmap", z: [[1]] }, { type: "scatter", x: [1] }];
    const [map, points] = inkedData(traces, { text: "#eeeeee", paper: "#000000" });
    expect(map).toMatchObject({ z: [[1]], textfont: { color: "#eeeeee" } });
    expect(points).toBe(traces[1]);
  });
});
