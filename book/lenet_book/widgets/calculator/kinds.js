// @ts-check
/** The kinds of layers and a layer's settings: the table of lenet/shapes/kinds.py. */
import { ShapeError, alongAxes, checkNumber, convWindow, pythonText } from "../shared/formulas.js";

/** @type {Record<string, Kind>} */
export const KINDS = fromPython("lenet_book.widgets.calculator.kinds:known");

/** @type {Kind} */
const UNKNOWN_KIND = { settings: {}, axes: null, input_dims: [], window: "", fits: null, width: "", macs: "", pointwise: false, formula: "", stem: "" };

/** @param {{ type: string }} layer */
export function kindOf({ type }) {
  return KINDS[type] ?? UNKNOWN_KIND;
}

/**
 * All settings of a layer: those given, and the defaults of the rest. A pooling's stride is its
 * kernel size from the moment the layer is made.
 *
 * @param {Pick<Layer, "type" | "settings">} layer @returns {Settings}
 */
export function settingsOf({ type, settings }) {
  const defaults = Object.entries(kindOf({ type }).settings).map(([name, setting]) => [name, setting.default]);
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
  for (const [name, { type }] of Object.entries(kindOf(layer).settings).filter(([, setting]) => setting.shown)) {
    const value = all[name];
    if (type === "int") checkNumber(name, value);
    else if (type === "float") checkFloat(name, value);
    else if (type === "size or name" && typeof value === "string") sizes[name] = [0, 0];
    else if (type.startsWith("size")) sizes[name] = pair(value);
    if (sizes[name] && sizes[name].length !== 2) throw new ShapeError(`${name} is ${pythonText(value)}: ${value.length} numbers for 2 axes`);
  }
  alongAxes(sizes);
  if (typeof all.padding !== "string") return;
  const { kernel_size, stride, dilation } = sizes;
  kernel_size.forEach((size, axis) => convWindow([1, size, stride[axis], 0, dilation[axis]], all.padding));
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

/** Write a setting; a square size such as (5, 5) as one number. @param {Setting} setting */
export function settingText(setting) {
  const isSquare = Array.isArray(setting) && new Set(setting.map(String)).size === 1;
  return pythonText(isSquare ? setting[0] : setting);
}

/** Write a layer as it is constructed, without the settings that are defaults. @param {Pick<Layer, "type" | "settings">} layer */
export function layerCode(layer) {
  const all = settingsOf(layer);
  /** @type {string[]} */
  const written = [];
  for (const [name, { required, default: otherwise }] of Object.entries(kindOf(layer).settings)) {
    const usual = otherwise ?? (name === "stride" ? all.kernel_size : null);
    if (all[name] === null || (!required && isUsual(all[name], usual))) continue;
    const text = LISTS.includes(name) ? pythonText(all[name]) : settingText(all[name]);
    const isNamed = written.some((before) => before.includes("=")) || !(required && POSITIONAL.test(name));
    written.push(isNamed ? `${name}=${text}` : text);
  }
  return `${layer.type}(${written.join(", ")})`;
}

const POSITIONAL = /^(in_|out_|num_|input_size|hidden_size)/;
const LISTS = ["normalized_shape", "unflattened_size"]; // of which one number means something else

/** @param {Setting} value @param {Setting} usual */
function isUsual(value, usual) {
  if (Array.isArray(value) && !Array.isArray(usual)) return value.every((number) => number === usual);
  return JSON.stringify(value) === JSON.stringify(usual);
}
