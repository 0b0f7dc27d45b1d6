// @ts-check
// Changes that a reader makes to a stack, and what of it is impossible before anything runs.

import { KINDS, checkSettings, freshName } from "./layers.js";
import { ShapeError, checkNumber } from "../shared/formulas.js";

/** @typedef {import("./layers.js").Layer} Layer */
/** @typedef {import("./layers.js").Setting} Setting */
/** @typedef {import("./layers.js").Settings} Settings */

const AXES = ["channels", "height", "width"];

/**
 * Why an image cannot have this shape; empty when it can.
 *
 * @param {Setting[]} imageShape
 */
export function checkInput(imageShape) {
  return refusalOf(() => imageShape.forEach((size, axis) => checkNumber(AXES[axis], size)));
}

/**
 * The first layer that cannot be made, and why.
 *
 * @param {Layer[]} layers
 */
export function firstProblem(layers) {
  for (const [index, layer] of layers.entries()) {
    const refusal = refusalOf(() => checkSettings(layer));
    if (refusal) return { index, refusal: `${layer.name}: ${refusal}` };
  }
  return null;
}

/** @param {() => void} check */
function refusalOf(check) {
  try {
    check();
    return "";
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
}

/**
 * A new layer that fits what goes into it.
 *
 * @param {string} type @param {Layer[]} layers @param {number[]} shape
 * @returns {Layer}
 */
export function freshLayer(type, layers, shape) {
  return { name: freshName(KINDS[type].stem, layers), type, settings: fittingSettings(type, layers, shape) };
}

/** @param {string} type @param {Layer[]} layers @param {number[]} shape @returns {Settings} */
function fittingSettings(type, layers, shape) {
  const isFirst = !layers.some((layer) => layer.type === "Conv2d");
  const kernel = Math.min(5, ...shape.slice(2));
  const fitting = {
    Conv2d: { in_channels: shape[1], out_channels: isFirst ? 6 : 16, kernel_size: kernel },
    ConvTranspose2d: { in_channels: shape[1], out_channels: isFirst ? 6 : 16, kernel_size: 2, stride: 2 },
    MaxPool2d: { kernel_size: 2 },
    AvgPool2d: { kernel_size: 2 },
    Linear: { in_features: shape[shape.length - 1], out_features: 10 },
    BatchNorm2d: { num_features: shape[1] },
  };
  return fitting[/** @type {keyof typeof fitting} */ (type)] ?? {};
}

/**
 * @param {Layer[]} layers @param {number} from @param {number} to
 */
export function moved(layers, from, to) {
  return spliced(spliced(layers, from, 1), to, 0, layers[from]);
}

/**
 * A copy of a list with some layers taken out at an index and others put in.
 *
 * @param {Layer[]} layers @param {number} at @param {number} numRemoved @param {...Layer} added
 */
export function spliced(layers, at, numRemoved, ...added) {
  return [...layers.slice(0, at), ...added, ...layers.slice(at + numRemoved)];
}
