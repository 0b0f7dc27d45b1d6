// @ts-check
/**
 * Pen strokes become a picture like those of MNIST.
 *
 * LeCun, Cortes and Burges made MNIST's digits so: the ink is cropped, scaled into a box of 20 × 20
 * pixels with its proportions kept, and put into 28 × 28 with its centre of mass in the middle.
 * Pictures of other sizes keep these shares.
 */
import { centreOfMass } from "./ink.js";
import { placedText } from "./preparing.js";

const BOX_SHARE = 20 / 28;
const THINNEST = 2.2 / 28; // MNIST's lines are about 2 to 4 pixels wide
const THICKEST = 3.4 / 28;
const SHOWN_SIDE = 84; // pixels of the pad, where the preparation shows it

/** A picture of strokes, `size` × `size` pixels, 0 for the ground and 255 for ink; and how it came about. */
export class Drawing {
  #strokes; #size; #placed; #centred;

  /** @param {Stroke[]} strokes @param {number} size */
  constructor(strokes, size) {
    this.#strokes = strokes;
    this.#size = size;
    this.#placed = strokes.length ? placedIn(strokes, size) : null;
    this.#centred = this.#placed ? renderLines(strokes, size, this.#placed.centred) : new Float32Array(size * size);
    this.pixels = Uint8ClampedArray.from(this.#centred, (share) => 255 * share);
  }

  /** How strokes become a picture, step by step. @returns {PreparedStage[]} */
  get stages() {
    if (!this.#placed) return [];
    const { longest, boxed } = this.#placed;
    const size = this.#size;
    const [box, half] = [Math.round(BOX_SHARE * size), SHOWN_SIDE / 2];
    const whole = { scale: SHOWN_SIDE, x: 0, y: 0, toX: 0, toY: 0 };
    const lines = (/** @type {number} */ side, /** @type {Placement} */ place, likeMnist = 0) => renderLines(this.#strokes, side, place, likeMnist);
    return [
      stage("what you drew", lines(SHOWN_SIDE, whole), SHOWN_SIDE),
      stage("cut out", lines(SHOWN_SIDE, { ...boxed, scale: SHOWN_SIDE / longest, toX: half, toY: half }), SHOWN_SIDE),
      stage(`scaled into ${box}×${box}, lines of 2 to 4 pixels`, lines(box, { ...boxed, toX: box / 2, toY: box / 2 }, size), box),
      stage(placedText(size, true), this.#centred, size),
    ];
  }
}

/** @param {string} caption @param {Float32Array} values @param {number} side */
function stage(caption, values, side) {
  return { caption, values, shape: [1, side, side], white: 1 };
}

/** Where strokes come to lie: their box in the middle, and then their mass. @param {Stroke[]} strokes @param {number} size */
function placedIn(strokes, size) {
  const [left, right, top, bottom] = [0, 1].flatMap((axis) =>
    [Math.min, Math.max].map((pick, end) => {
      const edges = strokes.flatMap(({ points, pen }) => points.map((point) => point[axis] + (end - 0.5) * pen));
      return edges.reduce((a, b) => pick(a, b));
    }));
  const longest = Math.max(right - left, bottom - top);
  const boxed = { scale: (BOX_SHARE * size) / longest, x: (left + right) / 2, y: (top + bottom) / 2, toX: size / 2, toY: size / 2 };
  const [x, y] = centreOfMass([...renderLines(strokes, size, boxed)], size);
  return { longest, boxed, centred: { ...boxed, toX: size - 0.5 - x, toY: size - 0.5 - y } };
}

/** Draw lines as wide as in MNIST's pictures, if those had the size `likeMnist`; for 0 as wide as the pen. @param {Stroke[]} strokes @param {number} size @param {Placement} place @param {number} [likeMnist] */
function renderLines(strokes, size, place, likeMnist = size) {
  const pixels = new Float32Array(size * size);
  for (const { points, pen } of strokes) {
    const drawn = pen * place.scale;
    const width = likeMnist ? Math.min(Math.max(drawn, THINNEST * likeMnist), THICKEST * likeMnist) : drawn;
    const moved = points.map(([x, y]) => [(x - place.x) * place.scale + place.toX, (y - place.y) * place.scale + place.toY]);
    moved.forEach((point, i) => renderSegment(pixels, size, moved[Math.max(i - 1, 0)], point, width / 2));
  }
  return pixels;
}

/** Draw a piece with round ends: a pixel's ink is its distance, softened over one pixel. @param {Float32Array} pixels @param {number} size @param {number[]} from @param {number[]} to @param {number} radius */
function renderSegment(pixels, size, [x0, y0], [x1, y1], radius) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy;
  const first = (/** @type {number} */ a, /** @type {number} */ b) => Math.max(0, Math.floor(Math.min(a, b) - radius - 1));
  const last = (/** @type {number} */ a, /** @type {number} */ b) => Math.min(size - 1, Math.ceil(Math.max(a, b) + radius + 1));
  const [right, bottom] = [last(x0, x1), last(y0, y1)];
  for (let row = first(y0, y1); row <= bottom; row++) {
    for (let column = first(x0, x1); column <= right; column++) {
      const x = column + 0.5 - x0; // no array: it would be one for each pixel of each piece
      const y = row + 0.5 - y0;
      const share = squared ? Math.min(Math.max((x * dx + y * dy) / squared, 0), 1) : 0;
      const distance = Math.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2);
      const ink = Math.min(Math.max(radius - distance + 0.5, 0), 1);
      const at = row * size + column;
      if (ink > pixels[at]) pixels[at] = ink;
    }
  }
}
