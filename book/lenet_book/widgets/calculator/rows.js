// @ts-check
/** What is written of a stack: the table, row for row and word for word as lenet.shapes.trace gives it, and the code. */
import { windowsFormula, windowsNote } from "../shared/formulas.js";
import { productOf } from "../shared/numbers.js";
import { shapeText } from "../shared/text.js";
import { SlidingWindow } from "../shared/windows.js";
import { kindOf, layerCode } from "./kinds.js";
import { BATCH, coveringWindows, numBiasAdditions, numMacs, numParameters, windowsOver } from "./layers.js";

/** @param {LayerStep[]} steps @returns {Row[]} */
export function tabulate(steps) {
  /** @type {(Field | null)[]} */
  const fields = [];
  return steps.map((step, index) => {
    const windows = step.isUnknown ? [] : [...windowsOver(step.layer, step.inputShape), ...coveringWindows(step)];
    const macs = step.isUnknown ? 0 : numMacs(step);
    const field = step.isUnknown ? null : fieldOf(step, windows, fields, index);
    fields.push(field);
    return {
      name: step.layer.name,
      operation: step.operation ?? layerCode(step.layer),
      formula: step.isUnknown ? "" : formulaOf(step, windows),
      note: windowsNote(windows),
      outputShape: namedShape(step.outputShape),
      numParameters: step.numParameters ?? numParameters(step.layer),
      numMacs: Math.floor(macs / BATCH),
      numBiasAdditions: macs ? Math.floor(numBiasAdditions(step) / BATCH) : 0,
      receptiveField: field?.size ?? null,
      jump: field?.jump ?? null,
    };
  });
}

/** The receptive field of a step's units. @param {LayerStep} step @param {WindowOrSpread[]} windows @param {(Field | null)[]} fields  of the steps before @param {number} index */
function fieldOf(step, windows, fields, index) {
  const shapes = step.inputShapes ?? [step.inputShape];
  const sources = step.sources ?? [index - 1];
  const arriving = shapes.flatMap((shape, at) => {
    const source = sources[at];
    return source === null ? [] : [{ pixels: shape.slice(2), field: source < 0 ? pixelOf(shape) : fields[source] }];
  });
  if (windows.length) return arriving[0]?.field ? fieldThrough(windows, arriving[0].field) : null;
  return isPointwise(step) ? mergedField(step.outputShape.slice(2), arriving) : null;
}

/** @param {number[]} shape @returns {Field | null} */
function pixelOf(shape) {
  const ones = shape.slice(2).map(() => 1);
  return ones.length ? { size: ones, jump: ones } : null;
}

/** Does every unit depend on the units at its own place only? @param {LayerStep} step */
function isPointwise(step) {
  const { pointwise, formula } = kindOf(step.layer);
  const { dim = formula === "join" ? 0 : 1 } = { ...step.layer.settings };
  const numAxes = Math.max(step.inputShape.length, 1);
  return pointwise && (dim === null || (((dim % numAxes) + numAxes) % numAxes) === 1);
}

/** Branches that are joined: the largest field, and the jump that they agree on. @param {number[]} pixels @param {{ pixels: number[], field: Field | null }[]} arriving @returns {Field | null} */
function mergedField(pixels, arriving) {
  const fields = arriving.flatMap(({ field }) => field ?? []);
  if (!fields.length || fields.length < arriving.length || new Set(fields.map((field) => field.size.length)).size > 1) return null;
  const jumps = arriving.filter((each) => String(each.pixels) === String(pixels)).map(({ field }) => field?.jump ?? null);
  const size = fields[0].size.map((_, axis) => Math.max(...fields.map((field) => field.size[axis])));
  return { size, jump: new Set(jumps.map(String)).size === 1 ? jumps[0] : null };
}

/** A receptive field seen through windows. @param {WindowOrSpread[]} windows @param {Field} field @returns {Field | null} */
function fieldThrough(windows, { size, jump }) {
  const sliding = windows.filter((window) => window instanceof SlidingWindow);
  if (!sliding.length || !jump) return null;
  return {
    size: sliding.map((window, axis) => size[axis] + (window.span - 1) * jump[axis]),
    jump: sliding.map((window, axis) => jump[axis] * window.stride),
  };
}

/** The output size as a formula with numbers; empty where the size stays. @param {LayerStep} step @param {WindowOrSpread[]} windows */
function formulaOf({ layer, inputShape, inputShapes = [inputShape], outputShape }, windows) {
  if (windows.length) return windowsFormula(windows);
  const { formula } = kindOf(layer);
  if (formula === "features") return `${inputShape.at(-1)} → ${outputShape.at(-1)}`;
  const sizes = inputShape.slice(1);
  if (formula === "flatten") return outputShape.length === 2 && outputShape[1] === productOf(sizes) ? `${sizes.join("·")} = ${outputShape[1]}` : "";
  if (formula !== "join") return "";
  const axis = layer.settings.dim ?? 0;
  return `${inputShapes.map((shape) => shape.at(axis)).join(" + ")} = ${outputShape.at(axis)}`;
}

/** Write N for the batch axis. @param {(number | string)[]} shape */
export function namedShape(shape) {
  return shape[0] === BATCH ? ["N", ...shape.slice(1)] : shape;
}

/** The PyTorch code of a stack, under the names that fixes use, and of a call that shows what comes out. @param {Layer[]} layers @param {number[]} imageShape @param {Pass} pass */
export function networkCode(layers, imageShape, pass) {
  const lines = layers.map((layer, index) => {
    const step = pass.steps[index];
    const misfit = pass.failed?.layer === layer ? "does not fit" : "not reached";
    const comment = step ? shapeText(namedShape(step.outputShape)) : misfit;
    return `    ${JSON.stringify(layer.name)}: nn.${layerCode(layer)},  # ${comment}`;
  });
  const output = pass.failed ? "" : `  # torch.Size([${lastShape(imageShape, pass.steps).join(", ")}])`;
  return [
    "from collections import OrderedDict", "", "import torch", "from torch import nn", "",
    "model = nn.Sequential(OrderedDict({", ...lines, "}))",
    `images = torch.rand(${[BATCH, ...imageShape].join(", ")})`,
    `print(model(images).shape)${output}`, "",
  ].join("\n");
}

/** What comes out of the last of some steps. @param {number[]} imageShape @param {LayerStep[]} steps */
export function lastShape(imageShape, steps) {
  return steps.at(-1)?.outputShape ?? [BATCH, ...imageShape];
}
