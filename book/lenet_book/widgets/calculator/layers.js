// @ts-check
/**
 * A stack of layers run on shapes alone: what lenet.shapes.trace finds by running the network.
 *
 * Shapes are [3, C, H, W]: as there, three images go through, and N stands for the 3.
 */
import { convWindows, poolWindows, refusalOf, transposedSpreads } from "../shared/formulas.js";
import { productOf } from "../shared/numbers.js";
import { KINDS, pair, settingsOf } from "./kinds.js";

export const BATCH = 3;

/** Run possible layers on the shape of one image, as far as it goes. @param {Layer[]} layers @param {number[]} imageShape @returns {Pass} */
export function runStack(layers, imageShape) {
  /** @type {LayerStep[]} */
  const steps = [];
  let shape = [BATCH, ...imageShape];
  for (const layer of layers) {
    const step = runLayer(layer, shape);
    if (step.misfit) return { steps, failed: step };
    steps.push(step);
    shape = step.outputShape;
  }
  return { steps, failed: null };
}

/** @param {Layer} layer @param {number[]} inputShape @returns {LayerStep} */
function runLayer(layer, inputShape) {
  const { input_dims: dims, fits } = KINDS[layer.type];
  const failed = (/** @type {Misfit} */ misfit) => ({ layer, inputShape, outputShape: [], misfit });
  if (dims.length && !dims.includes(inputShape.length)) return failed({ kind: "axes" });
  const [needed, came] = fits ? [settingsOf(layer)[fits.setting], inputShape.at(fits.axis)] : [];
  if (fits && came !== needed) return failed({ kind: `${fits.noun}s`, needed, came });
  /** @type {number[]} */
  let outputShape = [];
  const reason = refusalOf(() => {
    outputShape = shapeBehind(layer, inputShape);
  });
  return reason ? failed({ kind: "size", reason }) : { layer, inputShape, outputShape };
}

/** @param {Layer} layer @param {number[]} shape  that fits */
function shapeBehind(layer, shape) {
  const { width, formula } = KINDS[layer.type];
  const made = settingsOf(layer)[width];
  const sizes = windowsOver(layer, shape).map((window) => window.outputSize);
  if (sizes.length) return [shape[0], made ?? shape[1], ...sizes];
  if (formula === "features") return [...shape.slice(0, -1), made];
  return formula === "flatten" ? [shape[0], productOf(shape.slice(1))] : shape;
}

/** A layer's windows over its input, if it has any. @param {Layer} layer @param {number[]} shape @returns {WindowOrSpread[]} */
export function windowsOver(layer, shape) {
  const { window } = KINDS[layer.type];
  if (!window) return [];
  const { kernel_size, stride, padding, dilation = 1, ceil_mode, output_padding } = settingsOf(layer);
  const pixels = shape.slice(-2);
  if (window === "conv") return convWindows(pixels, kernel_size, stride, padding, dilation);
  if (window === "pool") return poolWindows(pixels, kernel_size, stride, padding, dilation, ceil_mode);
  const spreads = transposedSpreads(pixels, kernel_size, stride, padding, output_padding, dilation);
  // Where nothing is left, PyTorch refuses or returns nothing, depending on the processor.
  if (spreads.some(({ outputSize }) => outputSize < 0)) spreads.forEach((spread) => spread.checkSize());
  return spreads;
}

/** Multiply-accumulates of the whole batch, without bias. @param {LayerStep} step */
export function numMacs({ layer, inputShape, outputShape }) {
  const { macs, fits, width } = KINDS[layer.type];
  if (!macs || !fits) return 0;
  const settings = settingsOf(layer);
  const kernel = productOf(pair(settings.kernel_size ?? 1));
  if (macs === "per input") return productOf(inputShape) * settings[width] * kernel;
  return productOf(outputShape) * settings[fits.setting] * kernel;
}

/** @param {Layer} layer */
export function numParameters(layer) {
  const { fits, width } = KINDS[layer.type];
  const settings = settingsOf(layer);
  if (!fits) return 0;
  if (!width) return 2 * settings[fits.setting];
  const inputs = settings[fits.setting] * productOf(pair(settings.kernel_size ?? 1));
  return settings[width] * (inputs + (settings.bias ? 1 : 0));
}
