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

/** Filter each line of a plane, and lay the result on its side. @template {Plane} P @param {P} plane @param {number} width @param {Taps[]} taps @returns {P} */
export function filtered(plane, width, taps) {
  const height = plane.length / width;
  const isBytes = plane instanceof Uint8ClampedArray;
  const result = new (isBytes ? Uint8ClampedArray : Float64Array)(height * taps.length);
  taps.forEach(({ first, weights }, place) => {
    const exact = isBytes ? weights.map((weight) => Math.trunc(weight * FINEST + Math.sign(weight) / 2) / FINEST) : weights;
    for (let row = 0; row < height; row++) {
      let sum = 0;
      for (let i = 0; i < exact.length; i++) sum += exact[i] * plane[row * width + first + i];
      result[place * height + row] = isBytes ? Math.floor(sum + 0.5) : sum;
    }
  });
  return /** @type {P} */ (result);
}

/**
 * Bring a plane, or a part of it, to another size.
 *
 * @template {Plane} P @param {P} plane @param {number} width @param {number[]} size  wanted: width and height
 * @param {ResamplingFilter} filter @param {number[]} [part]  left, top, right, below
 */
export function resized(plane, width, size, filter, part = [0, 0, width, plane.length / width]) {
  const height = plane.length / width;
  const across = filtered(plane, width, tapsOf(width, part[0], part[2], size[0], filter));
  return filtered(across, height, tapsOf(height, part[1], part[3], size[1], filter));
}

/** Make a plane smaller, until no side is above `longest`. @param {Uint8ClampedArray} plane @param {number} width @param {number} longest */
export function thumbnail(plane, width, longest) {
  const height = plane.length / width;
  if (width <= longest && height <= longest) return { values: plane, width, height };
  const size = width <= height ? [Math.max(-Math.round((-longest * width) / height), 1), longest] : [longest, Math.max(Math.round((longest * height) / width), 1)];
  const [x, y] = [width / size[0], height / size[1]].map((scale) => Math.trunc(scale / 2) || 1);
  const values = resized(meansOf(plane, width, x, y), Math.ceil(width / x), size, BOX, [0, 0, width / x, height / y]);
  return { values, width: size[0], height: size[1] };
}

/** The means of blocks of `x` × `y` pixels, which are cut short at the right and below. @param {Uint8ClampedArray} plane @param {number} width @param {number} x @param {number} y */
function meansOf(plane, width, x, y) {
  if (x === 1 && y === 1) return plane;
  const [columns, rows] = [Math.ceil(width / x), Math.ceil(plane.length / width / y)];
  return Uint8ClampedArray.from({ length: columns * rows }, (_, at) => {
    const [left, top] = [(at % columns) * x, Math.floor(at / columns) * y];
    const [right, below] = [Math.min(left + x, width), Math.min(top + y, plane.length / width)];
    const number = (right - left) * (below - top);
    let sum = number >> 1;
    for (let row = top; row < below; row++) for (let column = left; column < right; column++) sum += plane[row * width + column];
    return Math.floor(sum / number);
  });
}

/** Round as Python does: a half to the even number. @param {number} value */
export function rounded(value) {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 ? up - 1 : up;
}
