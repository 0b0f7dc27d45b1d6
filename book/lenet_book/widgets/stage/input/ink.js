// @ts-check
/**
 * Finds what is drawn on a picture, and places it as the makers of MNIST and Fashion-MNIST did:
 * `lenet/data/placing.py` in the page, with the same numbers.
 */
import { BOX, TRIANGLE, filtered, resized, rounded } from "./resampling.js";

/** @typedef {{ values: Float64Array, width: number, height: number }} Ink  from 0 for the ground to 1 */

const FRAME_SHARE = 0.03; // of the longer side: how wide a border tells about the ground
const FAINTEST = 0.1; // contrast of a drawing, of the way from black to white
const SMOOTHING = 1 / 200; // of the longer side: removes a camera's noise, not lines
const SPECK = 0.02; // share of the ink below which a patch that stands alone is dirt
const STRONG = 0.35; // share of the strongest ink from which a pixel counts as drawn

/**
 * Find what stands out from the ground: a plane through the brightness of the border.
 *
 * @param {Float64Array} grey  0 for black to 1 for white @param {number} width @param {number} height
 * @returns {Ink & { isDark: boolean }}  whether the ink is darker than the ground
 */
export function findInk(grey, width, height) {
  const sigma = Math.max(width, height) * SMOOTHING;
  const smooth = filtered(filtered(grey, width, blur(width, sigma)), height, blur(height, sigma));
  const ground = groundOf(smooth, width, height);
  const contrast = smooth.map((value, at) => value - ground(at));
  const [lowest, highest] = contrast.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const isDark = -lowest > highest;
  const strongest = isDark ? -lowest : highest;
  if (strongest < FAINTEST) throw new Error("nothing on it stands out from the ground");
  const ink = contrast.map((value) => Math.max(isDark ? -value : value, 0) / strongest);
  const drawn = withoutSpecks(ink, width);
  const near = (/** @type {number} */ at) =>
    drawn[at] || drawn[at - width] || drawn[at + width] || (at % width > 0 && drawn[at - 1]) || ((at + 1) % width > 0 && drawn[at + 1]);
  return { values: ink.map((value, at) => (near(at) ? value : 0)), width, height, isDark };
}

/** What a Gaussian takes of a line, mirrored at its ends. @param {number} size @param {number} sigma */
function blur(size, sigma) {
  const radius = Math.floor(4 * sigma + 0.5);
  const bell = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const total = bell.reduce((sum, one) => sum + one, 0);
  return Array.from({ length: size }, (_, centre) => {
    const [first, end] = radius < size ? [Math.max(centre - radius, 0), Math.min(centre + radius + 1, size)] : [0, size];
    const weights = new Array(end - first).fill(0);
    bell.forEach((weight, i) => {
      const place = (((centre + i - radius) % (2 * size)) + 2 * size) % (2 * size);
      weights[(place < size ? place : 2 * size - 1 - place) - first] += weight / total;
    });
    return { first, weights };
  });
}

/** Fit a plane to the border, leaving out what lies far from it. @param {Float64Array} grey @param {number} width @param {number} height @returns {(at: number) => number} */
function groundOf(grey, width, height) {
  const frame = Math.max(1, rounded(Math.max(width, height) * FRAME_SHARE));
  const isBorder = (/** @type {number} */ place, /** @type {number} */ size) => place < frame || place >= size - frame;
  const termsOf = (/** @type {number} */ at) => [1, Math.floor(at / width) / height, (at % width) / width];
  const border = Array.from(grey.keys()).filter((at) => isBorder(Math.floor(at / width), height) || isBorder(at % width, width));
  const middle = median(border.map((at) => grey[at]));
  let kept = border.filter((at) => Math.abs(grey[at] - middle) < 0.25);
  let plane = [0, 0, 0];
  const ground = (/** @type {number} */ at) => termsOf(at).reduce((sum, term, i) => sum + term * plane[i], 0);
  for (let turn = 0; turn < 2; turn++) {
    plane = leastSquares(kept.map(termsOf), kept.map((at) => grey[at]));
    const away = border.map((at) => Math.abs(grey[at] - ground(at)));
    const limit = Math.max(2 * median(away), 0.02);
    kept = border.filter((_, i) => away[i] <= limit);
  }
  return ground;
}

/** @param {number[]} values */
function median(values) {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Solve three normal equations; a trace of damping chooses the smallest of several solutions. @param {number[][]} terms @param {number[]} values */
function leastSquares(terms, values) {
  const sum = (/** @type {(index: number) => number} */ part) => terms.reduce((total, _, index) => total + part(index), 0);
  const rows = [0, 1, 2].map((i) => [
    ...[0, 1, 2].map((j) => sum((index) => terms[index][i] * terms[index][j]) + (i === j ? 1e-10 * (terms.length || 1) : 0)),
    sum((index) => terms[index][i] * values[index]),
  ]);
  for (let i = 0; i < 3; i++) {
    const pivot = rows[i].map((value) => value / rows[i][i]);
    for (let j = 0; j < 3; j++) rows[j] = i === j ? pivot : rows[j].map((value, k) => value - rows[j][i] * pivot[k]);
  }
  return rows.map((row) => row[3]);
}

/** What is drawn, without patches that hold less than a small share of it. @param {Float64Array} ink @param {number} width */
function withoutSpecks(ink, width) {
  const patchOf = new Int32Array(ink.length).fill(-1);
  /** @type {number[]} */
  const sizes = [];
  for (let start = 0; start < ink.length; start++) {
    if (ink[start] <= STRONG || patchOf[start] >= 0) continue;
    const patch = [start];
    patchOf[start] = sizes.length;
    for (const at of patch) {
      for (const next of neighbours(at, width, ink.length)) {
        if (ink[next] <= STRONG || patchOf[next] >= 0) continue;
        patchOf[next] = sizes.length;
        patch.push(next);
      }
    }
    sizes.push(patch.length);
  }
  const all = sizes.reduce((total, size) => total + size, 0);
  return patchOf.map((patch) => Number(patch >= 0 && sizes[patch] > SPECK * all));
}

/** @param {number} at @param {number} width @param {number} length */
function neighbours(at, width, length) {
  const across = [at, ...(at % width ? [at - 1] : []), ...((at + 1) % width ? [at + 1] : [])];
  return across.flatMap((place) => [place - width, place, place + width]).filter((place) => place >= 0 && place < length);
}

/** Cut ink out. @param {Ink} ink @returns {Ink} */
export function cutOut({ values, width, height }) {
  const rows = [...Array(height).keys()].filter((row) => values.subarray(row * width, (row + 1) * width).some(Boolean));
  const columns = [...Array(width).keys()].filter((column) => rows.some((row) => values[row * width + column]));
  const [top, left] = [rows[0], columns[0]];
  const [tall, wide] = [rows[rows.length - 1] + 1 - top, columns[columns.length - 1] + 1 - left];
  const cut = Float64Array.from({ length: tall * wide }, (_, at) => values[(top + Math.floor(at / wide)) * width + left + (at % wide)]);
  return { values: cut, width: wide, height: tall };
}

/** Scale ink so that the longer side has `box` pixels, and the most is 1. @param {Ink} ink @param {number} box @returns {Ink} */
export function scaledInto({ values, width, height }, box) {
  const scale = box / Math.max(width, height);
  const [wide, tall] = [width, height].map((length) => Math.max(1, rounded(length * scale)));
  const scaled = resized(values, width, [wide, tall], scale < 1 ? BOX : TRIANGLE);
  const most = scaled.reduce((a, b) => Math.max(a, b));
  return { values: scaled.map((value) => value / most), width: wide, height: tall };
}

/** Put ink into a square, with its centre of mass or its middle in the centre. @param {Ink} ink @param {boolean} byMass @param {number} side @returns {Uint8ClampedArray} */
export function centredIn({ values, width, height }, byMass, side) {
  const mass = values.reduce((sum, value) => sum + value, 0);
  const corner = (/** @type {number} */ extent, /** @type {(at: number) => number} */ placeOf) => {
    const mean = values.reduce((sum, value, at) => sum + value * placeOf(at), 0) / mass;
    const wanted = byMass ? rounded((side - 1) / 2 - mean) : Math.floor((side - extent) / 2);
    return Math.min(Math.max(wanted, 0), side - extent);
  };
  const [left, top] = [corner(width, (at) => at % width), corner(height, (at) => Math.floor(at / width))];
  const square = new Uint8ClampedArray(side * side);
  values.forEach((value, at) => (square[(top + Math.floor(at / width)) * side + left + (at % width)] = rounded(value * 255)));
  return square;
}
