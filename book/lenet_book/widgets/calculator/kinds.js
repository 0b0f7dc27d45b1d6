// @ts-check
/** The layers that the calculator offers, and a layer's settings: the table of lenet/shapes/kinds.py. */
import { ShapeError, alongAxes, checkNumber, convWindow, pythonText } from "../shared/formulas.js";

/** @typedef {number | number[] | string | boolean | null} Setting */
/** @typedef {Record<string, any>} Settings  by name, each a `Setting` */
/** @typedef {{ name: string, type: string, settings: Settings }} Layer */

/**
 * What there is to know about a type of layer; kinds.py has the meanings. Settings stand in the order
 * of the constructor.
 *
 * @typedef {{ settings: Record<string, { type: string, default: Setting, required: boolean }>, input_dims: number[],
 *   window: "" | "conv" | "pool" | "transpose", fits: { setting: string, axis: number, noun: "channel" | "feature" } | null,
 *   width: string, macs: "" | "per output" | "per input" | "sum", pointwise: boolean, formula: "" | "features" | "flatten",
 *   stem: string }} Kind
 */

/** @type {Record<string, Kind>} */
export const KINDS = fromPython("lenet_book.widgets.calculator.kinds:offered");

/**
 * All settings of a layer: those given, and the defaults of the rest. A pooling's stride is its
 * kernel size from the moment the layer is made.
 *
 * @param {Layer} layer
 * @returns {Settings}
 */
export function settingsOf(layer) {
  const known = KNOWN_SETTINGS.get(layer);
  if (known) return known;
  const defaults = Object.entries(KINDS[layer.type].settings).map(([name, setting]) => [name, setting.default]);
  const all = { ...Object.fromEntries(defaults), ...layer.settings };
  if ("stride" in all) all.stride ??= all.kernel_size;
  KNOWN_SETTINGS.set(layer, all);
  return all;
}

/** A search for fixes asks for the same ones thousands of times. @type {WeakMap<Layer, Settings>} */
const KNOWN_SETTINGS = new WeakMap();

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
  const [kernel, stride, dilation] = [sizes.kernel_size, sizes.stride, sizes.dilation];
  kernel.forEach((size, axis) => convWindow([1, size, stride[axis], 0, dilation[axis]], all.padding));
}

/** @param {string} name @param {Setting} value */
function checkedPair(name, value) {
  if (Array.isArray(value) && value.length !== 2) {
    throw new ShapeError(`${name} is ${pythonText(value)}: ${value.length} numbers for 2 axes`);
  }
  return pair(value);
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

/**
 * Write a layer as it is constructed, without the settings that are defaults.
 *
 * @param {string} type @param {Settings} settings  all of them
 */
export function layerCode(type, settings) {
  const written = Object.entries(KINDS[type].settings).flatMap(([name, setting]) => {
    const value = settings[name];
    if (setting.required && setting.type === "int") return [settingText(value)];
    const usual = name === "stride" ? setting.default ?? settings.kernel_size : setting.default;
    return !setting.required && isUsual(value, usual) ? [] : [`${name}=${settingText(value)}`];
  });
  return `${type}(${written.join(", ")})`;
}

/** @param {Setting} value @param {Setting} usual */
function isUsual(value, usual) {
  if (Array.isArray(value) && !Array.isArray(usual)) return value.every((number) => number === usual);
  return JSON.stringify(value) === JSON.stringify(usual);
}
