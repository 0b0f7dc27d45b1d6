// @ts-check
/** Canvases, and pictures painted on them. */

/** Give a canvas its size in CSS pixels, the unit of the context from now on, sharp on any screen. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
export function sizeCanvas(canvas, width, height) {
  const ratio = Math.max(1, globalThis.devicePixelRatio || 1);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width === columns && canvas.height === rows) context.reset(); // and the page need not be laid out anew
  else Object.assign(canvas, { width: columns, height: rows });
  if (canvas.style.width !== `${width}px`) canvas.style.width = `${width}px`;
  if (canvas.style.height !== `${height}px`) canvas.style.height = `${height}px`;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = false;
  return context;
}

/** What pictures are painted on in their own size, one after the other. @type {HTMLCanvasElement | undefined} */
let scratch;

/**
 * Paint a picture of one channel in grey, of three in colour, its own range from black to white.
 *
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values @param {number[]} shape
 * @param {number} side  the longer one, in CSS pixels @param {[low: number, high: number]} [range]
 */
export function paintPicture(canvas, values, shape, side, [low, high] = rangeOf(values)) {
  const [height, width] = shape.slice(-2);
  const size = height * width;
  const next = shape.length === 3 && shape[0] === 3 ? size : 0; // from one channel to the next
  const scale = 255 / (high - low || 1);
  scratch ??= document.createElement("canvas");
  Object.assign(scratch, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (scratch.getContext("2d"));
  const image = context.createImageData(width, height);
  for (let i = 0, at = 0; i < size; i++, at++) {
    for (let channel = 0; channel < 3; channel++) image.data[at++] = scale * (values[channel * next + i] - low);
    image.data[at] = 255;
  }
  context.putImageData(image, 0, 0);
  const [across, down] = [width, height].map((length) => (length * side) / Math.max(width, height));
  sizeCanvas(canvas, across, down).drawImage(scratch, 0, 0, across, down);
}

/** @param {ArrayLike<number>} values @returns {[low: number, high: number]} */
export function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
  return [low, high];
}
