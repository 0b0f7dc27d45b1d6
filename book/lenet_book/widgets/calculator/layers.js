// @ts-check
/**
 * A stack of layers run on shapes alone: what lenet.shapes.trace finds by running the network.
 *
 * Shapes are [2, C, H, W]: as there, two images go through, and N stands for the 2.
 */
import { convWindows, poolWindows, refusalOf, transposedSpreads } from "../shared/formulas.js";
import { productOf } from "../shared/numbers.js";
import { KINDS, pair, settingsOf } from "./kinds.js";

/** @typedef {import("../shared/formulas.js").WindowOrSpread} WindowOrSpread */
/** @typedef {import("./kinds.js").Layer} Layer */
/** @typedef {import("./kinds.js").Settings} Settings */

/**
 * Why a layer cannot run: the input has too few or too many axes, or the wrong width, or what slides
 * does not fit.
 *
 * @typedef {{ kind: "axes" | "channels" | "features" | "size", needed?: number, came?: number, reason?: string }} Misfit
 */

/**
 * One layer that ran, or was tried; a failed one has an empty output shape.
 *
 * @typedef {{ layer: Layer, inputShape: number[], outputShape: number[], misfit?: Misfit }} Step
 */

/** @typedef {{ steps: Step[], failed: Step | null }} Pass */

export const BATCH = 2;

/**
 * Run a stack on the shape of one image, as far as it goes.
 *
 * @param {Layer[]} layers  whose settings are possible
 * @param {number[]} imageShape  without the batch axis
 * @returns {Pass}
 */
export function runStack(layers, imageShape) {
  /** @type {Step[]} */
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

/** @param {Layer} layer @param {number[]} inputShape @returns {Step} */
function runLayer(layer, inputShape) {
  const settings = settingsOf(layer);
  const { input_dims: dims, fits } = KINDS[layer.type];
  const failed = (/** @type {Misfit} */ misfit) => ({ layer, inputShape, outputShape: [], misfit });
  if (dims.length && !dims.includes(inputShape.length)) return failed({ kind: "axes" });
  if (fits && inputShape.at(fits.axis) !== settings[fits.setting]) {
    return failed({ kind: `${fits.noun}s`, needed: settings[fits.setting], came: inputShape.at(fits.axis) });
  }
  /** @type {number[]} */
  let outputShape = [];
  const reason = refusalOf(() => {
    outputShape = shapeBehind(layer, inputShape);
  });
  return reason ? failed({ kind: "size", reason }) : { layer, inputShape, outputShape };
}

/** @param {Layer} layer @param {number[]} shape  that fits */
function shapeBehind(layer, shape) {
  const { window, width, formula } = KINDS[layer.type];
  const made = settingsOf(layer)[width];
  if (window) return [shape[0], made ?? shape[1], ...windowsOver(layer, shape).map(({ outputSize }) => outputSize)];
  if (formula === "features") return [...shape.slice(0, -1), made];
  return formula === "flatten" ? [shape[0], productOf(shape.slice(1))] : shape;
}

/** A layer's windows over its input. @param {Layer} layer @param {number[]} shape @returns {WindowOrSpread[]} */
function windowsOver(layer, shape) {
  const { kernel_size, stride, padding, dilation = 1, ceil_mode, output_padding } = settingsOf(layer);
  const pixels = shape.slice(-2);
  const { window } = KINDS[layer.type];
  if (window === "conv") return convWindows(pixels, kernel_size, stride, padding, dilation);
  if (window === "pool") return poolWindows(pixels, kernel_size, stride, padding, dilation, ceil_mode);
  const spreads = transposedSpreads(pixels, kernel_size, stride, padding, output_padding, dilation);
  // Where nothing is left, PyTorch refuses or returns nothing, depending on the processor.
  if (spreads.some(({ outputSize }) => outputSize < 0)) spreads.forEach((spread) => spread.checkSize());
  return spreads;
}

/** The windows of a step; null for one that has none. @param {Step} step */
export function windowsUnder({ layer, inputShape }) {
  return KINDS[layer.type].window ? windowsOver(layer, inputShape) : null;
}

/** Multiply-accumulates of the whole batch, without bias. @param {Step} step */
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
