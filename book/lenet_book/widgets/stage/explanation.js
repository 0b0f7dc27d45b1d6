// @ts-check
/** Where a number of a network comes from: the units it was computed from, and the arithmetic. */
import { divisorOf, need, softmaxParts, windowsOf } from "./engine.js";
import { sumOf } from "../shared/numbers.js";

const MIXING = ["conv", "linear", "softmax", "logSoftmax", "recorded"];

/** Does a step with this shape have such a unit? @param {Unit} unit @param {number[]} shape */
export function isUnit(unit, shape) {
  return shape.length > 0 && unit.length === shape.length && unit.every((place, axis) => Number.isInteger(place) && place >= 0 && place < shape[axis]);
}

/** The place of a unit among all numbers of its step. @param {Unit} unit @param {number[]} shape */
export function flatIndex(unit, shape) {
  return unit.reduce((index, place, axis) => index * shape[axis] + place, 0);
}

/** The unit at a place: the reverse of `flatIndex`. @param {number} index @param {number[]} shape @returns {Unit} */
export function unitAt(index, shape) {
  const unit = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    unit[axis] = index % shape[axis];
    index = Math.floor(index / shape[axis]);
  }
  return unit;
}

// ---------------------------------------------------------------------------- boxes

/** The box of a single unit. @param {Unit} unit @returns {Box} */
export function boxOf(unit) {
  return unit.map((place) => [place, place + 1]);
}

/** The box of all units. @param {number[]} shape @returns {Box} */
function wholeBox(shape) {
  return shape.map((size) => [0, size]);
}

/** What a box of a step's output was computed from, in the input it names first. @param {Instruction[]} program @param {number} step @param {Box} box @returns {Box} */
export function boxBelow(program, step, box) {
  const instruction = program[step];
  const below = program[instruction.inputs[0]].shape;
  switch (instruction.kind) {
    case "conv":
      return [channelsOfGroup(instruction, box[0], below[0]), ...windowRanges(instruction, box, below)];
    case "maxPool":
    case "avgPool":
      return [box[0], ...windowRanges(instruction, box, below)];
    case "reshape": {
      const isSingle = box.every(([from, to]) => to - from === 1);
      return isSingle ? boxOf(unitAt(flatIndex(box.map(([from]) => from), instruction.shape), below)) : wholeBox(below);
    }
    default: // nothing else looks further than at its own place
      return MIXING.includes(instruction.kind) ? wholeBox(below) : box;
  }
}

/** @param {Instruction} instruction @param {[number, number]} filters @param {number} channels @returns {[number, number]} */
function channelsOfGroup({ groups = 1, shape }, [from, to], channels) {
  const [depth, perGroup] = [channels / groups, shape[0] / groups];
  return [Math.floor(from / perGroup) * depth, (Math.floor((to - 1) / perGroup) + 1) * depth];
}

/** @param {Instruction} instruction @param {Box} box @param {number[]} below @returns {Box} */
function windowRanges(instruction, box, below) {
  return windowsOf(instruction, below).map((window, axis) => {
    const [from, to] = box[axis + 1];
    return [window.pixelsAt(from)[0], need(window.pixelsAt(to - 1).at(-1)) + 1];
  });
}

/** What a unit depends on in the picture, or null if it does not. @param {Instruction[]} program @param {number} step @param {Unit} unit @returns {Box | null} */
export function receptiveField(program, step, unit) {
  /** @type {(Box | undefined)[]} */
  const boxes = [];
  boxes[step] = boxOf(unit);
  for (let index = step; index > 0; index--) {
    const box = boxes[index];
    if (!box) continue;
    for (const input of program[index].inputs) {
      const { shape } = program[input];
      const below = boxBelow(program, index, box);
      const found = below.length === shape.length ? below : wholeBox(shape);
      boxes[input] = (boxes[input] ?? found).map(([from, to], axis) => [Math.min(from, found[axis][0]), Math.max(to, found[axis][1])]);
    }
  }
  return boxes[0] ? clip(boxes[0], program[0].shape) : null;
}

/** The part of a box that is not padding. @param {Box} box @param {number[]} shape @returns {Box} */
export function clip(box, shape) {
  return box.map(([from, to], axis) => [Math.max(from, 0), Math.min(to, shape[axis])]);
}

/**
 * The unit of a step whose window lies around a unit of its input; null where there is none.
 *
 * @param {Instruction[]} program @param {number} step @param {Unit} below
 * @param {Unit} now  a unit of the step, whose channel is kept
 * @returns {Unit | null}
 */
export function unitOver(program, step, below, now) {
  const { kind, shape, inputs, kernel, stride, padding, dilation } = program[step];
  const size = program[inputs[0]].shape;
  if (kind === "reshape") return unitAt(flatIndex(below, size), shape);
  if (String(shape) === String(size) && isUnit(below, shape) && !MIXING.includes(kind)) return below;
  if (shape.length !== 3 || size.length !== 3) return null;
  const place = [0, 1].map((axis) => {
    const middle = kernel && stride && padding && dilation
      ? (below[axis + 1] + padding[axis] - (dilation[axis] * (kernel[axis] - 1)) / 2) / stride[axis]
      : (below[axis + 1] * shape[axis + 1]) / size[axis + 1];
    return Math.min(Math.max(Math.round(middle), 0), shape[axis + 1] - 1);
  });
  return [kind === "conv" ? now[0] : below[0], ...place];
}

// ---------------------------------------------------------------------------- arithmetic

/** @typedef {{ engine: Engine, instruction: Instruction, unit: Unit, result: number, value: number }} Question  value: what the first input has at the unit's place */

/** Take the number of a unit apart into the numbers it was computed from. @param {Engine} engine  after a run @param {number} step @param {Unit} unit @returns {Arithmetic} */
export function arithmeticOf(engine, step, unit) {
  const instruction = engine.program[step];
  const at = flatIndex(unit, instruction.shape);
  const explain = explanations[instruction.kind] ?? explainPointwise;
  return explain({ engine, instruction, unit, result: engine.values[step][at], value: engine.values[instruction.inputs[0]]?.[at] });
}

/** @type {Record<string, (question: Question) => Arithmetic>} */
const explanations = {
  input: ({ result }) => ({ kind: "input", result }),
  conv: explainConvolution,
  maxPool: explainMaximum,
  avgPool: explainAverage,
  linear: explainLinear,
  batchNorm: explainBatchNorm,
  softmax: explainSoftmax,
  logSoftmax: explainSoftmax,
  reshape: explainReshape,
  sum: ({ engine, instruction, unit, result }) => ({
    kind: "sum",
    values: instruction.inputs.map((input) => engine.values[input][flatIndex(unit, instruction.shape)]),
    result,
  }),
  recorded: ({ instruction, result }) => ({ kind: "recorded", reason: instruction.reason ?? "", result }),
};

/** @param {Question} question @param {number} channel @returns {Patch} */
function patchOf({ engine, instruction, unit }, channel) {
  const below = instruction.inputs[0];
  const [, height, width] = engine.program[below].shape;
  const [rows, columns] = windowsOf(instruction, engine.program[below].shape).map((window, axis) => window.pixelsAt(unit[axis + 1]));
  const isInside = rows.map((row) => columns.map((column) => row >= 0 && row < height && column >= 0 && column < width));
  const values = rows.map((row, i) => columns.map((column, j) => (isInside[i][j] ? engine.values[below][(channel * height + row) * width + column] : 0)));
  return { channel, rows, columns, values, isInside };
}

/** @param {Question} question @returns {Arithmetic} */
function explainConvolution(question) {
  const { engine, instruction, unit, result } = question;
  const [from, to] = channelsOfGroup(instruction, [unit[0], unit[0] + 1], engine.program[instruction.inputs[0]].shape[0]);
  const [height, width] = need(instruction.kernel);
  const weight = need(engine.weightsOf(instruction, "weight"));
  const patches = Array.from({ length: to - from }, (_, i) => {
    const patch = patchOf(question, from + i);
    const start = (unit[0] * (to - from) + i) * height * width;
    const kernel = patch.values.map((line, row) => line.map((_, column) => weight[start + row * width + column]));
    const products = patch.values.map((line, row) => line.map((value, column) => value * kernel[row][column]));
    return { ...patch, kernel, products, sum: sumOf(products.flat()) };
  });
  return { kind: "conv", patches, bias: engine.weightsOf(instruction, "bias")?.[unit[0]] ?? null, result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainMaximum(question) {
  const patch = patchOf(question, question.unit[0]);
  const [, row, column] = largest(cellsOf(0, patch, patch.values))?.unit ?? [];
  return { kind: "maxPool", patch, winner: [patch.rows.indexOf(row), patch.columns.indexOf(column)], result: question.result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainAverage(question) {
  const { engine, instruction, unit, result } = question;
  const patch = patchOf(question, unit[0]);
  const windows = windowsOf(instruction, engine.program[instruction.inputs[0]].shape);
  return { kind: "avgPool", patch, sum: sumOf(patch.values.flat()), divisor: divisorOf(instruction, windows, unit.slice(1)), result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainLinear({ engine, instruction, unit, result }) {
  const inputs = engine.values[instruction.inputs[0]];
  const weights = need(engine.weightsOf(instruction, "weight")).subarray(unit[0] * inputs.length);
  const contributions = Array.from(inputs, (input, index) => ({ index, input, weight: weights[index], product: input * weights[index] }));
  contributions.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  return { kind: "linear", contributions, bias: engine.weightsOf(instruction, "bias")?.[unit[0]] ?? null, result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainBatchNorm({ engine, instruction, unit, value, result }) {
  const at = (/** @type {WeightRole} */ role) => engine.weightsOf(instruction, role)?.[unit[0]];
  return { kind: "batchNorm", value, mean: need(at("mean")), deviation: need(at("deviation")), weight: at("weight") ?? 1, bias: at("bias") ?? 0, result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainSoftmax({ engine, instruction, unit, result }) {
  const scores = Array.from(engine.values[instruction.inputs[0]]);
  return { kind: "softmax", scores, ...softmaxParts(scores), unit: unit[0], result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainReshape({ engine, instruction, unit, result }) {
  const { shape } = engine.program[instruction.inputs[0]];
  const index = flatIndex(unit, instruction.shape);
  return { kind: "reshape", from: unitAt(index, shape), index, shape, result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainPointwise({ instruction, value, result }) {
  const { kind: name, scale = 1, shift = 0, slope = 0.01 } = instruction;
  return { kind: "pointwise", name, value, scale, shift, slope, result };
}

// ---------------------------------------------------------------------------- what feeds a unit

/** The units that a number was computed from, and how much each adds; in a window, how large it is. @param {Engine} engine @param {number} step @param {Unit} unit @returns {Feeder[]} */
export function feedersOf(engine, step, unit) {
  const { inputs, shape } = engine.program[step];
  const [below] = inputs;
  const arithmetic = arithmeticOf(engine, step, unit);
  switch (arithmetic.kind) {
    case "input": case "recorded": return [];
    case "conv": return arithmetic.patches.flatMap((patch) => cellsOf(below, patch, patch.products));
    case "maxPool": case "avgPool": return cellsOf(below, arithmetic.patch, arithmetic.patch.values);
    case "linear": return arithmetic.contributions.map(({ index, product }) => ({ step: below, unit: [index], size: product }));
    case "reshape": return [{ step: below, unit: arithmetic.from, size: arithmetic.result }];
    case "sum": return inputs.map((input) => ({ step: input, unit, size: engine.values[input][flatIndex(unit, shape)] }));
    default: return [{ step: below, unit, size: arithmetic.result }];
  }
}

/** The cells of a patch that are no padding. @param {number} step @param {Patch} patch @param {number[][]} sizes @returns {Feeder[]} */
function cellsOf(step, { channel, rows, columns, isInside }, sizes) {
  return sizes.flatMap((line, i) => line.flatMap((size, j) => (isInside[i][j] ? [{ step, unit: [channel, rows[i], columns[j]], size }] : [])));
}

/** @param {Feeder[]} feeders */
function largest(feeders) {
  return feeders.reduce((/** @type {Feeder | null} */ best, feeder) => (!best || feeder.size > best.size ? feeder : best), null);
}

/** What adds most to a unit, or is the largest in its window. @param {Engine} engine @param {number} step @param {Unit} unit */
export function strongestBelow(engine, step, unit) {
  return largest(feedersOf(engine, step, unit));
}

/** The strongest way from a unit back to one pixel, or to what the page cannot compute. @param {Engine} engine @param {number} step @param {Unit} unit @returns {{ step: number, unit: Unit }[]} */
function pathFrom(engine, step, unit) {
  const below = strongestBelow(engine, step, unit);
  return [{ step, unit }, ...(below ? pathFrom(engine, below.step, below.unit) : [])];
}

/** The strongest way from the winning score; none where there are no scores. @param {Engine} engine  after a run */
export function strongestPath(engine) {
  const last = engine.program.length - 1;
  const scores = engine.values[last];
  return engine.program[last].shape.length === 1 ? pathFrom(engine, last, [scores.indexOf(Math.max(...scores))]) : [];
}
