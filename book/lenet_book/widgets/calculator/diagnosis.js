// @ts-check
/** Where a stack goes wrong, in our words as lenet/shapes/diagnosis.py has them, and in PyTorch's own. */
import { alongAxes } from "../shared/formulas.js";
import { productOf } from "../shared/numbers.js";
import { shapeText } from "../shared/text.js";
import { SlidingWindow } from "../shared/windows.js";
import { kindOf, pair, settingsOf } from "./kinds.js";
import { BATCH, windowsOver } from "./layers.js";
import { namedShape } from "./rows.js";

/** Find what the failed layer needed and what came, or the layer that took what it should not. @param {Pass} pass @returns {Problem | null} */
export function diagnose({ steps, failed: step, outputShape = steps.at(-1)?.outputShape ?? [] }) {
  if (!step?.misfit) return wrongMaps(steps, outputShape) ?? lostBatch(steps, outputShape) ?? (steps.at(-1)?.outputShape.length === 2 ? batchAsSequence(steps) : null);
  const { kind, needed = 0, came = 0 } = step.misfit;
  const isView = kind === "view";
  const why = kind === "features" || isView ? reckoned(step, steps, needed, came) : "";
  return { kind: isView ? "features" : kind, what: inWords(step, step.misfit, steps), step, before: steps, index: steps.length, needed, came, why };
}

/** What is wrong with a step that ran. @param {"maps" | "batch"} kind @param {LayerStep[]} steps @param {number} index @param {string} what @returns {Problem} */
function problemAt(kind, steps, index, what) {
  return { kind, what, step: steps[index], before: steps.slice(0, index), index, needed: 0, came: 0, why: "" };
}

/** The features that are needed, taken apart by the channels that are flattened. @param {LayerStep} step @param {LayerStep[]} steps @param {number} needed @param {number} came */
function reckoned(step, steps, needed, came) {
  const source = sourceOf(step, steps);
  const { inputShape: shape } = ["Flatten", "view", "Unflatten"].includes(step.layer.type) ? step : source ?? step;
  const [, channels, height, width] = shape;
  if (shape.length !== 4 || !needed || productOf(shape.slice(1)) !== came) return "";
  if (needed % channels) return `${needed} is no multiple of ${channels}, the number of channels that are flattened`;
  const side = Math.sqrt(needed / channels);
  if (!Number.isInteger(side)) return "";
  return `${needed} = ${channels}·${side}·${side}: maps of ${side}×${side} would fit, but ${height}×${width} came`;
}

/** The step that made what a step gets first: in a stack the one before it. @param {LayerStep} step @param {LayerStep[]} before */
function sourceOf({ sources }, before) {
  const at = sources ? sources[0] : before.length - 1;
  return at === null ? undefined : before[at];
}

/** What made what a step gets first, what made that, and so on to the images. @param {LayerStep} step @param {LayerStep[]} before */
export function sourcesOf(step, before) {
  const found = [];
  for (let source = sourceOf(step, before); source; source = sourceOf(source, before.slice(0, before.indexOf(source)))) found.push(source);
  return found;
}

/** How a layer is reached from its network: `.fc1`, `[4]`, `.body[0]`. @param {string} name */
export function layerPath(name) {
  return `.${name}`.replace(/\.(\d+)(?=\.|$)/g, "[$1]");
}

/** What a step is called: a layer `fc1` or `model[4]`, a function `view`. @param {{ layer: Layer, title?: string }} step */
export function titleOf({ layer: { name }, title }) {
  const path = layerPath(name);
  return title || (path.startsWith("[") ? `model${path}` : path.slice(1));
}

/** @param {LayerStep} step @param {Misfit} misfit @param {LayerStep[]} steps */
function inWords(step, misfit, steps) {
  const { layer, inputShape, inputShapes = [inputShape] } = step;
  const { kind, needed = 0, came = 0, reason } = misfit;
  const [{ fits, input_dims: dims, axes: numAxes }, title] = [kindOf(layer), titleOf(step)];
  const origin = originOf(step, steps);
  if (misfit.does) return `${title} ${misfit.does}, but ${origin}${misfit.but}`;
  if (kind === "size") return `${title} does not fit, because ${origin}. There, ${reason}`;
  if (kind === "axes") {
    const axes = ["", "", "", "L", "H, W", "D, H, W"][dims[0]];
    const isImages = step.sources ? step.sources.includes(-1) : !steps.length;
    const gets = isImages ? `gets ${shapeText(inputShape)}` : origin;
    const asOne = misfit.isAsOneImage ? " and takes its first axis for the channels" : "";
    const channels = fits ? settingsOf(layer)[fits.setting] : "C";
    const rows = numAxes === null ? `(N, ${channels}) or ` : ""; // a norm of rows takes both
    return `${title} expects the shape ${rows}(N, ${channels}, ${axes}), but ${gets}${asOne}`;
  }
  const counted = (/** @type {number} */ number, /** @type {string | undefined} */ noun = fits?.noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  if (kind === "view") return `${layer.name} asks for ${misfit.asked}, but ${origin}: ${counted(came, "number")} per image`;
  if (kind === "channels" || kind === "features") return `${title} expects ${counted(needed)}, but ${origin}: ${counted(came)}`;
  const given = inputShapes.map((shape, index) => [misfit.names?.[index], shapeText(namedShape(shape))]);
  const words = (/** @type {string} */ is) => given.map(([name, shape]) => (name ? `${name}${is}${shape}` : shape)).join(" and ");
  if (kind === "tuple") return `${title} takes one tensor, but gets a tuple of ${words("")}`;
  const isAlone = !misfit.names && inputShapes.length === 1 && step.sources?.[0] !== -1;
  const gets = isAlone ? origin : `${misfit.names ? "" : "it gets "}${words(" is ")}`;
  if (kind === "operands") return `${title} needs ${misfit.needs}, but ${gets}`;
  return `${title} cannot work on ${words(", ")}`;
}

/** Where a failed step's input comes from. @param {LayerStep} step @param {LayerStep[]} steps */
function originOf(step, steps) {
  const maker = sourceOf(step, steps);
  const shape = shapeText(namedShape(step.inputShape));
  if (!maker) return step.sources?.[0] === null ? `it gets ${shape}` : `the images are ${shape}`;
  const { inputShape: came } = maker;
  if (came[0] === BATCH && step.inputShape[0] !== BATCH) return `${titleOf(maker)} turns ${shapeText(namedShape(came))} into ${shape}`;
  return `${titleOf(maker)} gives ${shape}`;
}

/** The linear layer, behind all convolutions, that took maps whose width happens to be its number of features. @param {LayerStep[]} steps  of a whole pass @param {number[]} outputShape */
function wrongMaps(steps, outputShape) {
  const last = Math.max(0, steps.findLastIndex(hasWindows));
  const index = steps.findIndex((step, at) => at >= last && takesMaps(step, steps.slice(0, at)));
  if (index < 0 || outputShape.length < 3) return null;
  const { inputShape, outputShape: given } = steps[index];
  return problemAt("maps", steps, index, `${titleOf(steps[index])} gets maps, ${shapeText(namedShape(inputShape))}, and works on every row of ` +
    `${inputShape[3]} pixels by itself: it gives ${shapeText(namedShape(given))} instead of one row per image`);
}

/** The last step behind which the first axis is no longer the batch. @param {LayerStep[]} steps  of a whole pass @param {number[]} outputShape */
function lostBatch(steps, outputShape) {
  const index = outputShape.length && outputShape[0] !== BATCH ? steps.findLastIndex(losesBatch) : -1;
  if (index < 0) return null;
  const before = batchAsSequence(steps.slice(0, index));
  if (before) return before;
  const { inputShape, outputShape: given } = steps[index];
  const first = given.length ? `the first axis is ${given[0]}` : "no axis is left";
  return problemAt("batch", steps, index, `${titleOf(steps[index])} turns ${shapeText(inputShape)} into ${shapeText(given)}: ` +
    `${BATCH} images go in, but ${first} afterwards, and no longer the batch${fateOf(steps[index])}`);
}

/** @param {LayerStep} step */
export function losesBatch({ inputShape, outputShape, isUnknown }) {
  return !isUnknown && inputShape[0] === BATCH && outputShape[0] !== BATCH;
}

/** What became of the images when their numbers were regrouped. @param {LayerStep} step */
function fateOf({ layer, inputShape, outputShape }) {
  if (layer.type === "getitem") return ", because some images are left out";
  const reshapes = ["Flatten", "view"].includes(layer.type);
  const each = reshapes ? productOf(inputShape.slice(1)) / productOf(outputShape.slice(1)) : layer.type === "cat" ? outputShape[0] / BATCH : 0;
  if (!Number.isInteger(each) || each < 2) return MIXED;
  return `, because every image ${reshapes ? "is split into" : "has"} ${each} rows`;
}

const MIXED = ", so the numbers of different images are mixed";

/** The recurrent layer, if any, that takes the batch for a sequence. @param {LayerStep} step */
export function takesBatchSecond({ layer, inputShape }) {
  return kindOf(layer).macs === "per row" && inputShape.length === 3 && inputShape[0] === BATCH && !settingsOf(layer).batch_first;
}

/** @param {LayerStep[]} steps  of a whole pass, before one that loses the batch or to the end */
function batchAsSequence(steps) {
  const index = steps.findIndex(takesBatchSecond);
  if (index < 0) return null;
  const { inputShape } = steps[index];
  return problemAt("batch", steps, index, `${titleOf(steps[index])} has batch_first=False: it takes the first axis of ` +
    `${shapeText(inputShape)} for the sequence and the second for the batch${MIXED}`);
}

/** @param {{ layer: Layer }} step */
export function hasWindows({ layer }) {
  return !["", "all"].includes(kindOf(layer).window);
}

/** Does a linear layer get the maps of a convolution or pooling? @param {LayerStep} step @param {LayerStep[]} before */
export function takesMaps(step, before) {
  if (step.layer.type !== "Linear" || step.inputShape.length !== 4) return false;
  const source = sourcesOf(step, before).find((source) => hasWindows(source) || !kindOf(source.layer).pointwise);
  return source !== undefined && hasWindows(source);
}

/**
 * What PyTorch says of a step that failed, for the four failures that students meet most; empty for
 * all others. The sentences are those of one version.
 *
 * @param {LayerStep} step
 */
export function torchSentence({ layer, inputShape, misfit }) {
  const { window } = kindOf(layer);
  if (misfit?.kind === "features") return ofMatrices(settingsOf(layer), inputShape);
  if (misfit?.kind === "channels" && window) return ofChannels(layer, inputShape);
  if (misfit?.kind !== "size" || !["conv", "pool"].includes(window)) return "";
  const { kernel_size, stride, padding, dilation = 1, ceil_mode } = settingsOf(layer);
  const axes = alongAxes({ input_size: inputShape.slice(2), kernel_size, stride, padding: padding === "valid" ? 0 : padding, dilation });
  const windows = axes.map(([size, kernel, step, pad, gap]) => new SlidingWindow(size, kernel, step, 2 * pad, gap, ceil_mode));
  return window === "conv" ? ofKernel(windows) : ofPooling(windows, inputShape[1]);
}

/** @param {Settings} settings @param {number[]} shape */
function ofMatrices({ in_features, out_features }, shape) {
  const rows = productOf(shape.slice(0, -1));
  return `mat1 and mat2 shapes cannot be multiplied (${rows}x${shape.at(-1)} and ${in_features}x${out_features})`;
}

/** @param {Layer} layer @param {number[]} shape */
function ofChannels(layer, shape) {
  const { in_channels: needed, out_channels: made, kernel_size, padding } = settingsOf(layer);
  const isTransposed = kindOf(layer).window === "transpose";
  const weight = [...(isTransposed ? [needed, made] : [made, needed]), ...pair(kernel_size)];
  // Where padding='same' adds an odd number of pixels, PyTorch adds the odd one beforehand.
  const odd = padding === "same" ? windowsOver(layer, shape).map((window) => window.padding % 2) : [0, 0];
  const input = [...shape.slice(0, 2), ...shape.slice(2).map((size, axis) => size + odd[axis])];
  return `Given ${isTransposed ? "transposed" : "groups"}=1, weight of size [${weight.join(", ")}], expected ` +
    `input[${input.join(", ")}] to have ${needed} channels, but got ${shape[1]} channels instead`;
}

/** @param {SlidingWindow[]} windows */
function ofKernel(windows) {
  const padded = windows.map(({ inputSize, padding }) => inputSize + padding).join(" x ");
  const spans = windows.map(({ span }) => span).join(" x ");
  return `Calculated padded input size per channel: (${padded}). Kernel size: (${spans}). Kernel size can't be greater than actual input size`;
}

/** @param {SlidingWindow[]} windows @param {number} channels */
function ofPooling(windows, channels) {
  if (windows.some(({ padding, kernelSize }) => padding > kernelSize)) return "";
  const [given, made] = [windows.map(({ inputSize }) => inputSize), windows.map(({ outputSize }) => outputSize)];
  return `Given input size: (${[channels, ...given].join("x")}). Calculated output size: (${[channels, ...made].join("x")}). Output size is too small`;
}
