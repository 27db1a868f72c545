/**
 * One rule of rounding for people, the same as in Python (inference/rounding.py, analytics/rounding.py):
 * tests/golden/rounding.json ties them.
 */
const MINUS = "\u2212";
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/** Half away from zero on the shortest decimal that names the number (toFixed rounds the binary one: 1.005 is 1.00). */
export function halfUp(value: number, digits: number): string {
  const found = NUMBER.exec(String(value));
  if (!found) throw new RangeError(`${value} cannot be printed: say that there is no number`);
  const [, sign, whole, part = "", power = "0"] = found;
  const shift = Number(power) - part.length + digits;
  let units = BigInt(whole + part);
  if (shift >= 0) units *= 10n ** BigInt(shift);
  else {
    const one = 10n ** BigInt(-shift);
    units = (2n * units + one) / (2n * one);
  }
  const text = units.toString().padStart(digits + 1, "0");
  const at = text.length - digits;
  return (units === 0n ? "" : sign) + text.slice(0, at) + (digits > 0 ? `.${text.slice(at)}` : "");
}

/**
 * A number as people see it, with a true minus sign. A value below a border that rounding would lift to it is rounded
 * down instead: a stenosis of 49.96 % is CAD-RADS 2 and prints as 49.9 %.
 */
export function printed(value: number, digits: number, borders: readonly number[] = []): string {
  let text = halfUp(value, digits);
  if (borders.some((border) => value < border && border <= Number(text))) {
    text = halfUp(Number(text) - 10 ** -digits, digits);
  }
  return text.replace("-", MINUS);
}
