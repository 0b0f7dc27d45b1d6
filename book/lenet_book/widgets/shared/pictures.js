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

/** The pixels of canvases, which are filled in anew. @type {WeakMap<HTMLCanvasElement, ImageData>} */
const images = new WeakMap();

/**
 * Paint a picture of one channel in grey, of three in colour, its own range from black to white; each number has one pixel, which the browser enlarges.
 *
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values @param {number[]} shape
 * @param {number} side  the longer one, in CSS pixels @param {[low: number, high: number]} [range]
 */
export function paintPixels(canvas, values, shape, side, [low, high] = rangeOf(values)) {
  const [height, width] = shape.slice(-2);
  const size = height * width;
  const next = shape.length === 3 && shape[0] === 3 ? size : 0; // from one channel to the next
  const scale = 255 / (high - low || 1);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let image = images.get(canvas);
  if (image?.width !== width || image.height !== height) {
    Object.assign(canvas, { width, height });
    images.set(canvas, (image = context.createImageData(width, height)));
  }
  const [across, down] = [width, height].map((length) => (length * side) / Math.max(width, height));
  Object.assign(canvas.style, { width: `${across}px`, height: `${down}px`, imageRendering: "pixelated" });
  for (let i = 0, at = 0; i < size; i++, at++) {
    for (let channel = 0; channel < 3; channel++) image.data[at++] = scale * (values[channel * next + i] - low);
    image.data[at] = 255;
  }
  context.putImageData(image, 0, 0);
  return { across, down };
}

/** What pictures are painted on in their own size, one after the other. @type {HTMLCanvasElement | undefined} */
let scratch;

/** The same, enlarged on the canvas, whose unit is a CSS pixel then: for what is drawn over it. @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values @param {number[]} shape @param {number} side @param {[low: number, high: number]} [range] */
export function paintPicture(canvas, values, shape, side, range) {
  scratch ??= document.createElement("canvas");
  const { across, down } = paintPixels(scratch, values, shape, side, range);
  sizeCanvas(canvas, across, down).drawImage(scratch, 0, 0, across, down);
}

/** @param {ArrayLike<number>} values @returns {[low: number, high: number]} */
export function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
  return [low, high];
}
