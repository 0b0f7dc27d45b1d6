// @ts-check
/** The kinds of layers and a layer's settings: the table of lenet/shapes/kinds.py. */
import { ShapeError, alongAxes, convWindow, pythonText } from "../shared/formulas.js";

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

/** Refuse settings with which no layer can be made, by a `ShapeError`. @param {Pick<Layer, "type" | "settings">} layer */
export function checkSettings(layer) {
  const all = settingsOf(layer);
  const { settings, axes } = kindOf(layer);
  /** @type {Record<string, Size>} */
  const sizes = {};
  for (const [name, { type, shown }] of Object.entries(settings)) {
    const value = all[name];
    if (type === "float" && shown && value !== null) checkFloat(name, value);
    const isName = type === "size or name" && typeof value === "string";
    if (SIZES.test(name) && value !== null) sizes[name] = isName ? 0 : value;
    const isTooLong = name in sizes && axes && Array.isArray(value) && value.length !== axes;
    if (isTooLong) throw new ShapeError(`${name} is ${pythonText(value)}: ${value.length} numbers for ${axes} axes`);
  }
  alongAxes(sizes);
  const divided = [["groups", "in_channels", "out_channels"], ["num_groups", "num_channels"], ["num_heads", "embed_dim"]];
  for (const [name, ...wholes] of divided) {
    const counts = wholes.map((whole) => all[whole]);
    const noun = name === "num_heads" ? "features" : "channels";
    if (counts.some((count) => count % all[name])) throw new ShapeError(`${name} is ${all[name]}, which does not divide ${counts.join(" and ")} ${noun}`);
  }
  const { kernel_size, stride, dilation = 1, padding } = all;
  if (typeof padding !== "string") return;
  for (const [size, step, gap] of alongAxes({ kernel_size, stride, dilation })) convWindow([1, size, step, 0, gap], padding);
}

const SIZES = /^(in_.*|out_.*|num_(features|channels)|(hidden|kernel)_size|stride|(output_)?padding|dilation|groups)$/;

/** @param {string} name @param {Setting} value */
function checkFloat(name, value) {
  const isShare = name === "p"; // a probability
  const number = value?.valueOf(); // in a program, it may be unknown
  if (typeof number === "object" || (typeof number === "number" && !(isShare && (number < 0 || number > 1)))) return;
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
    const text = LISTS.includes(name) && all[name].length > 1 ? pythonText(all[name]) : settingText(all[name]);
    const isNamed = written.some((before) => before.includes("=")) || !(required && POSITIONAL.test(name));
    written.push(isNamed ? `${name}=${text}` : text);
  }
  return `${layer.type}(${written.join(", ")})`;
}

const POSITIONAL = /^(in_|out_|num_|embed_dim|input_size|hidden_size)/;
const LISTS = ["normalized_shape", "unflattened_size"]; // of which one number means something else

/** @param {Setting} value @param {Setting} usual */
function isUsual(value, usual) {
  if (Array.isArray(value) && !Array.isArray(usual)) return value.every((number) => number === usual);
  return JSON.stringify(value) === JSON.stringify(usual);
}
