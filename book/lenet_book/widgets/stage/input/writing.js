// @ts-check
/** Pen strokes and pixels as text that can stand in an address, and back. */

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
    const places = points.map((point) => point.map((share) => Math.round(share * GRID)));
    const steps = places.slice(1).flatMap(([x, y], i) => {
      const [right, down] = [x - places[i][0], y - places[i][1]];
      if (!right && !down) return [];
      return Math.max(Math.abs(right), Math.abs(down)) < 8 ? [(right + 8) * 16 + down + 8] : [FAR, x, y];
    });
    return [Math.round(pen * PEN_UNITS), ...places[0], ...steps, END];
  });
}

/** Read what `bytesOf` wrote; null for other bytes. @param {ArrayLike<number>} bytes @returns {Stroke[] | null} */
export function strokesOf(bytes) {
  /** @type {Stroke[]} */
  const strokes = [];
  for (let at = 0; at < bytes.length; ) {
    strokes.push({ points: [], pen: bytes[at++] / PEN_UNITS });
    const { points, pen } = strokes[strokes.length - 1];
    for (let [x, y, code] = [0, 0, FAR]; code !== END; code = bytes[at++]) {
      [x, y] = code === FAR ? [bytes[at++], bytes[at++]] : [x + (code >> 4) - 8, y + (code & 15) - 8];
      if (code === undefined || !(pen && x >= 0 && x <= GRID && y >= 0 && y <= GRID)) return null;
      points.push([x / GRID, y / GRID]);
    }
  }
  return strokes;
}
