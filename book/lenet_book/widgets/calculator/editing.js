// @ts-check
/** What a reader changes in a stack: settings as they are typed, what of them is impossible, new layers. */
import { checkNumber, pythonText, refusalOf } from "../shared/formulas.js";
import { KINDS, checkSettings, freshName } from "./kinds.js";

const IMAGE_AXES = ["channels", "height", "width"];

/** Why an image cannot have this shape; empty when it can. @param {Setting[]} imageShape */
export function checkInput(imageShape) {
  return refusalOf(() => imageShape.forEach((size, axis) => checkNumber(IMAGE_AXES[axis], size)));
}

/** The first layer that cannot be made, and why. @param {Layer[]} layers */
export function firstProblem(layers) {
  for (const [index, layer] of layers.entries()) {
    const refusal = refusalOf(() => checkSettings(layer));
    if (refusal) return { index, refusal: `${layer.name}: ${refusal}` };
  }
  return null;
}

/** A new layer that fits what goes into it. @param {string} type @param {Layer[]} layers @param {number[]} shape @returns {Layer} */
export function freshLayer(type, layers, shape) {
  const { window, fits, width, stem } = KINDS[type];
  const isFirst = !layers.some((layer) => KINDS[layer.type].window === "conv");
  /** @type {Record<string, Settings>} */
  const kernels = {
    "": {},
    conv: { kernel_size: Math.min(5, ...shape.slice(2)) },
    transpose: { kernel_size: 2, stride: 2 },
    pool: { kernel_size: 2 },
  };
  const input = fits && { [fits.setting]: fits.noun === "channel" ? shape[1] : shape.at(-1) };
  const output = width && { [width]: window ? (isFirst ? 6 : 16) : 10 };
  return { name: freshName(stem, layers), type, settings: { ...input, ...(output || {}), ...kernels[window] } };
}

/** Read a setting: a number, one for each axis, a word, or what was typed instead. @param {string} text @returns {Setting} */
export function parseSetting(text) {
  const bare = text.trim().replace(/^[('"\s]+|[)'"\s]+$/g, "");
  if (bare === "") return "";
  const numbers = bare.split(/[\s,×x]+/).map(Number);
  if (numbers.some(Number.isNaN)) return bare;
  return numbers.length === 1 ? numbers[0] : numbers;
}

/** Write a setting as it can be typed. @param {Setting} setting */
export function typedText(setting) {
  if (setting === null) return "";
  if (typeof setting === "string") return setting;
  return Array.isArray(setting) ? setting.join(", ") : pythonText(setting);
}

/** The next possible value of a setting, as it can be typed. @param {string} text @param {number} change @param {number} smallest */
export function stepped(text, change, smallest) {
  const entry = parseSetting(text);
  const next = (/** @type {unknown} */ value) => Math.max(smallest, Number(((Number(value) || 0) + change).toFixed(1)));
  return typedText(Array.isArray(entry) ? entry.map(next) : next(entry));
}
