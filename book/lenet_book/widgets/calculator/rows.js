// @ts-check
// The table of a stack, row for row and word for word as lenet.shapes.trace gives it.

import { BATCH, IS_WIDTH, KINDS, numMacs, numParameters, product, settingsOf, windowsOf } from "./layers.js";
import { pythonText, windowsFormula, windowsNote } from "../shared/formulas.js";
import { SlidingWindow } from "../shared/windows.js";

/** @typedef {import("./layers.js").Setting} Setting */
/** @typedef {import("./layers.js").Settings} Settings */
/** @typedef {import("./layers.js").Step} Step */
/** @typedef {import("../shared/formulas.js").WindowOrSpread} WindowOrSpread */
/** @typedef {{size: number[], jump: number[]}} Field */
/**
 * @typedef {object} Row one row of the table, as lenet.shapes.Row
 * @property {string} name
 * @property {string} operation
 * @property {string} formula
 * @property {string} note
 * @property {(number | string)[]} outputShape
 * @property {number} numParameters
 * @property {number} numMacs
 * @property {number} numBiasAdditions
 * @property {number[] | null} receptiveField
 * @property {number[] | null} jump
 */

/**
 * @param {Step[]} steps
 * @returns {Row[]}
 */
export function tabulate(steps) {
  /** @type {Field | null} */
  let field = { size: [1, 1], jump: [1, 1] };
  return steps.map((step) => {
    const windows = windowsOf(step);
    field = field && fieldThrough(step, windows, field);
    const macs = numMacs(step);
    return {
      name: step.layer.name,
      operation: layerCode(step.layer.type, settingsOf(step.layer)),
      formula: formulaOf(step, windows),
      note: windows ? windowsNote(windows) : "",
      outputShape: namedShape(step.outputShape),
      numParameters: numParameters(step.layer),
      numMacs: macs / BATCH,
      numBiasAdditions: macs && settingsOf(step.layer).bias ? product(step.outputShape) / BATCH : 0,
      receptiveField: field?.size ?? null,
      jump: field?.jump ?? null,
    };
  });
}

/**
 * A receptive field seen through one more layer.
 * @param {Step} step
 * @param {WindowOrSpread[] | null} windows
 * @param {Field} field
 * @returns {Field | null}
 */
function fieldThrough(step, windows, { size, jump }) {
  if (KINDS[step.layer.type].pointwise) return { size, jump };
  const sliding = windows?.filter((window) => window instanceof SlidingWindow) ?? [];
  if (!sliding.length) return null;
  return {
    size: sliding.map((window, axis) => size[axis] + (window.span - 1) * jump[axis]),
    jump: sliding.map((window, axis) => jump[axis] * window.stride),
  };
}

/**
 * The output size as a formula with numbers; empty where the size stays.
 * @param {Step} step
 * @param {WindowOrSpread[] | null} windows
 */
function formulaOf({ layer, inputShape, outputShape }, windows) {
  if (windows) return windowsFormula(windows);
  if (layer.type === "Linear") {
    return `${inputShape[inputShape.length - 1]} → ${outputShape[outputShape.length - 1]}`;
  }
  if (layer.type === "Flatten") return `${inputShape.slice(1).join("·")} = ${outputShape[1]}`;
  return "";
}

/**
 * Write N for the batch axis.
 * @param {number[]} shape
 * @returns {(number | string)[]}
 */
export function namedShape(shape) {
  return ["N", ...shape.slice(1)];
}

/**
 * Write a setting; a square size such as (5, 5) as one number.
 * @param {Setting} setting
 */
export function settingText(setting) {
  const square = Array.isArray(setting) && new Set(setting).size === 1;
  return pythonText(square ? setting[0] : setting);
}

/**
 * Write a layer as it is constructed, without the settings that are defaults.
 * @param {string} type
 * @param {Settings} settings all of them
 */
export function layerCode(type, settings) {
  const written = Object.entries(KINDS[type].defaults).flatMap(([name, otherwise]) => {
    const value = settings[name];
    if (IS_WIDTH.test(name)) return [settingText(value)];
    const usual = name === "stride" ? otherwise ?? settings.kernel_size : otherwise;
    return usual !== null && isUsual(value, usual) ? [] : [`${name}=${settingText(value)}`];
  });
  return `${type}(${written.join(", ")})`;
}

/**
 * @param {Setting} value
 * @param {Setting} usual
 */
function isUsual(value, usual) {
  if (Array.isArray(value) && !Array.isArray(usual)) return value.every((number) => number === usual);
  return JSON.stringify(value) === JSON.stringify(usual);
}
