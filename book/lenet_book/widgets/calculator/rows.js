// @ts-check
/** The table of a stack, row for row and word for word as lenet.shapes.trace gives it. */
import { windowsFormula, windowsNote } from "../shared/formulas.js";
import { productOf } from "../shared/numbers.js";
import { SlidingWindow } from "../shared/windows.js";
import { KINDS, layerCode, settingsOf } from "./kinds.js";
import { BATCH, numMacs, numParameters, windowsUnder } from "./layers.js";

/** @typedef {import("../shared/formulas.js").WindowOrSpread} WindowOrSpread */
/** @typedef {import("./layers.js").Step} Step */
/** @typedef {{ size: number[], jump: number[] }} Field */

/** @typedef {ReturnType<typeof tabulate>[number]} Row  as lenet.shapes.Row */

/** @param {Step[]} steps */
export function tabulate(steps) {
  /** @type {Field | null} */
  let field = { size: [1, 1], jump: [1, 1] };
  return steps.map((step) => {
    const windows = windowsUnder(step);
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
      numBiasAdditions: macs && settingsOf(step.layer).bias ? productOf(step.outputShape) / BATCH : 0,
      receptiveField: field?.size ?? null,
      jump: field?.jump ?? null,
    };
  });
}

/**
 * A receptive field seen through one more layer.
 *
 * @param {Step} step @param {WindowOrSpread[] | null} windows @param {Field} field
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
 *
 * @param {Step} step @param {WindowOrSpread[] | null} windows
 */
function formulaOf({ layer, inputShape, outputShape }, windows) {
  if (windows) return windowsFormula(windows);
  const { formula } = KINDS[layer.type];
  if (formula === "features") return `${inputShape.at(-1)} → ${outputShape.at(-1)}`;
  return formula === "flatten" ? `${inputShape.slice(1).join("·")} = ${outputShape[1]}` : "";
}

/** Write N for the batch axis. @param {number[]} shape @returns {(number | string)[]} */
export function namedShape(shape) {
  return ["N", ...shape.slice(1)];
}
