/**
 * The one table of what a person can do in the viewer. Buttons, the key map, the help and the tests come from it.
 *
 * A key is written as KeyboardEvent.key gives it; "Shift+" and "Ctrl+" come before it.
 */

export type Mode = "read" | "adjudicate" | "view";

export interface Command {
  readonly id: string;
  readonly label: string;
  readonly group: "Move" | "Look" | "Contours" | "Lesions" | "Adjudication" | "Read";
  readonly keys: readonly string[];
  /** Where it is offered; everywhere when absent. */
  readonly modes?: readonly Mode[];
  /** Needs the right to edit this read. */
  readonly edits?: true;
  /** Acts while its key is held. */
  readonly held?: true;
  /** What it shows on its button, where it has one. */
  readonly button?: string;
}

const table = [
  { id: "section-next", label: "Next section", group: "Move", keys: ["ArrowDown"] },
  { id: "section-previous", label: "Previous section", group: "Move", keys: ["ArrowUp"] },
  { id: "section-next-10", label: "Ten sections on", group: "Move", keys: ["PageDown"] },
  { id: "section-previous-10", label: "Ten sections back", group: "Move", keys: ["PageUp"] },
  { id: "section-first", label: "First section", group: "Move", keys: ["Home"] },
  { id: "section-last", label: "Last section", group: "Move", keys: ["End"] },
  { id: "rotate-left", label: "Rotate the straightened view back", group: "Move", keys: ["ArrowLeft"] },
  { id: "rotate-right", label: "Rotate the straightened view on", group: "Move", keys: ["ArrowRight"] },
  { id: "vessel-next", label: "Next vessel", group: "Move", keys: ["n"] },
  { id: "vessel-previous", label: "Previous vessel", group: "Move", keys: ["Shift+N"] },
  { id: "lesion-next", label: "Next lesion", group: "Move", keys: ["."] },
  { id: "lesion-previous", label: "Previous lesion", group: "Move", keys: [","] },

  { id: "window-1", label: "Window: coronary", group: "Look", keys: ["1"] },
  { id: "window-2", label: "Window: plaque", group: "Look", keys: ["2"] },
  { id: "window-3", label: "Window: calcium", group: "Look", keys: ["3"] },
  { id: "window-4", label: "Window: lumen", group: "Look", keys: ["4"] },
  { id: "window-5", label: "Window: fat", group: "Look", keys: ["5"] },
  { id: "overlay", label: "Composition overlay on or off", group: "Look", keys: ["c"], button: "Composition" },
  { id: "contours", label: "Contours on or off", group: "Look", keys: ["x"], button: "Contours" },
  { id: "plane", label: "CT plane: axial, coronal, sagittal", group: "Look", keys: ["m"], button: "Plane" },
  { id: "fit", label: "Zoom and position of all panes back", group: "Look", keys: ["0"] },
  { id: "maximise", label: "Cross-section large or back (any pane: double click)", group: "Look", keys: ["f"] },

  { id: "active-lumen", label: "Drag the lumen", group: "Contours", keys: ["l"], edits: true, button: "Lumen" },
  { id: "active-wall", label: "Drag the vessel wall", group: "Contours", keys: ["w"], edits: true, button: "Wall" },
  { id: "undo", label: "Undo", group: "Contours", keys: ["z", "Ctrl+z"], edits: true, button: "Undo" },
  { id: "redo", label: "Redo", group: "Contours", keys: ["Shift+Z", "Ctrl+y"], edits: true, button: "Redo" },

  { id: "lesion-start", label: "Lesion starts at the cursor", group: "Lesions", keys: ["["], edits: true, button: "Start" },
  { id: "lesion-end", label: "Lesion ends at the cursor", group: "Lesions", keys: ["]"], edits: true, button: "End" },
  { id: "lesion-new", label: "New lesion: then set its start and end", group: "Lesions", keys: ["i"], edits: true, button: "New lesion" },
  { id: "lesion-remove", label: "Remove the selected lesion", group: "Lesions", keys: ["Delete"], edits: true, button: "Remove" },
  { id: "reference-proximal", label: "Proximal reference at the cursor", group: "Lesions", keys: ["Shift+{"], edits: true, button: "Ref. proximal" },
  { id: "reference-distal", label: "Distal reference at the cursor", group: "Lesions", keys: ["Shift+}"], edits: true, button: "Ref. distal" },

  { id: "side-a", label: "Read A alone, while held", group: "Adjudication", keys: ["a"], modes: ["adjudicate"], held: true, button: "A alone" },
  { id: "side-b", label: "Read B alone, while held", group: "Adjudication", keys: ["b"], modes: ["adjudicate"], held: true, button: "B alone" },
  { id: "difference-next", label: "Next difference", group: "Adjudication", keys: ["d"], modes: ["adjudicate"], button: "Next difference" },
  { id: "difference-previous", label: "Previous difference", group: "Adjudication", keys: ["Shift+D"], modes: ["adjudicate"] },
  { id: "decide", label: "Compare the forms and decide", group: "Adjudication", keys: ["Enter"], modes: ["adjudicate"], button: "Compare and decide" },

  { id: "reviewed", label: "Vessel reviewed, or not yet", group: "Read", keys: ["v"], edits: true, button: "Reviewed" },
  { id: "save", label: "Save a revision", group: "Read", keys: ["s", "Ctrl+s"], edits: true, button: "Save" },
  { id: "submit", label: "Submit and sign", group: "Read", keys: ["Enter"], modes: ["read"], edits: true, button: "Submit" },
  { id: "help", label: "Keys", group: "Read", keys: ["?", "Shift+?"], button: "?" },
] as const satisfies readonly Command[];

export type CommandId = (typeof table)[number]["id"];
export const COMMANDS: readonly (Command & { readonly id: CommandId })[] = table;
export const GROUPS: readonly Command["group"][] = ["Move", "Look", "Contours", "Lesions", "Adjudication", "Read"];

export function command(id: CommandId): Command & { readonly id: CommandId } {
  const found = COMMANDS.find((each) => each.id === id);
  if (!found) throw new Error(`There is no command ${id}.`);
  return found;
}

/** Whether a command is offered to this person in this mode. */
export function offered(item: Command, mode: Mode, mayEdit: boolean): boolean {
  return (!item.modes || item.modes.includes(mode)) && (!item.edits || mayEdit);
}

interface Stroke {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** How the table writes a key stroke, or null for one that belongs to the browser. */
export function strokeName(event: Stroke): string | null {
  if (event.altKey) return null;
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
  return `${control ? "Ctrl+" : ""}${event.shiftKey ? "Shift+" : ""}${key}`;
}

/** The command of a key stroke, for this person in this mode. */
export function commandOf(event: Stroke, mode: Mode, mayEdit: boolean): CommandId | null {
  const name = strokeName(event);
  if (name === null) return null;
  // Layouts differ in which signs need Shift: a sign counts with and without it, a letter does not.
  const bare = name.replace("Shift+", "");
  const sign = event.key.length === 1 && !/[a-z]/i.test(event.key);
  const found = COMMANDS.find(
    (item) =>
      offered(item, mode, mayEdit) &&
      item.keys.some((key) => key === name || (sign && key.replace("Shift+", "") === bare)),
  );
  return found?.id ?? null;
}

const SIGNS: Record<string, string> = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→",
  PageUp: "PgUp", PageDown: "PgDn", Delete: "Del",
};

/** How a key is shown to a person: "Shift+Z" as "Shift Z", an arrow as its sign. */
export function keyLabel(key: string): string {
  const parts = key.split("+").filter((part) => part !== "");
  const last = parts[parts.length - 1];
  const shown = SIGNS[last] ?? (last.length === 1 ? last.toUpperCase() : last);
  const modifiers = parts.slice(0, -1).filter((part) => part !== "Shift" || /^[a-z]$/i.test(last));
  return [...modifiers, shown].join(" ");
}
