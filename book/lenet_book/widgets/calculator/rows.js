// @ts-check
/** What is written of a stack: the table, row for row and word for word as lenet.shapes.trace gives it, and the code. */
import { windowsFormula, windowsNote } from "../shared/formulas.js";
import { productOf } from "../shared/numbers.js";
import { shapeText } from "../shared/text.js";
import { SlidingWindow } from "../shared/windows.js";
import { KINDS, layerCode, settingsOf } from "./kinds.js";
import { BATCH, numMacs, numParameters, windowsOver } from "./layers.js";

const PLAIN_NAME = /^[A-Za-z_][\w.]*$/; // others could break out of a comment

/** @param {LayerStep[]} steps @returns {Row[]} */
export function tabulate(steps) {
  /** @type {Field | null} */
  let field = { size: [1, 1], jump: [1, 1] };
  return steps.map((step) => {
    const windows = windowsOver(step.layer, step.inputShape);
    const macs = numMacs(step);
    field = field && fieldThrough(step, windows, field);
    return {
      name: step.layer.name,
      operation: layerCode(step.layer),
      formula: formulaOf(step, windows),
      note: windowsNote(windows),
      outputShape: namedShape(step.outputShape),
      numParameters: numParameters(step.layer),
      numMacs: macs / BATCH,
      numBiasAdditions: macs && settingsOf(step.layer).bias ? productOf(step.outputShape) / BATCH : 0,
      receptiveField: field?.size ?? null,
      jump: field?.jump ?? null,
    };
  });
}

/** A receptive field seen through one more layer. @param {LayerStep} step @param {WindowOrSpread[]} windows @param {Field} field */
function fieldThrough(step, windows, { size, jump }) {
  if (KINDS[step.layer.type].pointwise) return { size, jump };
  const sliding = windows.filter((window) => window instanceof SlidingWindow);
  if (!sliding.length) return null;
  return {
    size: sliding.map((window, axis) => size[axis] + (window.span - 1) * jump[axis]),
    jump: sliding.map((window, axis) => jump[axis] * window.stride),
  };
}

/** The output size as a formula with numbers; empty where the size stays. @param {LayerStep} step @param {WindowOrSpread[]} windows */
function formulaOf({ layer, inputShape, outputShape }, windows) {
  if (windows.length) return windowsFormula(windows);
  const { formula } = KINDS[layer.type];
  if (formula === "features") return `${inputShape.at(-1)} → ${outputShape.at(-1)}`;
  return formula === "flatten" ? `${inputShape.slice(1).join("·")} = ${outputShape[1]}` : "";
}

/** Write N for the batch axis. @param {(number | string)[]} shape */
export function namedShape(shape) {
  return ["N", ...shape.slice(1)];
}

/** The PyTorch code of a stack, and of a call that shows what comes out. @param {Layer[]} layers @param {number[]} imageShape @param {Pass} pass */
export function networkCode(layers, imageShape, pass) {
  const lines = layers.map((layer, index) => {
    const step = pass.steps[index];
    const name = PLAIN_NAME.test(layer.name) ? `${layer.name}: ` : "";
    const misfit = pass.failed?.layer === layer ? "does not fit" : "not reached";
    const comment = `${name}${step ? shapeText(namedShape(step.outputShape)) : misfit}`;
    return `    nn.${layerCode(layer)},  # ${comment}`;
  });
  const output = pass.failed ? "" : `  # torch.Size([${lastShape(imageShape, pass.steps).join(", ")}])`;
  return [
    "import torch", "from torch import nn", "",
    "network = nn.Sequential(", ...lines, ")",
    `images = torch.rand(${[BATCH, ...imageShape].join(", ")})`,
    `print(network(images).shape)${output}`, "",
  ].join("\n");
}

/** What comes out of the last of some steps. @param {number[]} imageShape @param {LayerStep[]} steps */
export function lastShape(imageShape, steps) {
  return steps.at(-1)?.outputShape ?? [BATCH, ...imageShape];
}
