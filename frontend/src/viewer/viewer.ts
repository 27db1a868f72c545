/** The open case: its vessels, the view, the edits on their way. Panes draw from it and call it; it knows no pane. */
import { getBytes, getJson, postJson } from "./api";
import { bytesToStack } from "./codec";
import { differenceCurve } from "./difference";
import { type Frames } from "./geometry/frames";
import { area, type Contours, moveContour, type Move } from "./geometry/polar";
import { SPACING_ALONG } from "./geometry/sampler";
import {
  type CaseInfo, decodeState, type EditCommand, type Form, type Lesion, type RawVesselState, type Side, type VesselData,
  type VesselState, type VesselSummary,
} from "./model";
import { FIRST_VIEW, Store, type View } from "./state";
import { EditQueue, type SaveState } from "./sync";

/** One read's word on the current vessel, with what is not yet stored already applied. */
export interface Layer {
  readonly side: Side | null;
  readonly state: VesselState;
  readonly contours: Contours;
  /** True when the contours are ahead of the server's numbers. */
  readonly ahead: boolean;
}

interface Loaded {
  readonly data: VesselData;
  states: { side: Side | null; state: VesselState }[];
}

export interface Timing {
  readonly vessel: string;
  /** From the click (or, for the first vessel, from the case's answer) to the drawn picture. */
  readonly ms: number;
  /** From the start of the page's navigation to the drawn picture. */
  readonly page_ms: number;
  readonly first: boolean;
}

export interface Events {
  redraw(): void;
  /** Something outside the canvases changed: lists, tables, buttons. */
  refresh(): void;
  saving(state: SaveState): void;
  message(text: string): void;
}

export class Viewer {
  readonly view = new Store<View>(FIRST_VIEW);
  readonly timings: Timing[] = [];
  readonly reviewed = new Map<string, boolean>();
  readonly opened = new Set<string>();
  readonly queue: EditQueue<RawVesselState>;
  save: SaveState;
  /** The reader's form as filled in so far. */
  form: Form;
  /** In a view of several signed or computed reads: which one; null shows the server's first. */
  source: string | null = null;
  private preview: Contours | null = null;
  private readonly loads = new Map<string, Promise<Loaded>>();
  private readonly loaded = new Map<string, Loaded>();
  private wanted = "";

  constructor(
    readonly root: string,
    public info: CaseInfo,
    private readonly events: Events,
  ) {
    this.save = { kind: "saved", at: info.saved_at ? new Date(info.saved_at) : null };
    this.form = { image_quality: info.form.image_quality ?? null, remarks: info.form.remarks ?? "" };
    for (const vessel of info.vessels) this.reviewed.set(vessel.name, vessel.reviewed);
    this.queue = new EditQueue<RawVesselState>(
      {
        post: (edit, version) => {
          if (!info.commands_url) throw new Error("This read cannot be changed.");
          return postJson(info.commands_url, { vessel: edit.vessel, version, command: edit.command });
        },
        stored: (edit, answer) => this.stored(edit.vessel, edit.command, answer.state),
        refused: (edit, error) => {
          this.events.message(error.message);
          void this.reload(edit.vessel);
        },
        changed: (state) => {
          this.save = state;
          this.events.saving(state);
        },
      },
      info.version,
    );
    this.view.subscribe(() => events.redraw());
  }

  get mayEdit(): boolean {
    return this.info.permissions.edit && this.info.mode === "read";
  }

  summary(name: string): VesselSummary | undefined {
    return this.info.vessels.find((vessel) => vessel.name === name);
  }

  current(): VesselData | null {
    return this.loaded.get(this.view.get().vessel)?.data ?? null;
  }

  /** Reads to show: one, or A and B, or the one whose key is held. */
  layers(): Layer[] {
    const { vessel, alone } = this.view.get();
    const loaded = this.loaded.get(vessel);
    if (!loaded) return [];
    return loaded.states
      .filter(({ side }) => alone === null || side === alone)
      .map(({ side, state }) => this.layer(side, state));
  }

  /** Both reads whatever is held: for the table and the difference curve. */
  allLayers(): Layer[] {
    const loaded = this.loaded.get(this.view.get().vessel);
    return loaded ? loaded.states.map(({ side, state }) => this.layer(side, state)) : [];
  }

  private layer(side: Side | null, state: VesselState): Layer {
    if (this.preview && side === null) return { side, state, contours: this.preview, ahead: true };
    const moves = this.queue
      .pending(state.vessel)
      .flatMap(({ command }) => (command.type === "move_contour" ? [command as Move] : []));
    if (side !== null || moves.length === 0) return { side, state, contours: state.contours, ahead: false };
    return { side, state, contours: moves.reduce(moveContour, state.contours), ahead: true };
  }

  difference(): Float32Array | null {
    const [a, b] = this.allLayers();
    return a && b ? differenceCurve(a.contours, b.contours) : null;
  }

  /** The areas along the vessel: the server's, or the local ones while contours are ahead of it. */
  areas(layer: Layer): { lumen: ArrayLike<number>; wall: ArrayLike<number>; plaque: readonly number[] } {
    const { curves } = layer.state;
    if (!layer.ahead) return { lumen: curves.lumen_area, wall: curves.wall_area, plaque: curves.plaque_area };
    const { sections, lumen, wall, masks } = layer.contours;
    const local = (radii: Float32Array, stored: readonly number[]) =>
      Float32Array.from({ length: sections }, (_, s) => (masks?.has(s) ? stored[s] : area(radii, s)));
    return { lumen: local(lumen, curves.lumen_area), wall: local(wall, curves.wall_area), plaque: curves.plaque_area };
  }

  lesions(): readonly Lesion[] {
    return this.layers()[0]?.state.lesions ?? [];
  }

  /** Fetch a vessel once: image, frames and state side by side. */
  load(name: string): Promise<Loaded> {
    const known = this.loads.get(name);
    if (known) return known;
    const promise = this.fetchVessel(name);
    this.loads.set(name, promise);
    promise.then(
      (loaded) => this.loaded.set(name, loaded),
      () => this.loads.delete(name),
    );
    return promise;
  }

  private async fetchVessel(name: string): Promise<Loaded> {
    const summary = this.summary(name);
    if (!summary) throw new Error(`There is no vessel ${name} in this case.`);
    const [hu, frames, states] = await Promise.all([
      getBytes(summary.hu), getJson<Frames>(summary.frames), this.fetchStates(summary),
    ]);
    const stack = { hu: bytesToStack(hu, summary.sections), sections: summary.sections };
    return { data: { summary, stack, frames }, states };
  }

  private async fetchStates(summary: VesselSummary): Promise<Loaded["states"]> {
    const sides: (Side | null)[] = this.info.mode === "adjudicate" ? ["A", "B"] : [null];
    return Promise.all(
      sides.map(async (side) => {
        const asked = side ?? this.source;
        const url = asked ? `${summary.state}?side=${encodeURIComponent(asked)}` : summary.state;
        return { side, state: decodeState(await getJson<RawVesselState>(url), summary.sections) };
      }),
    );
  }

  /** Show a vessel; `section` or `lesion` say where, else its first lesion, else its start. */
  async open(name: string, at: { section?: number; lesion?: number } = {}): Promise<void> {
    const start = performance.now();
    performance.mark("vessel-click");
    this.wanted = name;
    const loaded = await this.load(name);
    if (this.wanted !== name) return;
    const { sections } = loaded.data.summary;
    const lesions = loaded.states[0].state.lesions;
    const lesion = at.lesion !== undefined ? lesions.find((each) => each.number === at.lesion) : undefined;
    const middle = lesion ? (lesion.start_mm + lesion.end_mm) / 2 / SPACING_ALONG : (at.section ?? 0);
    this.opened.add(name);
    this.preview = null;
    this.view.set({
      vessel: name,
      section: Math.min(Math.max(Math.round(middle), 0), sections - 1),
      lesion: lesion?.number ?? null,
      pendingStart: null,
    });
    this.events.refresh();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    performance.mark("vessel-readable", { detail: { vessel: name } });
    this.timings.push({ vessel: name, ms: performance.now() - start, page_ms: performance.now(), first: this.timings.length === 0 });
  }

  moveTo(section: number): void {
    const data = this.current();
    if (data) this.view.set({ section: Math.min(Math.max(Math.round(section), 0), data.stack.sections - 1) });
  }

  /** The cursor's place along the vessel, mm from the path's first point. */
  get cursorMm(): number {
    return this.view.get().section * SPACING_ALONG;
  }

  /** Contours under the pointer while a drag lasts; null ends it. */
  showPreview(contours: Contours | null): void {
    this.preview = contours;
    this.events.redraw();
  }

  edit(command: EditCommand): void {
    if (!this.mayEdit) return;
    if (this.save.kind === "conflict") {
      this.events.saving(this.save);
      return;
    }
    this.queue.add({ vessel: this.view.get().vessel, command });
    this.events.redraw();
  }

  private stored(vessel: string, command: EditCommand, raw: RawVesselState): void {
    const loaded = this.loaded.get(vessel);
    if (loaded) loaded.states = [{ side: null, state: decodeState(raw, loaded.data.summary.sections) }];
    if (command.type === "mark_reviewed") this.reviewed.set(vessel, command.reviewed);
    if (command.type === "add_lesion" && loaded) {
      const added = loaded.states[0].state.lesions.find((each) => Math.abs(each.start_mm - command.start_mm) < 0.2);
      if (added && vessel === this.view.get().vessel) this.view.set({ lesion: added.number });
    }
    this.events.refresh();
    this.events.redraw();
  }

  /** Fetch what the server says about a vessel again, after it refused an edit. */
  async reload(vessel: string): Promise<void> {
    const loaded = this.loaded.get(vessel);
    const summary = this.summary(vessel);
    if (!loaded || !summary) return;
    loaded.states = await this.fetchStates(summary);
    this.events.refresh();
    this.events.redraw();
  }

  /** Show another source of a view; every vessel's state is fetched anew. */
  async choose(source: string): Promise<void> {
    this.source = source;
    await Promise.all([...this.loaded.keys()].map((name) => this.reload(name)));
  }

  /** Fetch the case's own rows again (patient, form, version), once edits are stored. */
  async refreshCase(): Promise<void> {
    this.info = await getJson<CaseInfo>(this.root);
    // Edited in another tab meanwhile: this page goes on from what is stored, so it must show it.
    if (this.info.version !== this.queue.currentVersion && this.queue.length === 0) {
      await Promise.all([...this.loaded.keys()].map((name) => this.reload(name)));
    }
    this.queue.sawVersion(this.info.version);
    this.events.refresh();
  }
}
