/** Window and level: HU to grey, after interpolation. */

export interface Window {
  readonly width: number;
  readonly level: number;
}

export interface Preset extends Window {
  readonly name: string;
}

/** Keys 1 to 5. */
export const PRESETS: readonly Preset[] = [
  { name: "Coronary", width: 800, level: 200 },
  { name: "Plaque", width: 600, level: 120 },
  { name: "Calcium", width: 1500, level: 450 },
  { name: "Lumen", width: 500, level: 350 },
  { name: "Fat", width: 400, level: -20 },
];

const LOWEST = -2048;
const ENTRIES = 8192;

/** Grey (0 to 255) of one HU value. */
export function grey(hu: number, window: Window): number {
  const value = ((hu - (window.level - window.width / 2)) / Math.max(window.width, 1)) * 255;
  return Math.min(255, Math.max(0, Math.round(value)));
}

/** A table from HU to opaque RGBA (little-endian 32-bit), so that painting a pixel is one look-up. */
export function windowTable(window: Window): Uint32Array {
  const table = new Uint32Array(ENTRIES);
  for (let n = 0; n < ENTRIES; n++) {
    table[n] = (0xff000000 | (grey(n + LOWEST, window) * 0x010101)) >>> 0;
  }
  return table;
}

/** Look a HU value up in a table made by windowTable. */
export function paint(table: Uint32Array, hu: number): number {
  const n = Math.round(hu) - LOWEST;
  return table[n < 0 ? 0 : n >= ENTRIES ? ENTRIES - 1 : n];
}
