// @ts-check
/** Makes pictures smaller or larger as Pillow does: the same filters, rounded in the same places. */

/** One channel: bytes, which are rounded after each direction, or any numbers. @typedef {Uint8ClampedArray | Float64Array} Plane */
/** For a line of the result, which pixels count from the first on, and how much. @typedef {{ first: number, weights: number[] }} Taps */
/** @typedef {{ reach: number, weight: (distance: number) => number }} Filter */

/** @type {Filter} */
export const BOX = { reach: 0.5, weight: (x) => Number(x > -0.5 && x <= 0.5) };
/** @type {Filter} */
export const TRIANGLE = { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };
/** @type {Filter} */
export const CUBIC = { reach: 2, weight: (x) => cubic(Math.abs(x)) };

const FINEST = 2 ** 22; // weights for bytes are multiples of its inverse

/** @param {number} x  not below 0 */
function cubic(x) {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** @param {number} size  of the line @param {number} from @param {number} to  the part that is used @param {number} wanted @param {Filter} filter @returns {Taps[]} */
function tapsOf(size, from, to, wanted, { reach, weight }) {
  const scale = (to - from) / wanted;
  const wide = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, place) => {
    const centre = from + (place + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach * wide + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach * wide + 0.5), size);
    const weights = Array.from({ length: end - first }, (_, i) => weight((i + first - centre + 0.5) / wide));
    const total = weights.reduce((sum, one) => sum + one, 0);
    return { first, weights: weights.map((one) => one / (total || 1)) };
  });
}

/** Filter each line of a plane, and lay the result on its side. @template {Plane} P @param {P} plane @param {number} width @param {Taps[]} taps @returns {P} */
export function filtered(plane, width, taps) {
  const height = plane.length / width;
  const isBytes = plane instanceof Uint8ClampedArray;
  const result = isBytes ? new Uint8ClampedArray(height * taps.length) : new Float64Array(height * taps.length);
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
 * Bring a part of a plane to another size.
 *
 * @template {Plane} P
 * @param {P} plane @param {number} width @param {[width: number, height: number]} size  that is wanted
 * @param {Filter} filter
 * @param {[left: number, top: number, right: number, bottom: number]} [part]
 * @returns {P}
 */
export function resized(plane, width, size, filter, part = [0, 0, width, plane.length / width]) {
  const height = plane.length / width;
  const across = filtered(plane, width, tapsOf(width, part[0], part[2], size[0], filter));
  return filtered(across, height, tapsOf(height, part[1], part[3], size[1], filter));
}

/** Make a plane smaller until no side is above `longest`. @param {Uint8ClampedArray} plane @param {number} width @param {number} longest @returns {[plane: Uint8ClampedArray, width: number, height: number]} */
export function thumbnail(plane, width, longest) {
  const height = plane.length / width;
  if (width <= longest && height <= longest) return [plane, width, height];
  const aspect = width / height;
  /** @type {[number, number]} */
  const size =
    aspect <= 1
      ? [nearest(longest * aspect, (n) => Math.abs(aspect - n / longest)), longest]
      : [longest, nearest(longest / aspect, (n) => (n ? Math.abs(aspect - longest / n) : 0))];
  const [x, y] = [width / size[0], height / size[1]].map((scale) => Math.trunc(scale / 2) || 1);
  const small = x * y > 1 ? reduced(plane, width, x, y) : plane;
  return [resized(small, Math.ceil(width / x), size, BOX, [0, 0, width / x, height / y]), ...size];
}

/** One of the two whole numbers around a number. @param {number} number @param {(whole: number) => number} error */
function nearest(number, error) {
  const [low, high] = [Math.floor(number), Math.ceil(number)];
  return Math.max(error(high) < error(low) ? high : low, 1);
}

/** The means of blocks of `x` × `y` pixels, which are cut short at the right and below. @param {Uint8ClampedArray} plane @param {number} width @param {number} x @param {number} y */
function reduced(plane, width, x, y) {
  const height = plane.length / width;
  const [columns, rows] = [Math.ceil(width / x), Math.ceil(height / y)];
  const result = new Uint8ClampedArray(columns * rows);
  for (let at = 0; at < result.length; at++) {
    const [left, top] = [(at % columns) * x, Math.floor(at / columns) * y];
    const [right, bottom] = [Math.min(left + x, width), Math.min(top + y, height)];
    const number = (right - left) * (bottom - top);
    let sum = number >> 1;
    for (let row = top; row < bottom; row++) for (let column = left; column < right; column++) sum += plane[row * width + column];
    result[at] = Math.floor(sum / number);
  }
  return result;
}

/** Round as Python does: a half to the even number. @param {number} value */
export function rounded(value) {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 ? up - 1 : up;
}
