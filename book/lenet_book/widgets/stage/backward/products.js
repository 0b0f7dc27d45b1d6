// @ts-check
/** Which products make up one gradient. */
import { rules, taskOf } from "./gradients.js";
import { need, windowsOf } from "../engine.js";
import { flatIndex, unitAt } from "../explanation.js";
import { productOf, sumOf } from "../../shared/numbers.js";

/**
 * Take the gradient of a weight, or of a number that goes in, apart.
 *
 * Each number that comes out and depends on it adds a product: how much that number moves with it,
 * times the gradient that arrives there. The first factor is what the rule of the instruction gives
 * where nothing but a gradient of 1 arrives, at that number.
 *
 * @param {Engine} engine  after a run @param {Gradients} gradients  of the same run
 * @param {number} step  one that a gradient arrives at @param {PickedNumber} picked
 * @returns {GradientTerms}
 */
export function termsOf(engine, gradients, step, picked) {
  const { program, values, arrays } = engine;
  const instruction = program[step];
  const { inputs, shape } = instruction;
  const rule = rules[instruction.kind](instruction, inputs.map((input) => program[input].shape));
  const gradient = new Float32Array(values[step].length);
  const below = inputs.map((input) => new Float32Array(values[input].length));
  const names = [instruction.weight, instruction.bias].filter((name) => name !== undefined);
  const own = Object.fromEntries(names.map((name) => [name, new Float32Array(arrays[name].data.length)]));
  const task = taskOf(engine, step, gradient, below, own);
  const sink = need(picked.role === "unit" ? below[picked.input ?? 0] : task.blame(picked.role));
  const arriving = need(gradients.values[step]);
  const terms = dependents(engine, instruction, picked).map((at) => {
    [gradient[at], sink[picked.at]] = [1, 0];
    rule(task);
    gradient[at] = 0;
    return { unit: unitAt(at, shape), factor: sink[picked.at], gradient: arriving[at], product: sink[picked.at] * arriving[at] };
  });
  return { terms, result: sumOf(terms.map(({ product }) => product)) };
}

/**
 * The places of all numbers that come out and depend on a number.
 *
 * @param {Engine} engine @param {Instruction} instruction @param {PickedNumber} picked
 * @returns {number[]}
 */
function dependents({ program, arrays }, instruction, { role, at, input = 0 }) {
  const { kind, shape, groups = 1 } = instruction;
  const all = [...Array(productOf(shape)).keys()];
  const size = all.length / shape[0];
  if (role !== "unit") {
    const channel = Math.floor((at * shape[0]) / arrays[need(instruction[role])].data.length);
    return all.slice(channel * size, (channel + 1) * size);
  }
  if (["linear", "softmax", "logSoftmax"].includes(kind)) return all;
  if (!["conv", "maxPool", "avgPool"].includes(kind)) return [at];
  const below = program[instruction.inputs[input]].shape;
  const [channel, row, column] = unitAt(at, below);
  const [down, right] = windowsOf(instruction, below);
  const stops = all.slice(0, size).filter((stop) => {
    return down.pixelsAt(Math.floor(stop / shape[2])).includes(row) && right.pixelsAt(stop % shape[2]).includes(column);
  });
  const group = kind === "conv" ? Math.floor((channel * groups) / below[0]) : channel;
  const perGroup = kind === "conv" ? shape[0] / groups : 1;
  return Array.from({ length: perGroup }, (_, i) => stops.map((stop) => flatIndex([group * perGroup + i, stop], [shape[0], size]))).flat();
}
