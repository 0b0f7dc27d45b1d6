// @ts-check
/** Changes that a reader makes to a stack, and what of it is impossible before anything runs. */
import { checkNumber, refusalOf } from "../shared/formulas.js";
import { KINDS, checkSettings, freshName } from "./kinds.js";

/** @typedef {import("./kinds.js").Layer} Layer */
/** @typedef {import("./kinds.js").Setting} Setting */

const AXES = ["channels", "height", "width"];

/** Why an image cannot have this shape; empty when it can. @param {Setting[]} imageShape */
export function checkInput(imageShape) {
  return refusalOf(() => imageShape.forEach((size, axis) => checkNumber(AXES[axis], size)));
}

/** The first layer that cannot be made, and why. @param {Layer[]} layers */
export function firstProblem(layers) {
  for (const [index, layer] of layers.entries()) {
    const refusal = refusalOf(() => checkSettings(layer));
    if (refusal) return { index, refusal: `${layer.name}: ${refusal}` };
  }
  return null;
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

/** @param {string} type @param {Layer[]} layers @param {number[]} shape */
function fittingSettings(type, layers, shape) {
  const { window, fits, width } = KINDS[type];
  const isFirst = !layers.some((layer) => KINDS[layer.type].window === "conv");
  const kernels = {
    "": {},
    conv: { kernel_size: Math.min(5, ...shape.slice(2)) },
    transpose: { kernel_size: 2, stride: 2 },
    pool: { kernel_size: 2 },
  };
  const input = fits && { [fits.setting]: fits.noun === "channel" ? shape[1] : shape.at(-1) };
  const output = width && { [width]: window ? (isFirst ? 6 : 16) : 10 };
  return { ...input, ...(output || {}), ...kernels[window] };
}

/** @param {Layer[]} layers @param {number} from @param {number} to */
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
