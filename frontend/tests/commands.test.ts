import { describe, expect, it } from "vitest";
import { actions } from "../src/viewer/actions";
import { commandOf, COMMANDS, keyLabel, offered, strokeName, type Mode } from "../src/viewer/commands";
import { Store, FIRST_VIEW } from "../src/viewer/state";
import { type Viewer } from "../src/viewer/viewer";

const stroke = (key: string, with_: Partial<Record<"shiftKey" | "ctrlKey" | "metaKey" | "altKey", boolean>> = {}) => ({
  key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...with_,
});

describe("the table of commands", () => {
  it.each<[Mode, boolean]>([["read", true], ["read", false], ["adjudicate", false], ["view", false]])(
    "gives each key one meaning in mode %s (may edit: %s)",
    (mode, mayEdit) => {
      const keys = COMMANDS.filter((item) => offered(item, mode, mayEdit)).flatMap((item) => [...item.keys]);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.length).toBeGreaterThanOrEqual(10);
    },
  );

  it("has an action for every command, and no command twice", () => {
    const ids = COMMANDS.map((item) => item.id);
    expect(new Set(ids).size).toBe(ids.length);
    const viewer = { view: new Store(FIRST_VIEW) } as unknown as Viewer;
    const around = { printedName: "", openVessel() {}, maximise() {}, fit() {}, message() {}, revisionSaved() {} };
    expect(Object.keys(actions(viewer, around)).sort()).toEqual([...ids].sort());
  });

  it("offers no edit to a person who may only look", () => {
    for (const item of COMMANDS.filter((each) => "edits" in each)) expect(offered(item, "view", false)).toBe(false);
    expect(commandOf(stroke("l"), "view", false)).toBeNull();
    expect(commandOf(stroke("l"), "read", true)).toBe("active-lumen");
  });

  it("makes Enter submit for a reader and compare for an adjudicator", () => {
    expect(commandOf(stroke("Enter"), "read", true)).toBe("submit");
    expect(commandOf(stroke("Enter"), "adjudicate", false)).toBe("decide");
    expect(commandOf(stroke("Enter"), "view", false)).toBeNull();
  });
});

describe("key strokes", () => {
  it("tell undo from redo, with and without Ctrl", () => {
    expect(commandOf(stroke("z"), "read", true)).toBe("undo");
    expect(commandOf(stroke("Z", { shiftKey: true }), "read", true)).toBe("redo");
    expect(commandOf(stroke("z", { ctrlKey: true }), "read", true)).toBe("undo");
    expect(commandOf(stroke("y", { metaKey: true }), "read", true)).toBe("redo");
  });

  it("take signs as any layout types them", () => {
    expect(commandOf(stroke("?", { shiftKey: true }), "view", false)).toBe("help");
    expect(commandOf(stroke("["), "read", true)).toBe("lesion-start");
    expect(commandOf(stroke("{", { shiftKey: true }), "read", true)).toBe("reference-proximal");
    expect(commandOf(stroke("{"), "read", true)).toBe("reference-proximal");
  });

  it("leave the browser's own alone", () => {
    expect(strokeName(stroke("ArrowLeft", { altKey: true }))).toBeNull();
    expect(commandOf(stroke("r", { ctrlKey: true }), "read", true)).toBeNull();
    expect(commandOf(stroke("c", { ctrlKey: true }), "read", true)).toBeNull();
  });

  it("take a letter typed with caps lock as the letter", () => {
    expect(commandOf(stroke("C"), "view", false)).toBe("overlay");
  });

  it("are written for people", () => {
    expect(keyLabel("Shift+Z")).toBe("Shift Z");
    expect(keyLabel("Shift+{")).toBe("{");
    expect(keyLabel("PageDown")).toBe("PgDn");
    expect(keyLabel("z")).toBe("Z");
  });
});
