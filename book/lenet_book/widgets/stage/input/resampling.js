// @ts-check
/** Makes pictures smaller or larger as Pillow does: the same filters, rounded in the same places. */
import { sumOf } from "../../shared/numbers.js";

/** @type {ResamplingFilter} */
export const BOX = { reach: 0.5, weight: (x) => Number(x > -0.5 && x <= 0.5) };
/** @type {ResamplingFilter} */
export const TRIANGLE = { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };
/** @type {ResamplingFilter} */
export const CUBIC = { reach: 2, weight: (x) => (Math.abs(x) < 1 ? (1.5 * Math.abs(x) - 2.5) * x * x + 1 : ((2.5 - 0.5 * Math.abs(x)) * Math.abs(x) - 4) * Math.abs(x) + 2) };

const FINEST = 2 ** 22; // weights for bytes are multiples of its inverse

/** @param {number} size  of the line @param {number} from @param {number} to  the part that is used @param {number} wanted @param {ResamplingFilter} filter @returns {Taps[]} */
function tapsOf(size, from, to, wanted, { reach, weight }) {
  const scale = (to - from) / wanted;
  const wide = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, place) => {
    const centre = from + (place + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach * wide + 0.5), 0);
    const length = Math.min(Math.trunc(centre + reach * wide + 0.5), size) - first;
    const weights = Array.from({ length }, (_, i) => weight((i + first - centre + 0.5) / wide));
    const total = sumOf(weights) || 1;
    return { first, weights: weights.map((one) => one / total) };
  });
}

/** Filter each line of a plane, and lay the result on its side. @template {Bytes | Float64Array} V @param {Plane<V>} plane @param {Taps[]} taps @returns {Plane<V>} */
export function filtered({ values, width, height }, taps) {
  const isBytes = values instanceof Uint8ClampedArray;
  const result = new (isBytes ? Uint8ClampedArray : Float64Array)(height * taps.length);
  taps.forEach(({ first, weights }, place) => {
    const exact = isBytes ? weights.map((weight) => Math.trunc(weight * FINEST + Math.sign(weight) / 2) / FINEST) : weights;
    for (let row = 0; row < height; row++) {
      let sum = 0;
      for (let i = 0; i < exact.length; i++) sum += exact[i] * values[row * width + first + i];
      result[place * height + row] = isBytes ? Math.floor(sum + 0.5) : sum;
    }
  });
  return { values: /** @type {V} */ (result), width: height, height: taps.length };
}

/**
 * Bring a plane, or a part of it, to another size.
 *
 * @template {Bytes | Float64Array} V @param {Plane<V>} plane @param {number[]} size  wanted: width and height
 * @param {ResamplingFilter} filter @param {number[]} [part]  left, top, right, below
 */
export function resized(plane, [wide, tall], filter, [left, top, right, below] = [0, 0, plane.width, plane.height]) {
  const across = filtered(plane, tapsOf(plane.width, left, right, wide, filter));
  return filtered(across, tapsOf(plane.height, top, below, tall, filter));
}

/** Make a plane smaller, until no side is above `longest`. @param {Plane<Bytes>} plane @param {number} longest */
export function thumbnail(plane, longest) {
  const { width, height } = plane;
  if (width <= longest && height <= longest) return plane;
  const size = width <= height ? [Math.max(-Math.round((-longest * width) / height), 1), longest] : [longest, Math.max(Math.round((longest * height) / width), 1)];
  const [x, y] = [width / size[0], height / size[1]].map((scale) => Math.trunc(scale / 2) || 1);
  return resized(meansOf(plane, x, y), size, BOX, [0, 0, width / x, height / y]);
}

/** The means of blocks of `x` × `y` pixels, which are cut short at the right and below. @param {Plane<Bytes>} plane @param {number} x @param {number} y @returns {Plane<Bytes>} */
function meansOf(plane, x, y) {
  if (x === 1 && y === 1) return plane;
  const [columns, rows] = [Math.ceil(plane.width / x), Math.ceil(plane.height / y)];
  const values = Uint8ClampedArray.from({ length: columns * rows }, (_, at) => {
    const [left, top] = [(at % columns) * x, Math.floor(at / columns) * y];
    const [right, below] = [Math.min(left + x, plane.width), Math.min(top + y, plane.height)];
    const number = (right - left) * (below - top);
    let sum = number >> 1;
    for (let row = top; row < below; row++) for (let column = left; column < right; column++) sum += plane.values[row * plane.width + column];
    return Math.floor(sum / number);
  });
  return { values, width: columns, height: rows };
}

/** Round as Python does: a half to the even number. @param {number} value */
export function rounded(value) {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 ? up - 1 : up;
}
