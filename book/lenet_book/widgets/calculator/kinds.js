// @ts-check
/** The layers that the calculator offers, and a layer's settings: the table of lenet/shapes/kinds.py. */
import { ShapeError, alongAxes, checkNumber, convWindow, pythonText } from "../shared/formulas.js";

/** @type {Record<string, Kind>} */
export const KINDS = fromPython("lenet_book.widgets.calculator.kinds:offered");

/**
 * All settings of a layer: those given, and the defaults of the rest. A pooling's stride is its
 * kernel size from the moment the layer is made.
 *
 * @param {Pick<Layer, "type" | "settings">} layer @returns {Settings}
 */
export function settingsOf({ type, settings }) {
  const defaults = Object.entries(KINDS[type].settings).map(([name, setting]) => [name, setting.default]);
  const all = { ...Object.fromEntries(defaults), ...settings };
  if ("stride" in all) all.stride ??= all.kernel_size;
  return all;
}

/** Height and width of a setting. @param {Setting} setting @returns {number[]} */
export function pair(setting) {
  return /** @type {number[]} */ (Array.isArray(setting) ? setting : [setting, setting]);
}

/** Refuse settings with which no layer can be made, by a `ShapeError`. @param {Layer} layer */
export function checkSettings(layer) {
  const all = settingsOf(layer);
  /** @type {Record<string, number[]>} */
  const sizes = {};
  for (const [name, { type }] of Object.entries(KINDS[layer.type].settings)) {
    const value = all[name];
    if (type === "int") checkNumber(name, value);
    else if (type === "float") checkFloat(name, value);
    else if (type === "size or name" && typeof value === "string") sizes[name] = [0, 0];
    else if (type.startsWith("size")) sizes[name] = checkedPair(name, value);
  }
  alongAxes(sizes);
  if (typeof all.padding !== "string") return;
  const { kernel_size, stride, dilation } = sizes;
  kernel_size.forEach((size, axis) => convWindow([1, size, stride[axis], 0, dilation[axis]], all.padding));
}

/** @param {string} name @param {Setting} value */
function checkedPair(name, value) {
  if (!Array.isArray(value) || value.length === 2) return pair(value);
  throw new ShapeError(`${name} is ${pythonText(value)}: ${value.length} numbers for 2 axes`);
}

/** @param {string} name @param {Setting} value */
function checkFloat(name, value) {
  const isShare = name === "p"; // a probability
  if (typeof value === "number" && !(isShare && (value < 0 || value > 1))) return;
  throw new ShapeError(`${name} is ${pythonText(value)}: it must be a number${isShare ? " between 0 and 1" : ""}`);
}

/** A name that no layer has yet. @param {string} stem @param {Layer[]} layers */
export function freshName(stem, layers) {
  const taken = new Set(layers.map((layer) => layer.name));
  if (stem === "flatten" && !taken.has(stem)) return stem;
  let number = 1;
  while (taken.has(`${stem}${number}`)) number += 1;
  return `${stem}${number}`;
}

// ---------------------------------------------------------------------------- settings as text

/** Write a setting; a square size such as (5, 5) as one number. @param {Setting} setting */
export function settingText(setting) {
  const isSquare = Array.isArray(setting) && new Set(setting).size === 1;
  return pythonText(isSquare ? setting[0] : setting);
}

/** Write a layer as it is constructed, without the settings that are defaults. @param {Pick<Layer, "type" | "settings">} layer */
export function layerCode(layer) {
  const all = settingsOf(layer);
  const written = Object.entries(KINDS[layer.type].settings).flatMap(([name, { type, required, default: otherwise }]) => {
    if (required && type === "int") return [settingText(all[name])];
    const usual = name === "stride" ? otherwise ?? all.kernel_size : otherwise;
    return !required && isUsual(all[name], usual) ? [] : [`${name}=${settingText(all[name])}`];
  });
  return `${layer.type}(${written.join(", ")})`;
}

/** @param {Setting} value @param {Setting} usual */
function isUsual(value, usual) {
  if (Array.isArray(value) && !Array.isArray(usual)) return value.every((number) => number === usual);
  return JSON.stringify(value) === JSON.stringify(usual);
}
