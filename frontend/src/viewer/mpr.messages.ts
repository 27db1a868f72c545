/** What the page and the CT worker say to each other. */
import { type Plane } from "./geometry/sampler";

export type ToWorker =
  | {
      readonly type: "open";
      readonly shape: readonly [number, number, number];
      readonly affine: readonly number[];
      readonly slabs: readonly { readonly url: string; readonly first: number; readonly count: number }[];
      /** the slice to start from: nearest slabs come first */
      readonly nearest: number;
    }
  | { readonly type: "nearest"; readonly slice: number }
  | { readonly type: "plane"; readonly id: number; readonly plane: Plane };

export type FromWorker =
  | { readonly type: "progress"; readonly done: number; readonly total: number }
  | { readonly type: "failed"; readonly detail: string }
  | { readonly type: "plane"; readonly id: number; readonly plane: Plane; readonly hu: Int16Array<ArrayBuffer> };
