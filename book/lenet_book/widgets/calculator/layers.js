// @ts-check
/**
 * A stack of layers run on shapes alone: what lenet.shapes.trace finds by running the network.
 *
 * Shapes are [3, C, H, W]: as there, three images go through, and N stands for the 3.
 */
import { convWindows, poolWindows, refusalOf, transposedSpreads } from "../shared/formulas.js";
import { productOf, sumOf } from "../shared/numbers.js";
import { SlidingWindow } from "../shared/windows.js";
import { kindOf, settingsOf } from "./kinds.js";

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
export function runLayer(layer, inputShape) {
  const { input_dims: dims, fits, axes } = kindOf(layer);
  const failed = (/** @type {Misfit} */ misfit) => ({ layer, inputShape, outputShape: [], misfit });
  const hasWeights = !/^InstanceNorm/.test(layer.type) || settingsOf(layer).affine; // else any number will do
  const [needed, came] = fits && hasWeights ? [settingsOf(layer)[fits.setting], inputShape.at(fits.axis)] : [];
  const isAsOneImage = Boolean(fits && axes) && dims.slice(1).includes(inputShape.length) && came !== needed;
  if (dims.length && (!dims.includes(inputShape.length) || isAsOneImage)) return failed({ kind: "axes", isAsOneImage });
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
  const { width, formula, window, axes } = kindOf(layer);
  const { [width]: made, output_size: targets } = settingsOf(layer);
  const first = shape.length - (axes ?? 0);
  const target = (/** @type {number} */ axis) => (Array.isArray(targets) ? targets[axis] : targets);
  if (window === "adaptive") return shape.map((size, axis) => (axis < first ? size : target(axis - first) ?? size));
  const sizes = windowsOver(layer, shape).map((spread) => spread.outputSize);
  if (sizes.length) return [...shape.slice(0, first - 1), made ?? shape[first - 1], ...sizes];
  if (formula === "features") return [...shape.slice(0, -1), made];
  return formula === "flatten" ? [shape[0], productOf(shape.slice(1))] : shape;
}

/** A layer's windows over its input, if it has any. @param {Layer} layer @param {number[]} shape @returns {WindowOrSpread[]} */
export function windowsOver(layer, shape) {
  const { window, axes } = kindOf(layer);
  if (!axes || !["conv", "pool", "transpose"].includes(window)) return [];
  const settings = /** @type {any} */ ({ ...settingsOf(layer), input_size: shape.slice(-axes) });
  if (window === "conv") return convWindows(settings);
  if (window === "pool") return poolWindows(settings);
  const spreads = transposedSpreads(settings);
  // Where nothing is left, PyTorch refuses or returns nothing, depending on the processor.
  if (spreads.some(({ outputSize }) => outputSize < 0)) spreads.forEach((spread) => spread.checkSize());
  return spreads;
}

/** The windows of adaptive pooling, and of a mean over all pixels, where all are of one size. @param {LayerStep} step @returns {WindowOrSpread[]} */
export function coveringWindows({ layer, inputShape, outputShape }) {
  const { window } = kindOf(layer);
  const sizes = inputShape.slice(2);
  const isWhole = () => {
    const axes = [layer.settings.dim ?? []].flat().map((axis) => (axis < 0 ? axis + inputShape.length : axis));
    return sizes.length > 0 && axes.length === sizes.length && sizes.every((_, axis) => axes.includes(axis + 2));
  };
  const targets = window === "adaptive" ? outputShape.slice(2) : window === "all" && isWhole() ? sizes.map(() => 1) : [];
  if (!targets.length || targets.some((target, axis) => sizes[axis] % target)) return [];
  return targets.map((target, axis) => new SlidingWindow(sizes[axis], sizes[axis] / target, sizes[axis] / target, 0, 1));
}

/** Multiply-accumulates of the whole batch, without bias. @param {LayerStep} step */
export function numMacs({ layer, inputShape, inputShapes, outputShape }) {
  const { macs, fits, width } = kindOf(layer);
  const settings = settingsOf(layer);
  if (macs === "sum" && (fits || inputShapes?.[1])) return productOf(outputShape) * /** @type {number} */ (inputShape.at(-1));
  if (macs === "per row") return productOf(inputShape.slice(0, -1)) * recurrentSizes(layer)[0];
  if (macs === "attention") return attentionSizes(settings, inputShapes ?? [])[0];
  if (!fits || !macs.startsWith("per ")) return 0;
  const pairs = macs === "per input" ? productOf(inputShape) * settings[width] : productOf(outputShape) * settings[fits.setting];
  return (kernelSize(layer) * pairs) / (settings.groups ?? 1);
}

/** Additions of a bias for the whole batch. @param {LayerStep} step */
export function numBiasAdditions({ layer, inputShape, inputShapes, outputShape }) {
  if (kindOf(layer).macs === "attention") return attentionSizes(settingsOf(layer), inputShapes ?? [])[1];
  if (kindOf(layer).macs === "per row") return productOf(inputShape.slice(0, -1)) * recurrentSizes(layer)[1];
  return settingsOf(layer).bias ? productOf(outputShape) : 0;
}

/** Multiply-accumulates and additions of a bias: of four projections, the scores, and the sums that they weigh. @param {Settings} settings @param {number[][]} shapes  of queries, keys and values */
function attentionSizes({ embed_dim: width, batch_first, bias }, shapes) {
  const [queries, keys, values] = shapes.map((shape) => productOf(shape.slice(0, -1)));
  const [projected, length] = [2 * queries + keys + values, keys / shapes[1][batch_first ? 0 : 1]];
  return [(projected * width + 2 * queries * length) * width, bias ? projected * width : 0];
}

/** How many weights and biases a recurrent layer has. @param {Layer} layer */
function recurrentSizes(layer) {
  const { input_size, hidden_size: hidden, num_layers = 1, bias, bidirectional } = settingsOf(layer);
  const [gates, ways] = [/LSTM/.test(layer.type) ? 4 : /GRU/.test(layer.type) ? 3 : 1, bidirectional ? 2 : 1];
  const inputs = input_size + (num_layers - 1) * ways * hidden; // of all levels together
  return [ways * gates * hidden * (inputs + num_layers * hidden), bias ? 2 * ways * gates * hidden * num_layers : 0];
}

/** Weights in one kernel, between one channel and another. @param {Layer} layer */
function kernelSize(layer) {
  const { kernel_size: size = 1 } = settingsOf(layer);
  return Array.isArray(size) ? productOf(size) : size ** (kindOf(layer).axes ?? 1);
}

/** @param {Layer} layer */
export function numParameters(layer) {
  const { fits, width, macs } = kindOf(layer);
  const settings = settingsOf(layer);
  if (macs === "per row") return sumOf(recurrentSizes(layer));
  if (!fits) return 0;
  if (!width) return settings.affine ? (settings.bias ? 2 : 1) * settings[fits.setting] : 0;
  const inputs = (settings[fits.setting] * kernelSize(layer)) / (settings.groups ?? 1);
  return settings[width] * (inputs + Number(Boolean(settings.bias)));
}
