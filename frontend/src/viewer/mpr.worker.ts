/** Streams the CT, nearest slabs first, and cuts planes through what has come so far. */
import { decodeSlab } from "./codec";
import { type CtVolume, invert, OUTSIDE, samplePlane } from "./geometry/sampler";
import { type FromWorker, type ToWorker } from "./mpr.messages";

const AT_ONCE = 2;
const WAITS_MS = [1000, 2000, 4000, 8000];

let volume: CtVolume | null = null;
let inverse: number[] = [];
let nearest = 0;

const say = (message: FromWorker, transfer: Transferable[] = []) => {
  (self as unknown as DedicatedWorkerGlobalScope).postMessage(message, transfer);
};

type Slab = { readonly url: string; readonly first: number; readonly count: number };

async function stream(slabs: readonly Slab[], shape: readonly [number, number, number], hu: Int16Array): Promise<void> {
  const waiting = [...slabs];
  let done = 0;
  const next = (): Slab | undefined => {
    const distance = (slab: Slab) => Math.abs(slab.first + slab.count / 2 - nearest);
    waiting.sort((a, b) => distance(b) - distance(a));
    return waiting.pop();
  };
  const one = async () => {
    for (let slab = next(); slab; slab = next()) {
      const values = decodeSlab(await fetched(slab.url), shape[2]);
      if (values.length !== slab.count * shape[1] * shape[2]) throw new Error(`The slab at slice ${slab.first} has a wrong size.`);
      hu.set(values, slab.first * shape[1] * shape[2]);
      say({ type: "progress", done: ++done, total: slabs.length });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function fetched(url: string): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(url, { credentials: "same-origin" });
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
      if (response.status < 500) throw new Refusal(`The CT could not be fetched: the server answered ${response.status}.`);
    } catch (error) {
      if (error instanceof Refusal) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, WAITS_MS[Math.min(attempt, WAITS_MS.length - 1)]));
  }
}

class Refusal extends Error {}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.type === "open") {
    const [slices, rows, columns] = message.shape;
    const hu = new Int16Array(slices * rows * columns).fill(OUTSIDE);
    volume = { hu, shape: message.shape, affine: message.affine };
    inverse = invert(message.affine);
    nearest = message.nearest;
    stream(message.slabs, message.shape, hu).catch((error: unknown) =>
      say({ type: "failed", detail: error instanceof Error ? error.message : String(error) }),
    );
  } else if (message.type === "nearest") {
    nearest = message.slice;
  } else if (volume) {
    const hu = samplePlane(volume, inverse, message.plane) as Int16Array<ArrayBuffer>;
    say({ type: "plane", id: message.id, plane: message.plane, hu }, [hu.buffer]);
  }
};
