// @ts-check
/**
 * Where a number of a network comes from: the units it was computed from, and the arithmetic.
 *
 * A unit is an index into a step's output, such as [channel, row, column]. A box is a range of
 * units: for every axis where it begins and where it ends (exclusive). Boxes may reach into the
 * padding, which lies below 0 and beyond the last unit.
 */
import { sumOf } from "../shared/numbers.js";
import { divisorOf, need, softmaxParts, windowsOf } from "./engine.js";

/** @typedef {import("./engine.js").Instruction} Instruction */
/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {number[]} Unit */
/** @typedef {[from: number, to: number][]} Box */

/** Does a step with this shape have such a unit? @param {Unit} unit @param {number[]} shape */
export function isUnit(unit, shape) {
  return (
    shape.length > 0 &&
    unit.length === shape.length &&
    unit.every((place, axis) => Number.isInteger(place) && place >= 0 && place < shape[axis])
  );
}

/** The place of a unit among all numbers of its step. @param {Unit} unit @param {number[]} shape */
export function flatIndex(unit, shape) {
  return unit.reduce((index, place, axis) => index * shape[axis] + place, 0);
}

/** The unit at a place: the reverse of `flatIndex`. @param {number} index @param {number[]} shape */
export function unitAt(index, shape) {
  const unit = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    unit[axis] = index % shape[axis];
    index = Math.floor(index / shape[axis]);
  }
  return unit;
}

/** The box of a single unit. @param {Unit} unit @returns {Box} */
function boxOf(unit) {
  return unit.map((place) => [place, place + 1]);
}

/** The box of all units. @param {number[]} shape @returns {Box} */
function wholeBox(shape) {
  return shape.map((size) => [0, size]);
}

/** @param {Box} box */
function isSingle(box) {
  return box.every(([from, to]) => to - from === 1);
}

/** The smallest box around two. @param {Box | undefined} first @param {Box} second @returns {Box} */
function smallestAround(first, second) {
  if (!first) return second;
  return first.map(([from, to], axis) => [Math.min(from, second[axis][0]), Math.max(to, second[axis][1])]);
}

/**
 * What a box of a step's output was computed from, in the input it names first.
 *
 * @param {Instruction[]} program @param {number} step @param {Box} box
 * @returns {Box}
 */
export function boxBelow(program, step, box) {
  const instruction = program[step];
  const below = program[instruction.inputs[0]].shape;
  switch (instruction.kind) {
    case "conv":
      return [channelsOfGroup(instruction, box[0], below[0]), ...windowRanges(instruction, box, below)];
    case "maxPool":
    case "avgPool":
      return [box[0], ...windowRanges(instruction, box, below)];
    case "reshape":
      return isSingle(box)
        ? boxOf(unitAt(flatIndex(box.map(([from]) => from), instruction.shape), below))
        : wholeBox(below);
    case "linear":
    case "softmax":
    case "logSoftmax":
    case "recorded":
      return wholeBox(below);
    default:
      return box; // every unit depends on the unit at its own place
  }
}

/** @param {Instruction} instruction @param {[number, number]} filters @param {number} channels @returns {[number, number]} */
function channelsOfGroup(instruction, filters, channels) {
  const groups = instruction.groups ?? 1;
  const [depth, perGroup] = [channels / groups, instruction.shape[0] / groups];
  const first = Math.floor(filters[0] / perGroup);
  const last = Math.floor((filters[1] - 1) / perGroup);
  return [first * depth, (last + 1) * depth];
}

/** @param {Instruction} instruction @param {Box} box @param {number[]} below @returns {Box} */
function windowRanges(instruction, box, below) {
  return windowsOf(instruction, below).map((window, axis) => {
    const [from, to] = box[axis + 1];
    return [window.pixelsAt(from)[0], need(window.pixelsAt(to - 1).at(-1)) + 1];
  });
}

/**
 * The receptive field of a unit: what it depends on in an earlier step, or null if it does not.
 *
 * @param {Instruction[]} program @param {number} step @param {Unit} unit @param {number} [earlier]
 * @returns {Box | null}
 */
export function receptiveField(program, step, unit, earlier = 0) {
  /** @type {(Box | undefined)[]} */
  const boxes = [];
  boxes[step] = boxOf(unit);
  for (let index = step; index > earlier; index--) {
    const box = boxes[index];
    if (!box) continue;
    const below = program[index].inputs.length ? boxBelow(program, index, box) : box;
    for (const input of program[index].inputs) {
      const fits = below.length === program[input].shape.length;
      boxes[input] = smallestAround(boxes[input], fits ? below : wholeBox(program[input].shape));
    }
  }
  const found = boxes[earlier];
  return found ? clip(found, program[earlier].shape) : null;
}

/** The part of a box that is not padding. @param {Box} box @param {number[]} shape @returns {Box} */
export function clip(box, shape) {
  return box.map(([from, to], axis) => [Math.max(from, 0), Math.min(to, shape[axis])]);
}

// ---------------------------------------------------------------------------- arithmetic

/**
 * The part of a window that lies in one channel.
 *
 * @typedef {object} Patch
 * @property {number} channel
 * @property {number[]} rows  positions; those in the padding lie outside of the map
 * @property {number[]} columns
 * @property {number[][]} values  0 in the padding
 * @property {boolean[][]} isInside  false in the padding
 */

/** @typedef {Patch & { kernel: number[][], products: number[][], sum: number }} Weighted */
/** @typedef {{ index: number, input: number, weight: number, product: number }} Contribution */

/**
 * @typedef {(
 *   | { kind: "input", value: number }
 *   | { kind: "conv", patches: Weighted[], bias: number | null, result: number }
 *   | { kind: "maxPool", patch: Patch, winner: [number, number], result: number }
 *   | { kind: "avgPool", patch: Patch, sum: number, divisor: number, result: number }
 *   | { kind: "linear", contributions: Contribution[], bias: number | null, result: number }
 *   | { kind: "batchNorm", value: number, mean: number, deviation: number, weight: number, bias: number, result: number }
 *   | { kind: "softmax", scores: number[], largest: number, exponentials: number[], total: number, unit: number, result: number }
 *   | { kind: "reshape", from: Unit, index: number, shape: number[], result: number }
 *   | { kind: "sum", values: number[], result: number }
 *   | { kind: "pointwise", name: string, value: number, scale: number, shift: number, slope: number, result: number }
 *   | { kind: "recorded", reason: string, result: number }
 * )} Arithmetic
 */

/**
 * Take the number of a unit apart into the numbers it was computed from.
 *
 * @param {Engine} engine  after a run @param {number} step @param {Unit} unit
 * @returns {Arithmetic}
 */
export function arithmeticOf(engine, step, unit) {
  const instruction = engine.program[step];
  const result = engine.values[step][flatIndex(unit, instruction.shape)];
  if (instruction.kind === "input") return { kind: "input", value: result };
  if (instruction.kind === "recorded") return { kind: "recorded", reason: instruction.reason ?? "", result };
  const explain = explanations[instruction.kind] ?? explainPointwise;
  return explain({ engine, instruction, unit, result });
}

/**
 * @typedef {object} Question
 * @property {Engine} engine
 * @property {Instruction} instruction
 * @property {Unit} unit
 * @property {number} result
 */

/** @type {Record<string, (question: Question) => Arithmetic>} */
const explanations = {
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
};

/** @param {Question} question @param {string} role @returns {Float32Array | null} */
function weightsOf({ engine, instruction }, role) {
  const name = /** @type {Record<string, any>} */ (instruction)[role];
  return name ? /** @type {Float32Array} */ (engine.arrays[name].data) : null;
}

/** @param {Question} question @param {number} channel @returns {Patch} */
function patchOf({ engine, instruction, unit }, channel) {
  const below = instruction.inputs[0];
  const [, height, width] = engine.program[below].shape;
  const [rows, columns] = windowsOf(instruction, engine.program[below].shape)
    .map((window, axis) => window.pixelsAt(unit[axis + 1]));
  const isInside = rows.map((row) => columns.map((column) => row >= 0 && row < height && column >= 0 && column < width));
  const valueAt = (/** @type {number} */ row, /** @type {number} */ column) =>
    engine.values[below][(channel * height + row) * width + column];
  const values = rows.map((row, i) => columns.map((column, j) => (isInside[i][j] ? valueAt(row, column) : 0)));
  return { channel, rows, columns, values, isInside };
}

/** @param {Question} question @returns {Arithmetic} */
function explainConvolution(question) {
  const { engine, instruction, unit, result } = question;
  const channels = engine.program[instruction.inputs[0]].shape[0];
  const [from, to] = channelsOfGroup(instruction, [unit[0], unit[0] + 1], channels);
  const [height, width] = need(instruction.kernel);
  const weight = need(weightsOf(question, "weight"));
  const patches = [];
  for (let channel = from; channel < to; channel++) {
    const patch = patchOf(question, channel);
    const start = (unit[0] * (to - from) + channel - from) * height * width;
    const kernel = patch.values.map((line, i) => line.map((_, j) => weight[start + i * width + j]));
    const products = patch.values.map((line, i) => line.map((value, j) => value * kernel[i][j]));
    patches.push({ ...patch, kernel, products, sum: sumOf(products.flat()) });
  }
  return { kind: "conv", patches, bias: weightsOf(question, "bias")?.[unit[0]] ?? null, result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainMaximum(question) {
  const patch = patchOf(question, question.unit[0]);
  /** @type {[number, number]} */
  let winner = [0, 0];
  let highest = -Infinity;
  patch.values.forEach((line, i) =>
    line.forEach((value, j) => {
      if (!patch.isInside[i][j] || value <= highest) return;
      highest = value;
      winner = [i, j];
    }),
  );
  return { kind: "maxPool", patch, winner, result: question.result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainAverage(question) {
  const patch = patchOf(question, question.unit[0]);
  const { engine, instruction, unit } = question;
  const windows = windowsOf(instruction, engine.program[instruction.inputs[0]].shape);
  const divisor = divisorOf(instruction, windows, unit.slice(1));
  return { kind: "avgPool", patch, sum: sumOf(patch.values.flat()), divisor, result: question.result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainLinear(question) {
  const { engine, instruction, unit, result } = question;
  const inputs = engine.values[instruction.inputs[0]];
  const weight = need(weightsOf(question, "weight"));
  const row = weight.subarray(unit[0] * inputs.length, (unit[0] + 1) * inputs.length);
  const contributions = Array.from(inputs, (input, index) => {
    return { index, input, weight: row[index], product: input * row[index] };
  });
  contributions.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  return { kind: "linear", contributions, bias: weightsOf(question, "bias")?.[unit[0]] ?? null, result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainBatchNorm(question) {
  const { engine, instruction, unit, result } = question;
  const at = (/** @type {string} */ role) => weightsOf(question, role)?.[unit[0]];
  return {
    kind: "batchNorm",
    value: engine.values[instruction.inputs[0]][flatIndex(unit, instruction.shape)],
    mean: need(at("mean")),
    deviation: need(at("deviation")),
    weight: at("weight") ?? 1,
    bias: at("bias") ?? 0,
    result,
  };
}

/** @param {Question} question @returns {Arithmetic} */
function explainSoftmax({ engine, instruction, unit, result }) {
  const scores = Array.from(engine.values[instruction.inputs[0]]);
  return { kind: "softmax", scores, ...softmaxParts(scores), unit: unit[0], result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainReshape({ engine, instruction, unit, result }) {
  const shape = engine.program[instruction.inputs[0]].shape;
  const index = flatIndex(unit, instruction.shape);
  return { kind: "reshape", from: unitAt(index, shape), index, shape, result };
}

/** @param {Question} question @returns {Arithmetic} */
function explainPointwise({ engine, instruction, unit, result }) {
  const value = engine.values[instruction.inputs[0]][flatIndex(unit, instruction.shape)];
  const { kind: name, scale = 1, shift = 0, slope = 0.01 } = instruction;
  return { kind: "pointwise", name, value, scale, shift, slope, result };
}
