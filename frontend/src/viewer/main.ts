/** The viewer's page: builds the panes around one Viewer and ties keys, buttons, panes and address to it. */
import "./viewer.css";
import { actions } from "./actions";
import { postJson } from "./api";
import { command, commandOf, type CommandId, COMMANDS, keyLabel, offered } from "./commands";
import * as dialogs from "./dialogs";
import { el, need } from "./dom";
import { PRESETS } from "./geometry/window";
import { lesionTable, patientRow, vesselList } from "./lists";
import { type CaseInfo } from "./model";
import { CrossPane } from "./panes/cross";
import { LongitudinalPane } from "./panes/longitudinal";
import { MprPane } from "./panes/mpr";
import { StripPane } from "./panes/strip";
import { type PaneName, readAddress, type View, writeAddress } from "./state";
import { type SaveState } from "./sync";
import { Viewer } from "./viewer";

interface Config {
  readonly api_root: string;
  readonly printed_name: string;
}

declare global {
  interface Window {
    /** For tests and benches: what is shown, and how long it took. */
    plaquelab: {
      timings: Viewer["timings"];
      state(): View & { mode: string; version: number; saved: string; waiting: number; cursorMm: number };
      placement(): ReturnType<CrossPane["placement"]>;
      radius(which: "lumen" | "wall", section: number, angleIndex: number): number;
    };
  }
}

const MESSAGE_MS = 6000;
const REFRESH_MS = 600;

async function start(): Promise<void> {
  const config = JSON.parse(need("#viewer-config").textContent ?? "{}") as Config;
  // Opening is a deed: it starts the read, and answers with the case.
  const info = await postJson<CaseInfo>(`${config.api_root}opening/`, {});
  const root = need("#viewer");
  let frame = 0;
  const redraw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      drawAll();
    });
  };
  const viewer = new Viewer(config.api_root, info, { redraw, refresh, saving, message });
  if (info.vessels.length === 0) {
    message("This case has no vessels: its analysis found none. Ask the core lab.");
    return;
  }
  const cross = new CrossPane(need("[data-pane=cross]"), viewer);
  const longitudinal = new LongitudinalPane(need("[data-pane=longitudinal]"), viewer);
  const strip = new StripPane(need("[data-pane=strip]"), viewer);
  const mpr = new MprPane(need("[data-pane=mpr]"), viewer);
  const run = actions(viewer, {
    printedName: config.printed_name,
    openVessel: (name) => void open(name),
    maximise: (maximised) => viewer.view.set({ maximised }),
    fit: () => {
      for (const pane of [cross, longitudinal, mpr]) pane.fit();
      redraw();
    },
    message,
    revisionSaved: (number) => message(`Revision ${number} saved.`),
  });
  const perform = (id: CommandId) => {
    Promise.resolve()
      .then(() => run[id]())
      .catch((error: unknown) => message(error instanceof Error ? error.message : String(error)));
  };

  buildToolbar();
  bindKeys();
  bindPanes();
  window.addEventListener("online", () => viewer.queue.retry());
  window.addEventListener("beforeunload", (event) => {
    // After a conflict the waiting edit can't be stored any more: the dialog has said so.
    if (viewer.queue.length > 0 && viewer.save.kind !== "conflict") event.preventDefault();
  });
  new ResizeObserver(redraw).observe(need(".panes", root));

  window.plaquelab = {
    timings: viewer.timings,
    state: () => ({
      ...viewer.view.get(), mode: viewer.info.mode, version: viewer.queue.currentVersion, saved: viewer.save.kind,
      waiting: viewer.queue.length, cursorMm: viewer.cursorMm,
    }),
    placement: () => cross.placement(),
    radius: (which, section, angleIndex) => viewer.layers()[0].contours[which][section * 64 + angleIndex],
  };

  const wanted = readAddress(location.search);
  if (wanted.window) viewer.view.set({ window: wanted.window });
  if (wanted.angle !== undefined) viewer.view.set({ angle: wanted.angle });
  saving(viewer.save);
  const first = (wanted.vessel && viewer.summary(wanted.vessel) ? wanted.vessel : undefined) ?? info.vessels[0].name;
  if (wanted.vessel && first !== wanted.vessel) message(`This case has no vessel ${wanted.vessel}.`);
  await open(first, wanted);
  root.dataset.ready = "true";
  mpr.start();
  for (const vessel of info.vessels) if (vessel.name !== first) await viewer.load(vessel.name).catch(() => undefined);

  async function open(name: string, at: { section?: number; lesion?: number } = {}): Promise<void> {
    try {
      await viewer.open(name, at);
    } catch (error) {
      message(error instanceof Error ? error.message : String(error));
    }
  }

  function drawAll(): void {
    for (const pane of [cross, longitudinal, strip, mpr]) pane.draw();
  }

  function message(text: string): void {
    const line = need("[data-testid=message]", root);
    line.textContent = text;
    line.hidden = false;
    clearTimeout(Number(line.dataset.timer));
    line.dataset.timer = String(setTimeout(() => (line.hidden = true), MESSAGE_MS));
  }

  function saving(state: SaveState): void {
    const line = need("[data-testid=saved]", root);
    line.dataset.kind = state.kind;
    line.hidden = !viewer.mayEdit && viewer.info.mode !== "read";
    if (state.kind === "saved") {
      line.textContent = state.at ? `● autosaved ${state.at.toTimeString().slice(0, 8)}` : "○ no change yet";
      if (state.at && viewer.queue.length === 0) refreshSoon();
    } else if (state.kind === "saving") {
      line.textContent = "○ saving …";
    } else if (state.kind === "offline") {
      const why = state.reason === "network" ? "connection lost, trying again" : "signed out; sign in in another tab";
      line.textContent = `▲ NOT SAVED (${state.waiting}): ${why}`;
    } else {
      line.textContent = "▲ NOT SAVED: changed elsewhere";
      dialogs.conflict(state.detail);
    }
  }

  function refreshSoon(): void {
    clearTimeout(Number(root.dataset.timer));
    root.dataset.timer = String(
      setTimeout(() => {
        if (viewer.queue.length === 0 && viewer.timings.length > 0 && viewer.mayEdit) {
          viewer.refreshCase().catch((error: unknown) => message(error instanceof Error ? error.message : String(error)));
        }
      }, REFRESH_MS),
    );
  }

  /** Lists, tables and buttons: rebuilt when what they say changes, never while panes merely move. */
  function refresh(): void {
    need("[data-slot=vessels]", root).replaceChildren(vesselList(viewer, (name) => void open(name)));
    const slot = need("[data-slot=lesions]", root);
    const { scrollLeft } = slot;
    slot.replaceChildren(lesionTable(viewer));
    slot.scrollLeft = scrollLeft;
    need("[data-slot=patient]", root).replaceChildren(patientRow(viewer.info));
    const status = viewer.allLayers()[0]?.state.status ?? "";
    need("[data-testid=status]", root).textContent = status;
    need("[data-slot=vessel]", root).textContent = viewer.view.get().vessel;
    document.title = `${viewer.info.label} · ${viewer.view.get().vessel} · Plaquelab`;
    buttons();
  }

  function buttons(): void {
    const view = viewer.view.get();
    const state = viewer.layers()[0]?.state;
    const on: Partial<Record<CommandId, boolean>> = {
      overlay: view.overlay, contours: view.contours, "active-lumen": view.active === "lumen",
      "active-wall": view.active === "wall", reviewed: viewer.reviewed.get(view.vessel) ?? false,
      "side-a": view.alone === "A", "side-b": view.alone === "B",
    };
    const waiting = viewer.queue.length > 0;
    const off: Partial<Record<CommandId, boolean>> = {
      undo: !waiting && !state?.canUndo, redo: !state?.canRedo, "lesion-remove": view.lesion === null,
      "reference-proximal": view.lesion === null, "reference-distal": view.lesion === null,
      submit: !viewer.info.permissions.sign,
    };
    for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-command]")) {
      const id = button.dataset.command as CommandId;
      button.hidden = !offered(command(id), viewer.info.mode, viewer.mayEdit);
      if (on[id] !== undefined) button.setAttribute("aria-pressed", String(on[id]));
      if (off[id] !== undefined) button.disabled = off[id];
    }
    for (const row of root.querySelectorAll<HTMLElement>("tr[data-lesion]")) {
      row.setAttribute("aria-selected", String(Number(row.dataset.lesion) === view.lesion));
    }
    need("[data-slot=plane]", root).textContent = view.plane;
    const select = need<HTMLSelectElement>("[data-testid=window]", root);
    const n = PRESETS.findIndex((each) => each.width === view.window.width && each.level === view.window.level);
    select.value = String(n);
    select.options[0].textContent = `W ${Math.round(view.window.width)} L ${Math.round(view.window.level)}`;
  }

  function buildToolbar(): void {
    for (const slot of root.querySelectorAll<HTMLElement>("[data-commands]")) {
      for (const id of (slot.dataset.commands ?? "").split(" ") as CommandId[]) {
        const item = command(id);
        const keys = item.keys.map(keyLabel).join(" or ");
        const button = el("button", {
          type: "button", "data-command": id, title: `${item.label} (${keys})`, "aria-label": item.label, "aria-keyshortcuts": item.keys[0],
          class: ["submit", "decide"].includes(id) ? "primary" : null,
        }, item.button ?? item.label, id === "help" ? "" : el("kbd", {}, keyLabel(item.keys[0])));
        button.addEventListener("click", () => {
          // A held command latches on its button: a second click lets go.
          const side = id === "side-a" ? "A" : id === "side-b" ? "B" : null;
          if (side && viewer.view.get().alone === side) viewer.view.set({ alone: null });
          else perform(id);
          button.blur();
        });
        slot.append(button);
      }
    }
    const select = need<HTMLSelectElement>("[data-testid=window]", root);
    select.append(el("option", { value: -1 }, ""));
    PRESETS.forEach((preset, n) => select.append(el("option", { value: n }, `${n + 1} ${preset.name} ${preset.width}/${preset.level}`)));
    select.addEventListener("change", () => {
      const preset = PRESETS[Number(select.value)];
      if (preset) viewer.view.set({ window: { width: preset.width, level: preset.level } });
      select.blur();
    });
    const sources = need<HTMLSelectElement>("[data-testid=source]", root);
    sources.hidden = (info.sources ?? []).length < 2;
    for (const source of info.sources ?? []) sources.append(el("option", { value: source }, source));
    sources.addEventListener("change", () => {
      viewer.choose(sources.value).catch((error: unknown) => message(error instanceof Error ? error.message : String(error)));
      older(sources.value);
      sources.blur();
    });
    older(sources.value);
    const list = need<HTMLAnchorElement>("[data-slot=list]", root);
    if (info.list_url) list.href = info.list_url;
    list.textContent = info.study.title;
    need("[data-slot=profile]", root).textContent = info.profile;
    need("[data-slot=label]", root).textContent = info.label;
    need("[data-slot=simulated]", root).hidden = !info.study.is_simulated;
    if (!viewer.mayEdit && info.mode !== "adjudicate") need("[data-slot=readonly]", root).hidden = false;
    need("[data-slot=sides]", root).hidden = info.mode !== "adjudicate";
    viewer.view.subscribe((view, before) => {
      buttons();
      if (view.lesion !== before.lesion || view.vessel !== before.vessel || view.alone !== before.alone) redraw();
      history.replaceState(null, "", writeAddress(view));
      if (view.maximised !== before.maximised) need(".panes", root).dataset.maximised = view.maximised ?? "";
    });
  }

  /** Says in the header that older measuring code made what is shown; who may run the exam again gets there by it. */
  function older(source: string): void {
    const words = viewer.info.measured_earlier[source] ?? "";
    const tag = need<HTMLAnchorElement>("[data-slot=older]", root);
    tag.hidden = !words;
    tag.title = `${words} Signed reads keep their numbers.${viewer.info.again_url ? " Open the run to run it again." : ""}`;
    if (viewer.info.again_url) tag.href = viewer.info.again_url;
  }

  function bindKeys(): void {
    const typing = (target: EventTarget | null) =>
      target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
    document.addEventListener("keydown", (event) => {
      if (typing(event.target) || dialogs.openDialog()) return;
      if (event.key === "Escape" && viewer.view.get().maximised) viewer.view.set({ maximised: null });
      if (event.key === "Enter" && event.target instanceof HTMLElement && event.target.closest("a, button")) return;
      const id = commandOf(event, viewer.info.mode, viewer.mayEdit);
      if (!id) return;
      event.preventDefault();
      if (!(command(id).held && event.repeat)) perform(id);
    });
    document.addEventListener("keyup", (event) => {
      const held = COMMANDS.filter((item) => "held" in item && item.held && item.keys.includes(event.key.toLowerCase()));
      if (held.length > 0) viewer.view.set({ alone: null });
    });
    window.addEventListener("blur", () => viewer.view.set({ alone: null }));
  }

  function bindPanes(): void {
    for (const pane of root.querySelectorAll<HTMLElement>("[data-pane]")) {
      pane.addEventListener("dblclick", () => {
        const name = pane.dataset.pane;
        if (name === "strip") return;
        viewer.view.set({ maximised: viewer.view.get().maximised ? null : (name as PaneName) });
      });
    }
  }
}

start().catch((error: unknown) => {
  const line = need("[data-testid=message]");
  line.textContent = `The viewer could not open this case: ${error instanceof Error ? error.message : String(error)}`;
  line.hidden = false;
});
