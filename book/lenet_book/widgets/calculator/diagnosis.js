// @ts-check
/** Where a stack goes wrong, in our words as lenet/shapes/diagnosis.py has them, and in PyTorch's own. */
import { productOf } from "../shared/numbers.js";
import { shapeText } from "../shared/text.js";
import { SlidingWindow } from "../shared/windows.js";
import { KINDS, pair, settingsOf } from "./kinds.js";
import { windowsOver } from "./layers.js";
import { namedShape } from "./rows.js";

/** Find what the failed layer needed and what came, or the layer that took what it should not. @param {Pass} pass @returns {Problem | null} */
export function diagnose({ steps, failed: step }) {
  if (!step?.misfit) return wrongMaps(steps);
  const { kind, needed = 0, came = 0 } = step.misfit;
  const why = kind === "features" ? reckoned(steps.at(-1)?.inputShape ?? [], needed, came) : "";
  return { kind, what: inWords(step, step.misfit, steps.at(-1)), step, index: steps.length, needed, came, why };
}

/** The features that are needed, taken apart by the channels that are flattened. @param {number[]} shape @param {number} needed @param {number} came */
function reckoned(shape, needed, came) {
  const [, channels, height, width] = shape;
  if (shape.length !== 4 || productOf(shape.slice(1)) !== came) return "";
  if (needed % channels) return `${needed} is no multiple of ${channels}, the number of channels that are flattened`;
  const side = Math.sqrt(needed / channels);
  if (!Number.isInteger(side)) return "";
  return `${needed} = ${channels}·${side}·${side}: maps of ${side}×${side} would fit, but ${height}×${width} came`;
}

/** @param {LayerStep} step @param {Misfit} misfit @param {LayerStep | undefined} before */
function inWords({ layer, inputShape }, { kind, needed = 0, came = 0, reason }, before) {
  const { fits } = KINDS[layer.type];
  const shape = shapeText(namedShape(inputShape));
  const origin = before ? `${before.layer.name} gives ${shape}` : `the images are ${shape}`;
  if (kind === "size") return `${layer.name} does not fit, because ${origin}. There, ${reason}`;
  if (kind === "axes") {
    const wanted = `(N, ${fits ? settingsOf(layer)[fits.setting] : "C"}, H, W)`;
    return `${layer.name} expects the shape ${wanted}, but ${before ? origin : `gets ${shapeText(inputShape)}`}`;
  }
  const counted = (/** @type {number} */ number) => `${number} ${fits?.noun}${number === 1 ? "" : "s"}`;
  return `${layer.name} expects ${counted(needed)}, but ${origin}: ${counted(came)}`;
}

/**
 * The linear layer, behind all convolutions, that took maps whose width happens to be its number
 * of features.
 *
 * @param {LayerStep[]} steps  of a whole pass @returns {Problem | null}
 */
function wrongMaps(steps) {
  const last = steps.findLastIndex(hasWindows);
  const index = steps.findIndex((step, at) => last >= 0 && at >= last && takesMaps(step, steps.slice(0, at)));
  if (index < 0 || /** @type {LayerStep} */ (steps.at(-1)).outputShape.length < 3) return null;
  const step = steps[index];
  const { layer, inputShape, outputShape } = step;
  const what = `${layer.name} gets maps, ${shapeText(namedShape(inputShape))}, and works on every row of ` +
    `${inputShape[3]} pixels by itself: it gives ${shapeText(namedShape(outputShape))} instead of one row per image`;
  return { kind: "maps", what, step, index, needed: 0, came: 0, why: "" };
}

/** @param {{ layer: Layer }} step */
export function hasWindows({ layer }) {
  return Boolean(KINDS[layer.type].window);
}

/** Does a linear layer get the maps of a convolution or pooling? @param {LayerStep} step @param {LayerStep[]} before */
export function takesMaps({ layer, inputShape }, before) {
  if (KINDS[layer.type].formula !== "features" || inputShape.length !== 4) return false;
  const source = before.findLast((step) => !KINDS[step.layer.type].pointwise);
  return Boolean(source && hasWindows(source));
}

// ---------------------------------------------------------------------------- in PyTorch's words

/**
 * What PyTorch says of a step that failed, for the four failures that students meet most; empty for
 * all others. The sentences are those of one version.
 *
 * @param {LayerStep} step
 */
export function torchSentence({ layer, inputShape, misfit }) {
  const { window } = KINDS[layer.type];
  if (misfit?.kind === "features") return ofMatrices(settingsOf(layer), inputShape);
  if (misfit?.kind === "channels" && window) return ofChannels(layer, inputShape);
  if (misfit?.kind !== "size") return "";
  if (window === "conv") return ofKernel(settingsOf(layer), inputShape);
  return window === "pool" ? ofPooling(settingsOf(layer), inputShape) : "";
}

/** @param {Settings} settings @param {number[]} shape */
function ofMatrices({ in_features, out_features }, shape) {
  const rows = productOf(shape.slice(0, -1));
  return `mat1 and mat2 shapes cannot be multiplied (${rows}x${shape.at(-1)} and ${in_features}x${out_features})`;
}

/** @param {Layer} layer @param {number[]} shape */
function ofChannels(layer, shape) {
  const { in_channels: needed, out_channels: made, kernel_size, padding } = settingsOf(layer);
  const isTransposed = KINDS[layer.type].window === "transpose";
  const weight = [...(isTransposed ? [needed, made] : [made, needed]), ...pair(kernel_size)];
  // Where padding='same' adds an odd number of pixels, PyTorch adds the odd one beforehand.
  const odd = padding === "same" ? windowsOver(layer, shape).map((window) => window.padding % 2) : [0, 0];
  const input = [...shape.slice(0, 2), ...shape.slice(2).map((size, axis) => size + odd[axis])];
  return `Given ${isTransposed ? "transposed" : "groups"}=1, weight of size [${weight.join(", ")}], expected ` +
    `input[${input.join(", ")}] to have ${needed} channels, but got ${shape[1]} channels instead`;
}

/** @param {Settings} settings @param {number[]} shape */
function ofKernel({ kernel_size, padding, dilation }, shape) {
  const [kernel, pad, gap] = [kernel_size, padding === "valid" ? 0 : padding, dilation].map(pair);
  const padded = shape.slice(2).map((size, axis) => size + 2 * pad[axis]);
  const spans = kernel.map((weights, axis) => gap[axis] * (weights - 1) + 1);
  return `Calculated padded input size per channel: (${padded.join(" x ")}). Kernel size: ` +
    `(${spans.join(" x ")}). Kernel size can't be greater than actual input size`;
}

/** @param {Settings} settings @param {number[]} shape */
function ofPooling({ kernel_size, stride, padding, dilation = 1, ceil_mode }, [, channels, ...pixels]) {
  const [kernel, step, pad, gap] = [kernel_size, stride, padding, dilation].map(pair);
  if (pad.some((size, axis) => size > kernel[axis] / 2)) return "";
  const sizes = pixels.map((size, axis) =>
    new SlidingWindow(size, kernel[axis], step[axis], 2 * pad[axis], gap[axis], ceil_mode).outputSize);
  return `Given input size: (${[channels, ...pixels].join("x")}). Calculated output size: ` +
    `(${[channels, ...sizes].join("x")}). Output size is too small`;
}
