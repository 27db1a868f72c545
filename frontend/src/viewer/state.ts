/** The state of the view, one store, and the part of it that lives in the address. */
import { PRESETS, type Window } from "./geometry/window";
import { type Which } from "./geometry/polar";
import { type Side } from "./model";

export const PLANES = ["axial", "coronal", "sagittal"] as const;
export type PlaneName = (typeof PLANES)[number];
export type PaneName = "longitudinal" | "cross" | "mpr";

export interface View {
  readonly vessel: string;
  readonly section: number;
  /** Degrees, 0 to 359: where the longitudinal view cuts. */
  readonly angle: number;
  readonly window: Window;
  readonly overlay: boolean;
  readonly contours: boolean;
  readonly active: Which;
  readonly plane: PlaneName;
  readonly maximised: PaneName | null;
  readonly lesion: number | null;
  /** A new lesion that has a start but no end yet, mm. */
  readonly pendingStart: number | null;
  /** In adjudication: the side shown alone while its key is held. */
  readonly alone: Side | null;
}

export const FIRST_VIEW: View = {
  vessel: "",
  section: 0,
  angle: 0,
  window: { width: PRESETS[0].width, level: PRESETS[0].level },
  overlay: true,
  contours: true,
  active: "lumen",
  plane: "axial",
  maximised: null,
  lesion: null,
  pendingStart: null,
  alone: null,
};

export class Store<T extends object> {
  private readonly listeners = new Set<(next: T, previous: T) => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(change: Partial<T>): void {
    const previous = this.value;
    const keys = Object.keys(change) as (keyof T)[];
    if (keys.every((key) => Object.is(previous[key], change[key]))) return;
    this.value = { ...previous, ...change };
    for (const listener of this.listeners) listener(this.value, previous);
  }

  subscribe(listener: (next: T, previous: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** What an address asks for; what it does not say, or says wrongly, is left out. */
export interface Wanted {
  vessel?: string;
  section?: number;
  lesion?: number;
  angle?: number;
  window?: Window;
}

export function readAddress(search: string): Wanted {
  const query = new URLSearchParams(search);
  const wanted: Wanted = {};
  const whole = (name: string): number | undefined => {
    const text = query.get(name);
    return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
  };
  const vessel = query.get("vessel");
  if (vessel) wanted.vessel = vessel;
  const section = whole("section");
  if (section !== undefined) wanted.section = section;
  const lesion = whole("lesion");
  if (lesion !== undefined) wanted.lesion = lesion;
  const angle = whole("angle");
  if (angle !== undefined) wanted.angle = angle % 360;
  const window = /^(\d{1,5})\/(-?\d{1,5})$/.exec(query.get("window") ?? "");
  if (window && Number(window[1]) > 0) wanted.window = { width: Number(window[1]), level: Number(window[2]) };
  return wanted;
}

export function writeAddress(view: Pick<View, "vessel" | "section" | "angle" | "window">): string {
  const round = Math.round;
  return (
    `?vessel=${encodeURIComponent(view.vessel)}&section=${view.section}&angle=${round(view.angle)}` +
    `&window=${round(view.window.width)}/${round(view.window.level)}`
  );
}
