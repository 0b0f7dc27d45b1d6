// @ts-check
/**
 * Pen strokes become a picture like those of MNIST.
 *
 * LeCun, Cortes and Burges made MNIST's digits so: the ink is cropped, scaled into a box of 20 × 20
 * pixels with its proportions kept, and put into 28 × 28 with its centre of mass in the middle.
 * Pictures of other sizes keep these shares.
 */
import { placedText } from "./preparing.js";

/** @typedef {[x: number, y: number]} Point  in shares of the pad's side, y downwards */
/** @typedef {{ points: Point[], pen: number }} Stroke  the pen's width in shares of the pad's side */

const BOX_SHARE = 20 / 28;
const THINNEST = 2.2 / 28; // MNIST's lines are about 2 to 4 pixels wide
const THICKEST = 3.4 / 28;
const SHOWN_SIDE = 84; // pixels of the pad, where the preparation shows it

/**
 * Render strokes as a picture of `size` × `size` pixels.
 *
 * @param {Stroke[]} strokes
 * @param {number} size
 * @returns {Uint8ClampedArray}  0 for the ground and 255 for ink
 */
export function renderDigit(strokes, size) {
  const boxed = renderInBox(strokes, size);
  return toBytes(boxed ? renderLines(strokes, size, boxed.centred) : new Float32Array(size * size));
}

/** The strokes fitted into the box in the middle, and how they lie when their mass is there. @param {Stroke[]} strokes @param {number} size */
function renderInBox(strokes, size) {
  const bounds = inkBounds(strokes);
  if (bounds[0] > bounds[2]) return null;
  const [left, top, right, bottom] = bounds;
  const scale = (BOX_SHARE * size) / Math.max(right - left, bottom - top);
  const place = { scale, x: (left + right) / 2, y: (top + bottom) / 2, toX: size / 2, toY: size / 2 };
  const pixels = renderLines(strokes, size, place);
  const [massX, massY] = centreOfMass(pixels, size);
  return { bounds, pixels, centred: { ...place, toX: size - massX, toY: size - massY } };
}

/** How strokes become a picture, step by step. @param {Stroke[]} strokes @param {number} size @returns {import("./preparing.js").Stage[]} */
export function stagesOf(strokes, size) {
  const boxed = renderInBox(strokes, size);
  if (!boxed) return [];
  const { bounds, pixels, centred } = boxed;
  const [left, top, right, bottom] = bounds;
  const box = Math.round(BOX_SHARE * size);
  const longest = Math.max(right - left, bottom - top);
  const whole = { scale: SHOWN_SIDE, x: 0, y: 0, toX: 0, toY: 0 };
  const cut = { ...whole, scale: SHOWN_SIDE / longest, x: (left + right - longest) / 2, y: (top + bottom - longest) / 2 };
  const edge = Math.floor((size - box) / 2);
  const inBox = Float32Array.from({ length: box * box }, (_, at) => pixels[(edge + Math.floor(at / box)) * size + edge + (at % box)]);
  const stage = (/** @type {string} */ caption, /** @type {ArrayLike<number>} */ values, /** @type {number} */ side) => ({
    caption,
    values,
    shape: [1, side, side],
    white: 1,
  });
  return [
    stage("what you drew", renderLines(strokes, SHOWN_SIDE, whole, false), SHOWN_SIDE),
    stage("cut out", renderLines(strokes, SHOWN_SIDE, cut, false), SHOWN_SIDE),
    stage(`scaled into ${box}×${box}, lines of 2 to 4 pixels`, inBox, box),
    stage(placedText(size, true), renderLines(strokes, size, centred), size),
  ];
}

/** @param {Float32Array} shares */
function toBytes(shares) {
  return Uint8ClampedArray.from(shares, (share) => 255 * share);
}

/** @param {Stroke[]} strokes @returns {[left: number, top: number, right: number, bottom: number]} */
function inkBounds(strokes) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { points, pen } of strokes) {
    for (const [x, y] of points) {
      left = Math.min(left, x - pen / 2);
      top = Math.min(top, y - pen / 2);
      right = Math.max(right, x + pen / 2);
      bottom = Math.max(bottom, y + pen / 2);
    }
  }
  return [left, top, right, bottom];
}

/**
 * @typedef {object} Placement  how the pad is laid on the picture
 * @property {number} scale  pixels for the pad's side
 * @property {number} x  the point of the pad ...
 * @property {number} y
 * @property {number} toX  ... that lies here, in pixels
 * @property {number} toY
 */

/**
 * Draw lines with round ends; a pixel's ink is its distance from the line, softened over one pixel.
 *
 * @param {Stroke[]} strokes @param {number} size @param {Placement} place
 * @param {boolean} [likeMnist]  with lines as wide as MNIST's
 */
function renderLines(strokes, size, place, likeMnist = true) {
  const pixels = new Float32Array(size * size);
  for (const { points, pen } of strokes) {
    const drawn = pen * place.scale;
    const width = likeMnist ? Math.min(Math.max(drawn, THINNEST * size), THICKEST * size) : drawn;
    const moved = points.map(([x, y]) => [
      (x - place.x) * place.scale + place.toX,
      (y - place.y) * place.scale + place.toY,
    ]);
    for (let i = 0; i < moved.length; i++) {
      renderSegment(pixels, size, moved[Math.max(i - 1, 0)], moved[i], width / 2);
    }
  }
  return pixels;
}

/** @param {Float32Array} pixels @param {number} size @param {number[]} from @param {number[]} to @param {number} radius */
function renderSegment(pixels, size, [x0, y0], [x1, y1], radius) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy;
  const reach = radius + 1;
  const first = (/** @type {number} */ a, /** @type {number} */ b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (/** @type {number} */ a, /** @type {number} */ b) => Math.min(size - 1, Math.ceil(Math.max(a, b) + reach));
  const [right, bottom] = [last(x0, x1), last(y0, y1)];
  for (let row = first(y0, y1); row <= bottom; row++) {
    for (let column = first(x0, x1); column <= right; column++) {
      const [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
      const share = squared ? Math.min(Math.max((x * dx + y * dy) / squared, 0), 1) : 0;
      const distance = Math.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2);
      const ink = Math.min(Math.max(radius - distance + 0.5, 0), 1);
      const at = row * size + column;
      if (ink > pixels[at]) pixels[at] = ink;
    }
  }
}

/** @param {Float32Array} pixels @param {number} size @returns {[x: number, y: number]} */
function centreOfMass(pixels, size) {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((ink, at) => {
    mass += ink;
    x += ink * ((at % size) + 0.5);
    y += ink * (Math.floor(at / size) + 0.5);
  });
  return mass ? [x / mass, y / mass] : [size / 2, size / 2];
}
