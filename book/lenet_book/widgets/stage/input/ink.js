// @ts-check
/** Finds what is drawn on a picture, and places it as the makers of MNIST and Fashion-MNIST did: `lenet/data/placing.py` in the page. */
import { BOX, TRIANGLE, filtered, resized, rounded } from "./resampling.js";
import { sumOf } from "../../shared/numbers.js";
import { rangeOf } from "../../shared/pictures.js";

const FRAME_SHARE = 0.03; // of the longer side: how wide a border tells about the ground
const FAINTEST = 0.1; // contrast of a drawing, of the way from black to white
const SMOOTHING = 1 / 200; // of the longer side: removes a camera's noise, not lines
const SPECK = 0.02; // share of the ink below which a patch that stands alone is dirt
const STRONG = 0.35; // share of the strongest ink from which a pixel counts as drawn

/** Find what stands out from the ground: a plane through the brightness of the border. @param {Ink} grey  0 for black to 1 for white @returns {Ink & { isDark: boolean }} */
export function findInk(grey) {
  const { width, height } = grey;
  const sigma = Math.max(width, height) * SMOOTHING;
  const smooth = filtered(filtered(grey, blur(width, sigma)), blur(height, sigma));
  const ground = groundOf(smooth);
  const contrast = smooth.values.map((value, at) => value - ground(at));
  const [lowest, highest] = rangeOf(contrast);
  const isDark = -lowest > highest;
  const strongest = isDark ? -lowest : highest;
  if (strongest < FAINTEST) throw new Error("nothing on it stands out from the ground");
  const ink = contrast.map((value) => Math.max(isDark ? -value : value, 0) / strongest);
  const isNear = new Uint8Array(ink.length);
  withoutSpecks(ink, width).forEach((at) => around(at, width).forEach((next, i) => i < 5 && (isNear[next] = 1)));
  return { values: ink.map((value, at) => value * isNear[at]), width, height, isDark };
}

/** A pixel, those beside it and then those across. @param {number} at @param {number} width */
function around(at, width) {
  const beside = [at % width ? -1 : 0, (at + 1) % width ? 1 : 0];
  return [0, -width, width, ...beside, ...beside.flatMap((step) => [step - width, step + width])].map((step) => at + step);
}

/** What a Gaussian takes of a line that is mirrored at its ends. @param {number} size @param {number} sigma */
function blur(size, sigma) {
  const radius = Math.floor(4 * sigma + 0.5);
  const bell = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const total = sumOf(bell);
  return Array.from({ length: size }, (_, centre) => {
    const first = Math.max(Math.min(centre, size - 1 - radius) - radius, 0);
    const weights = new Array(Math.min(first + 3 * radius + 1, size) - first).fill(0);
    bell.forEach((weight, i) => {
      const place = (((centre + i - radius) % (2 * size)) + 2 * size) % (2 * size);
      weights[Math.min(place, 2 * size - 1 - place) - first] += weight / total;
    });
    return { first, weights };
  });
}

/** Fit a plane to the border, leaving out what lies far from it. @param {Ink} grey @returns {(at: number) => number} */
function groundOf({ values: grey, width, height }) {
  const frame = Math.max(1, rounded(Math.max(width, height) * FRAME_SHARE));
  const isOuter = (/** @type {number} */ place, /** @type {number} */ size) => place < frame || place >= size - frame;
  const termsOf = (/** @type {number} */ at) => [1, Math.floor(at / width) / height, (at % width) / width];
  const border = [...grey.keys()].filter((at) => isOuter(Math.floor(at / width), height) || isOuter(at % width, width));
  const middle = median(border.map((at) => grey[at]));
  let [kept, plane] = [border.filter((at) => Math.abs(grey[at] - middle) < 0.25), [0, 0, 0]];
  const ground = (/** @type {number} */ at) => sumOf(termsOf(at).map((term, i) => term * plane[i]));
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
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Solve the normal equations; a trace of damping chooses the smallest of several solutions. @param {number[][]} terms @param {number[]} values */
function leastSquares(terms, values) {
  const rows = [0, 1, 2].map((i) => {
    const sums = [0, 1, 2].map((j) => sumOf(terms.map((term) => term[i] * term[j])) + (i === j ? 1e-10 * (terms.length || 1) : 0));
    return [...sums, sumOf(terms.map((term, index) => term[i] * values[index]))];
  });
  for (let i = 0; i < 3; i++) {
    const pivot = rows[i].map((value) => value / rows[i][i]);
    rows.forEach((row, j) => (rows[j] = i === j ? pivot : row.map((value, k) => value - row[i] * pivot[k])));
  }
  return rows.map((row) => row[3]);
}

/** The pixels that are drawn, without patches that hold less than a small share of them. @param {Float64Array} ink @param {number} width */
function withoutSpecks(ink, width) {
  const left = new Set([...ink.keys()].filter((at) => ink[at] > STRONG));
  const least = SPECK * left.size;
  return [...left].flatMap((start) => {
    const patch = left.delete(start) ? [start] : [];
    for (const at of patch) patch.push(...around(at, width).filter((next) => left.delete(next)));
    return patch.length > least ? patch : [];
  });
}

/** Cut out the part that holds ink. @param {Ink} ink @returns {Ink} */
export function cutOut({ values, width, height }) {
  const rows = [...Array(height).keys()].filter((row) => values.subarray(row * width, (row + 1) * width).some(Boolean));
  const columns = [...Array(width).keys()].filter((column) => rows.some((row) => values[row * width + column]));
  const [top, left] = [rows[0], columns[0]];
  const [tall, wide] = [rows, columns].map((places) => places[places.length - 1] + 1 - places[0]);
  const cut = Float64Array.from({ length: tall * wide }, (_, at) => values[(top + Math.floor(at / wide)) * width + left + (at % wide)]);
  return { values: cut, width: wide, height: tall };
}

/** Scale ink so that the longer side has `box` pixels, and the most is 1. @param {Ink} ink @param {number} box @returns {Ink} */
export function scaledInto(ink, box) {
  const scale = box / Math.max(ink.width, ink.height);
  const size = [ink.width, ink.height].map((length) => Math.max(1, rounded(length * scale)));
  const scaled = resized(ink, size, scale < 1 ? BOX : TRIANGLE);
  const most = Math.max(...scaled.values);
  return { ...scaled, values: scaled.values.map((value) => value / most) };
}

/** Where the middle of a picture's ink lies, in pixels from the first one. @param {number[]} ink @param {number} width @returns {number[]}  across and down */
export function centreOfMass(ink, width) {
  const mass = sumOf(ink);
  return [sumOf(ink.map((share, at) => share * (at % width))) / mass, sumOf(ink.map((share, at) => share * Math.floor(at / width))) / mass];
}

/** Put ink into a square, with its centre of mass or its middle in the centre. @param {Ink} ink @param {boolean} byMass @param {number} side @returns {Plane<Bytes>} */
export function centredIn({ values, width, height }, byMass, side) {
  const centre = centreOfMass([...values], width);
  const [left, top] = [width, height].map((extent, axis) => {
    const wanted = byMass ? rounded((side - 1) / 2 - centre[axis]) : Math.floor((side - extent) / 2);
    return Math.min(Math.max(wanted, 0), side - extent);
  });
  const square = new Uint8ClampedArray(side * side);
  values.forEach((value, at) => (square[(top + Math.floor(at / width)) * side + left + (at % width)] = rounded(value * 255)));
  return { values: square, width: side, height: side };
}
