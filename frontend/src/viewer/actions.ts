/** What each command of the table does. */
import { compare } from "./adjudication";
import { postJson } from "./api";
import { type CommandId } from "./commands";
import * as dialogs from "./dialogs";
import { peaks } from "./difference";
import { SPACING_ALONG } from "./geometry/sampler";
import { PRESETS } from "./geometry/window";
import { type Form, type Lesion, type Side } from "./model";
import { PLANES, type PaneName } from "./state";
import { type Viewer } from "./viewer";

export interface Surroundings {
  readonly printedName: string;
  openVessel(name: string): void;
  maximise(pane: PaneName | null): void;
  fit(): void;
  message(text: string): void;
  revisionSaved(number: number): void;
}

const ROTATION_STEP = 5;
/** A lesion shorter than this is a slip of the hand; the server refuses it too. */
const SHORTEST_MM = 0.6;
const TOO_SHORT = `A lesion must end at least ${SHORTEST_MM} mm after its start.`;

interface Signed {
  readonly signed_at: string;
  readonly printed_name: string;
  readonly content_sha256: string;
  readonly next_url: string | null;
}

export function actions(viewer: Viewer, around: Surroundings): Record<CommandId, () => void | Promise<void>> {
  const { view } = viewer;
  const by = (steps: number) => () => viewer.moveTo(view.get().section + steps);
  const rotate = (degrees: number) => () => view.set({ angle: (view.get().angle + degrees + 360) % 360 });
  const preset = (n: number) => () => view.set({ window: { width: PRESETS[n].width, level: PRESETS[n].level } });
  const vessel = (steps: number) => () => {
    const names = viewer.info.vessels.map((each) => each.name);
    const at = names.indexOf(view.get().vessel);
    around.openVessel(names[(at + steps + names.length) % names.length]);
  };
  const selected = (): Lesion | undefined => viewer.lesions().find((each) => each.number === view.get().lesion);
  const round = (mm: number) => Math.round(mm * 100) / 100;

  const goToLesion = (steps: 1 | -1) => () => {
    const ordered = [...viewer.lesions()].sort((a, b) => a.start_mm - b.start_mm);
    const middle = (each: Lesion) => (each.start_mm + each.end_mm) / 2;
    const here = viewer.cursorMm;
    const chosen = steps > 0
      ? ordered.find((each) => middle(each) > here + SPACING_ALONG)
      : ordered.findLast((each) => middle(each) < here - SPACING_ALONG);
    if (!chosen) {
      around.message(`No ${steps > 0 ? "further" : "earlier"} lesion in ${view.get().vessel}.`);
      return;
    }
    view.set({ lesion: chosen.number, pendingStart: null });
    viewer.moveTo(middle(chosen) / SPACING_ALONG);
  };

  const setEdge = (edge: "start" | "end") => () => {
    const mm = round(viewer.cursorMm);
    const lesion = selected();
    const { pendingStart } = view.get();
    if (lesion) {
      const [start, end] = edge === "start" ? [mm, lesion.end_mm] : [lesion.start_mm, mm];
      if (end - start < SHORTEST_MM) around.message(TOO_SHORT);
      else viewer.edit({ type: "set_lesion", number: lesion.number, start_mm: start, end_mm: end });
    } else if (edge === "start") {
      view.set({ pendingStart: mm });
      around.message("Lesion start set. Go to its end and press ].");
    } else if (pendingStart === null) {
      around.message("Select a lesion, or set the start of a new one first ([).");
    } else if (mm - pendingStart < SHORTEST_MM) {
      around.message(TOO_SHORT);
    } else {
      view.set({ pendingStart: null });
      viewer.edit({ type: "add_lesion", start_mm: pendingStart, end_mm: mm });
    }
  };

  const setReference = (side: "proximal" | "distal") => () => {
    const lesion = selected();
    if (!lesion) {
      around.message("Select a lesion first.");
      return;
    }
    viewer.edit({
      type: "set_lesion", number: lesion.number, start_mm: lesion.start_mm, end_mm: lesion.end_mm,
      [`${side}_reference_mm`]: round(viewer.cursorMm),
    });
  };

  const jumpToDifference = (steps: 1 | -1) => () => {
    const curve = viewer.difference();
    if (!curve) return;
    const all = peaks(curve);
    const here = view.get().section;
    const next = steps > 0 ? all.find((s) => s > here) : all.findLast((s) => s < here);
    if (next === undefined) around.message(`No ${steps > 0 ? "further" : "earlier"} difference in ${view.get().vessel}.`);
    else viewer.moveTo(next);
  };

  const alone = (side: Side) => () => view.set({ alone: side });

  const save = async (): Promise<void> => {
    await viewer.queue.settled();
    if (!viewer.info.revisions_url) return;
    const answer = await postJson<{ revision: number; saved_at: string }>(viewer.info.revisions_url, { form: viewer.form });
    around.revisionSaved(answer.revision);
    await viewer.refreshCase();
  };

  const submit = (): void => {
    const { sign_url: url, permissions } = viewer.info;
    if (!permissions.sign || !url) {
      around.message("This read can't be signed now.");
      return;
    }
    dialogs.sign({
      printedName: around.printedName,
      form: viewer.form,
      keep: (form) => (viewer.form = form),
      notReviewed: viewer.info.vessels.map((each) => each.name).filter((name) => !viewer.reviewed.get(name)),
      demonstrationPassword: viewer.info.demonstration_password,
      sign: async (password: string, form: Form) => {
        await viewer.queue.settled();
        const answer = await postJson<Signed>(url, { password, form });
        dialogs.signed(
          "Signed",
          [
            ["Signed by", answer.printed_name],
            ["At", dialogs.utc(answer.signed_at)],
            ["Content hash", answer.content_sha256],
          ],
          answer.next_url, viewer.info.list_url,
        );
        await viewer.refreshCase();
      },
    });
  };

  return {
    "section-next": by(1),
    "section-previous": by(-1),
    "section-next-10": by(10),
    "section-previous-10": by(-10),
    "section-first": () => viewer.moveTo(0),
    "section-last": () => viewer.moveTo(Number.MAX_SAFE_INTEGER),
    "rotate-left": rotate(-ROTATION_STEP),
    "rotate-right": rotate(ROTATION_STEP),
    "vessel-next": vessel(1),
    "vessel-previous": vessel(-1),
    "lesion-next": goToLesion(1),
    "lesion-previous": goToLesion(-1),
    "window-1": preset(0),
    "window-2": preset(1),
    "window-3": preset(2),
    "window-4": preset(3),
    "window-5": preset(4),
    overlay: () => view.set({ overlay: !view.get().overlay }),
    contours: () => view.set({ contours: !view.get().contours }),
    plane: () => view.set({ plane: PLANES[(PLANES.indexOf(view.get().plane) + 1) % PLANES.length] }),
    fit: () => around.fit(),
    maximise: () => around.maximise(view.get().maximised ? null : "cross"),
    "active-lumen": () => view.set({ active: "lumen" }),
    "active-wall": () => view.set({ active: "wall" }),
    undo: () => viewer.edit({ type: "undo" }),
    redo: () => viewer.edit({ type: "redo" }),
    "lesion-start": setEdge("start"),
    "lesion-end": setEdge("end"),
    "lesion-new": () => {
      view.set({ lesion: null, pendingStart: null });
      around.message("New lesion: go to its start and press [, then to its end and press ].");
    },
    "lesion-remove": () => {
      const lesion = selected();
      if (!lesion) around.message("Select a lesion first.");
      else {
        viewer.edit({ type: "remove_lesion", number: lesion.number });
        view.set({ lesion: null });
      }
    },
    "reference-proximal": setReference("proximal"),
    "reference-distal": setReference("distal"),
    "side-a": alone("A"),
    "side-b": alone("B"),
    "difference-next": jumpToDifference(1),
    "difference-previous": jumpToDifference(-1),
    decide: () => compare(viewer, around.printedName),
    reviewed: () => {
      const reviewed = !(viewer.reviewed.get(view.get().vessel) ?? false);
      viewer.edit({ type: "mark_reviewed", reviewed });
    },
    save,
    submit,
    help: () => dialogs.help(viewer.info.mode, viewer.mayEdit),
  };
}
