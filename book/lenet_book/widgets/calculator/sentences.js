// @ts-check
/**
 * PyTorch's own words for the four failures that students meet most. They are those of one version;
 * of all other failures only our explanation is shown.
 */
import { productOf } from "../shared/numbers.js";
import { SlidingWindow } from "../shared/windows.js";
import { KINDS, pair, settingsOf } from "./kinds.js";
import { windowsUnder } from "./layers.js";

/** @typedef {import("./kinds.js").Settings} Settings */
/** @typedef {import("./layers.js").Step} Step */

/** What PyTorch says of a step that failed; empty where it is not repeated. @param {Step} step */
export function torchSentence(step) {
  const { layer, inputShape, misfit } = step;
  const { window } = KINDS[layer.type];
  const settings = settingsOf(layer);
  if (misfit?.kind === "features") return ofMatrices(settings, inputShape);
  if (misfit?.kind === "channels" && window) return ofChannels(step, settings);
  if (misfit?.kind !== "size") return "";
  if (window === "conv") return ofKernel(settings, inputShape);
  return window === "pool" ? ofPooling(settings, inputShape) : "";
}

/** @param {Settings} settings @param {number[]} shape */
function ofMatrices({ in_features, out_features }, shape) {
  const rows = productOf(shape.slice(0, -1));
  return `mat1 and mat2 shapes cannot be multiplied (${rows}x${shape.at(-1)} and ${in_features}x${out_features})`;
}

/** @param {Step} step @param {Settings} settings */
function ofChannels(step, { in_channels: needed, out_channels: made, kernel_size, padding }) {
  const [, came, ...pixels] = step.inputShape;
  const isTransposed = KINDS[step.layer.type].window === "transpose";
  const weight = [...(isTransposed ? [needed, made] : [made, needed]), ...pair(kernel_size)];
  // Where padding='same' adds an odd number of pixels, PyTorch adds the odd one beforehand.
  const odd = padding === "same" ? windowsUnder(step)?.map((window) => window.padding % 2) : null;
  const input = [step.inputShape[0], came, ...pixels.map((size, axis) => size + (odd?.[axis] ?? 0))];
  return `Given ${isTransposed ? "transposed" : "groups"}=1, weight of size [${weight.join(", ")}], expected ` +
    `input[${input.join(", ")}] to have ${needed} channels, but got ${came} channels instead`;
}

/** @param {Settings} settings @param {number[]} shape */
function ofKernel(settings, shape) {
  const [padding, dilation] = [pair(settings.padding), pair(settings.dilation)];
  const padded = shape.slice(2).map((size, axis) => size + 2 * padding[axis]);
  const spans = pair(settings.kernel_size).map((weights, axis) => dilation[axis] * (weights - 1) + 1);
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
