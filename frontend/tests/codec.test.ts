import { describe, expect, it } from "vitest";
import { base64ToFloats, base64ToMask, bytesToStack, decodeSlab } from "../src/viewer/codec";

/** The server's side of the codec, written out slowly. */
function encode(values: Int16Array, columns: number): Uint8Array {
  const n = values.length;
  const out = new Uint8Array(2 * n);
  values.forEach((value, at) => {
    const before = at % columns === 0 ? 0 : values[at - 1];
    const delta = new Int16Array([value - before])[0];
    const z = ((delta << 1) ^ (delta >> 15)) & 0xffff;
    out[at] = z & 255;
    out[n + at] = z >> 8;
  });
  return out;
}

describe("CT slabs", () => {
  it("come back bit by bit, extremes and negative steps too", () => {
    const values = Int16Array.from([-1024, -1000, 3071, 0, 32767, -32768, 5, 5, 5, -2, 1, 0]);
    expect(decodeSlab(encode(values, 4), 4)).toEqual(values);
    expect(decodeSlab(encode(values, 6), 6)).toEqual(values);
  });

  it("start each row absolutely", () => {
    // One row [7, 9], one row [100, 99]: zigzag 14, 4, 200, 1.
    expect(decodeSlab(Uint8Array.from([14, 4, 200, 1, 0, 0, 0, 0]), 2)).toEqual(Int16Array.from([7, 9, 100, 99]));
  });

  it("are refused when their size is wrong", () => {
    expect(() => decodeSlab(new Uint8Array(7), 2)).toThrow(/7 bytes/);
    expect(() => decodeSlab(new Uint8Array(12), 4)).toThrow(/rows of 4/);
  });
});

describe("states", () => {
  it("carry little-endian float32", () => {
    const text = btoa(String.fromCharCode(...new Uint8Array(Float32Array.from([1.5, -2.25]).buffer)));
    expect([...base64ToFloats(text, 2)]).toEqual([1.5, -2.25]);
    expect(() => base64ToFloats(text, 3)).toThrow(/3 float32/);
  });

  it("are refused when a mask or a stack has a wrong size", () => {
    expect([...base64ToMask(btoa("\x00\x03"), 2)]).toEqual([0, 3]);
    expect(() => base64ToMask(btoa("\x00\x03"), 4)).toThrow(/2 bytes/);
    expect(() => bytesToStack(new ArrayBuffer(4096), 1)).toThrow(/64 x 64/);
    expect(bytesToStack(new ArrayBuffer(8192), 1).length).toBe(4096);
  });
});
