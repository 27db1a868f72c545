/** What the server says about a case and its vessels, and how it is decoded. */
import { base64ToFloats, base64ToMask } from "./codec";
import { type Mode } from "./commands";
import { ANGLES, type Contours, type Move } from "./geometry/polar";
import { type Frames } from "./geometry/frames";
import { type Stack } from "./geometry/sampler";

/** How one metric is called and printed, as the server's vocabulary says. */
export interface Column {
  readonly metric: string;
  readonly short: string;
  readonly label: string;
  readonly unit: string;
  readonly digits: number;
  /** values over which printing never rounds */
  readonly borders: readonly number[];
  /** whether a range of the contours' sensitivity stands beside the value */
  readonly ranged: boolean;
}

export interface Metric {
  readonly value: number | string | null;
  readonly unit: string;
  readonly low: number | null;
  readonly high: number | null;
  /** 90 % against the truth; only of a network's own drawing */
  readonly interval_low?: number | null;
  readonly interval_high?: number | null;
}

export interface MeasurementRow extends Metric {
  readonly level: string;
  readonly vessel: string;
  readonly segment: string;
  readonly lesion: number | null;
  readonly metric: string;
  readonly profile: string;
}

export interface Form {
  image_quality: number | null;
  remarks: string;
}

export interface VesselSummary {
  readonly name: string;
  readonly sections: number;
  readonly arc_length_mm: number;
  readonly segments: readonly (readonly [string, number, number])[];
  readonly lesions: number;
  readonly reviewed: boolean;
  readonly hu: string;
  readonly frames: string;
  readonly state: string;
}

export interface CaseInfo {
  readonly study: { readonly slug: string; readonly title: string; readonly is_simulated: boolean };
  readonly label: string;
  readonly mode: Mode;
  readonly state: string;
  readonly version: number;
  readonly revision: number;
  readonly saved_at: string | null;
  readonly permissions: { readonly edit: boolean; readonly sign: boolean; readonly adjudicate: boolean };
  readonly profile: string;
  readonly form: Partial<Form>;
  readonly vessels: readonly VesselSummary[];
  readonly ct: {
    readonly shape: readonly [number, number, number];
    readonly affine: readonly number[];
    readonly slabs: readonly { readonly url: string; readonly first: number; readonly count: number }[];
  } | null;
  readonly patient: readonly MeasurementRow[];
  readonly columns: { readonly lesion: readonly Column[]; readonly patient: readonly Column[] };
  /** In a view: what can be shown (the final read, the network's, a reader's), first the default. */
  readonly sources?: readonly string[];
  /** What older measuring code than today's made, in words: by source, or under "" where there is only one. */
  readonly measured_earlier: Readonly<Record<string, string>>;
  /** Where the exam may be run again, for those who may. */
  readonly again_url: string | null;
  readonly commands_url: string | null;
  readonly revisions_url: string | null;
  readonly sign_url: string | null;
  readonly adjudication_url: string | null;
  readonly list_url: string | null;
  readonly next_url: string | null;
  readonly demonstration_password: string | null;
}

export interface Lesion {
  readonly number: number;
  readonly start_mm: number;
  readonly end_mm: number;
  readonly proximal_reference_mm: number | null;
  readonly distal_reference_mm: number | null;
  readonly flags: readonly string[];
  readonly segment: string;
  /** what makes the network's drawing here doubtful, in words */
  readonly doubts?: readonly { readonly code: string; readonly message: string }[];
  readonly metrics: Readonly<Record<string, Metric>>;
}

interface Curves {
  readonly lumen_area: readonly number[];
  readonly wall_area: readonly number[];
  readonly plaque_area: readonly number[];
}

export interface RawVesselState {
  readonly vessel: string;
  readonly version: number;
  readonly lumen: string;
  readonly wall: string;
  readonly plaque: string;
  readonly masks: Readonly<Record<string, string>>;
  readonly composition: string;
  readonly curves: Curves;
  readonly lesions: readonly Lesion[];
  readonly measurements: readonly MeasurementRow[];
  readonly excluded?: readonly (readonly [number, number, string])[];
  readonly can_undo: boolean;
  readonly can_redo: boolean;
  readonly status: string;
}

export interface VesselState {
  readonly vessel: string;
  readonly version: number;
  readonly contours: Contours;
  /** (sections x 64), 1 where the wall at that angle is plaque */
  readonly plaque: Uint8Array;
  /** (sections x 64 x 64): 0 none, 1 low-attenuation, 2 non-calcified, 3 calcified */
  readonly composition: Uint8Array;
  readonly curves: Curves;
  readonly lesions: readonly Lesion[];
  readonly measurements: readonly MeasurementRow[];
  /** stretches in mm that cannot be evaluated, with the reason */
  readonly excluded: readonly (readonly [number, number, string])[];
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly status: string;
}

export type Side = "A" | "B";

/** A vessel as loaded: the image, where it lies, and what one read (or reads A and B) says about it. */
export interface VesselData {
  readonly summary: VesselSummary;
  readonly stack: Stack;
  readonly frames: Frames;
}

export type EditCommand =
  | ({ readonly type: "move_contour" } & Move)
  | {
      readonly type: "set_lesion";
      readonly number: number;
      readonly start_mm: number;
      readonly end_mm: number;
      readonly proximal_reference_mm?: number | null;
      readonly distal_reference_mm?: number | null;
    }
  | { readonly type: "add_lesion"; readonly start_mm: number; readonly end_mm: number }
  | { readonly type: "remove_lesion"; readonly number: number }
  | { readonly type: "mark_reviewed"; readonly reviewed: boolean }
  | { readonly type: "undo" }
  | { readonly type: "redo" };

export function decodeState(raw: RawVesselState, sections: number): VesselState {
  const count = sections * ANGLES;
  return {
    vessel: raw.vessel,
    version: raw.version,
    contours: {
      sections,
      lumen: base64ToFloats(raw.lumen, count),
      wall: base64ToFloats(raw.wall, count),
      masks: new Map(Object.entries(raw.masks).map(([s, text]) => [Number(s), base64ToMask(text, 4096)])),
    },
    plaque: base64ToMask(raw.plaque, count),
    composition: base64ToMask(raw.composition, sections * 4096),
    curves: raw.curves,
    lesions: raw.lesions,
    measurements: raw.measurements,
    excluded: raw.excluded ?? [],
    canUndo: raw.can_undo,
    canRedo: raw.can_redo,
    status: raw.status,
  };
}
