// @ts-check
/** Canvases, and pictures painted on them. */

/**
 * Give a canvas its size on the page, sharp on screens of high resolution.
 *
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height  CSS pixels
 * @returns {CanvasRenderingContext2D}  with CSS pixels as its unit
 */
export function sizeCanvas(canvas, width, height) {
  const ratio = Math.max(1, globalThis.devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = false;
  return context;
}
