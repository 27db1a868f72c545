/** Decoding of what the server sends in binary. */

/**
 * One CT slab: Int16 [slices, rows, columns], stored as differences along the columns (the first column absolute),
 * zigzag to unsigned, all low bytes, then all high bytes.
 */
export function decodeSlab(bytes: Uint8Array, columns: number): Int16Array {
  const n = bytes.length >> 1;
  if (bytes.length !== n * 2 || n % columns !== 0) {
    throw new Error(`A slab of ${bytes.length} bytes does not hold rows of ${columns} values.`);
  }
  const out = new Int16Array(n);
  for (let row = 0; row < n; row += columns) {
    let value = 0;
    for (let at = row; at < row + columns; at++) {
      const z = bytes[at] | (bytes[n + at] << 8);
      value += (z >>> 1) ^ -(z & 1);
      out[at] = value;
    }
  }
  return out;
}

export function base64ToBytes(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const out = new Uint8Array(binary.length);
  for (let n = 0; n < binary.length; n++) out[n] = binary.charCodeAt(n);
  return out;
}

/** Base64 of little-endian float32. `count` is checked, so that a wrong shape never becomes a picture. */
export function base64ToFloats(text: string, count: number): Float32Array {
  const bytes = base64ToBytes(text);
  if (bytes.length !== count * 4) throw new Error(`${bytes.length} bytes came where ${count} float32 were expected.`);
  return new Float32Array(bytes.buffer);
}

export function base64ToMask(text: string, count: number): Uint8Array {
  const bytes = base64ToBytes(text);
  if (bytes.length !== count) throw new Error(`${bytes.length} bytes came where ${count} were expected.`);
  return bytes;
}

/** Little-endian int16 bytes of a straightened vessel. */
export function bytesToStack(buffer: ArrayBuffer, sections: number): Int16Array {
  const hu = new Int16Array(buffer);
  if (hu.length !== sections * 4096) {
    throw new Error(`${hu.length} values came where ${sections} sections of 64 x 64 were expected.`);
  }
  return hu;
}
