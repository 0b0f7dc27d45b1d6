// @ts-check
/**
 * Pen strokes become a picture like those of MNIST.
 *
 * LeCun, Cortes and Burges made MNIST's digits so: the ink is cropped, scaled into a box of 20 × 20
 * pixels with its proportions kept, and put into 28 × 28 with its centre of mass in the middle.
 * Pictures of other sizes keep these shares.
 */

/** @typedef {[x: number, y: number]} Point  in shares of the pad's side, y downwards */
/** @typedef {{ points: Point[], pen: number }} Stroke  the pen's width in shares of the pad's side */

const BOX_SHARE = 20 / 28;
const THINNEST = 2.2 / 28; // MNIST's lines are about 2 to 4 pixels wide
const THICKEST = 3.4 / 28;

/**
 * Render strokes as a picture of `size` × `size` pixels, 0 for the ground and 1 for ink.
 *
 * @param {Stroke[]} strokes
 * @param {number} size
 * @returns {Float32Array}
 */
export function renderDigit(strokes, size) {
  if (!strokes.some(({ points }) => points.length)) return new Float32Array(size * size);
  const [left, top, right, bottom] = inkBounds(strokes);
  const scale = (BOX_SHARE * size) / Math.max(right - left, bottom - top);
  const place = { scale, x: (left + right) / 2, y: (top + bottom) / 2, toX: size / 2, toY: size / 2 };
  const [massX, massY] = centreOfMass(renderLines(strokes, size, place), size);
  return renderLines(strokes, size, { ...place, toX: size - massX, toY: size - massY });
}

/** @param {Stroke[]} strokes @returns {[number, number, number, number]} */
function inkBounds(strokes) {
  const edges = strokes.flatMap(({ points, pen }) =>
    points.map(([x, y]) => [x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2]),
  );
  const along = (/** @type {number} */ side) => edges.map((edge) => edge[side]);
  return [Math.min(...along(0)), Math.min(...along(1)), Math.max(...along(2)), Math.max(...along(3))];
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
 */
function renderLines(strokes, size, place) {
  const pixels = new Float32Array(size * size);
  for (const { points, pen } of strokes) {
    const width = Math.min(Math.max(pen * place.scale, THINNEST * size), THICKEST * size);
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
  for (let row = first(y0, y1); row <= last(y0, y1); row++) {
    for (let column = first(x0, x1); column <= last(x0, x1); column++) {
      const [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
      const share = squared ? Math.min(Math.max((x * dx + y * dy) / squared, 0), 1) : 0;
      const distance = Math.hypot(x - share * dx, y - share * dy);
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
