// @ts-check
/** Pen strokes and pixels as text that can stand in an address, and back. */

/** @typedef {import("./drawing.js").Stroke} Stroke */

const END = 0x88; // of a stroke: a step of 0, 0
const FAR = 0; // in place of a step: a point follows
const PEN_UNITS = 1000;

export const GRID = 254; // points lie on a grid of so many steps, with the middle of the pad on it

/** @param {ArrayLike<number>} bytes */
export function toText(bytes) {
  const signs = Array.from(bytes, (byte) => String.fromCharCode(byte));
  return btoa(signs.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Read what `toText` wrote; null for another text. @param {string} text */
export function fromText(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  return Uint8ClampedArray.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
}

/** Strokes as bytes: of each the pen, its first point, and steps of one byte where they are short. @param {Stroke[]} strokes @returns {number[]} */
export function bytesOf(strokes) {
  return strokes.flatMap(({ points, pen }) => {
    const [first, ...others] = points.map((point) => point.map((share) => Math.round(share * GRID)));
    let [x, y] = first;
    const steps = others.flatMap(([toX, toY]) => {
      const [right, down] = [toX - x, toY - y];
      [x, y] = [toX, toY];
      if (!right && !down) return [];
      return Math.max(Math.abs(right), Math.abs(down)) < 8 ? [(right + 8) * 16 + down + 8] : [FAR, x, y];
    });
    return [Math.round(pen * PEN_UNITS), ...first, ...steps, END];
  });
}

/** Read what `bytesOf` wrote; null for other bytes. @param {ArrayLike<number>} bytes @returns {Stroke[] | null} */
export function strokesOf(bytes) {
  /** @type {Stroke[]} */
  const strokes = [];
  let at = 0;
  while (at < bytes.length) {
    const pen = bytes[at++] / PEN_UNITS;
    let [x, y, code] = [bytes[at++], bytes[at++], FAR];
    /** @type {Stroke} */
    const stroke = { points: [], pen };
    while (code !== END) {
      if (!(pen > 0 && x >= 0 && x <= GRID && y >= 0 && y <= GRID)) return null;
      stroke.points.push([x / GRID, y / GRID]);
      code = bytes[at++];
      if (code === undefined) return null;
      if (code === FAR) [x, y] = [bytes[at++], bytes[at++]];
      else [x, y] = [x + (code >> 4) - 8, y + (code & 15) - 8];
    }
    strokes.push(stroke);
  }
  return strokes;
}
