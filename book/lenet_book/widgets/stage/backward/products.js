// @ts-check
/** Which products make up one gradient. */
import { taskOf } from "./gradients.js";
import { need } from "../engine.js";
import { boxBelow, boxOf, flatIndex, unitAt } from "../explanation.js";
import { productOf } from "../../shared/numbers.js";

/** @typedef {import("./gradients.js").Backward} Backward */

/**
 * Take the gradient of a weight, or of a number that goes in, apart.
 *
 * Each number that comes out and depends on it adds a product: how much that number moves with it,
 * times the gradient that arrives there. The first factor is what the rule of the instruction gives
 * where nothing but a gradient of 1 arrives, at that number.
 *
 * @param {Engine} engine  after a run @param {Backward} walk  after its run
 * @param {number} step  one that a gradient arrives at @param {Picked} picked
 * @param {number} [input]  whose number it is, where it goes in
 * @returns {GradientTerm[]}  in the order of the numbers that come out; for a kernel's weight, of the places of its map
 */
export function termsOf(engine, { rules, values: [arriving], weights }, step, { role, at }, input = engine.program[step].inputs[0]) {
  const { program, arrays } = engine;
  const gradients = engine.values.map(({ length }) => new Float32Array(length));
  const own = Object.fromEntries(Object.entries(weights).map(([name, { length }]) => [name, new Float32Array(length)]));
  const name = role === "unit" ? "" : need(program[step][role]);
  const [sink, { shape }] = name ? [own[name], arrays[name]] : [gradients[input], program[input]];
  const place = flatIndex(at, shape);
  const task = taskOf(engine, step, gradients, own);
  return dependents(program, step, role, at).map((unit) => {
    const from = flatIndex(unit, program[step].shape);
    [task.gradient[from], sink[place]] = [1, 0];
    need(rules[step])(task);
    task.gradient[from] = 0;
    const [factor, gradient] = [sink[place], need(arriving[step])[from]];
    return { unit, factor, gradient, product: factor * gradient };
  });
}

/** The numbers that come out of a step and depend on one: on a weight, those of its filter. @param {Instruction[]} program @param {number} step @param {Picked["role"]} role @param {Unit} at */
function dependents(program, step, role, at) {
  const { shape } = program[step];
  const units = Array.from({ length: productOf(shape) }, (_, i) => unitAt(i, shape));
  if (role !== "unit") return units.filter(([filter]) => filter === at[0]);
  return units.filter((unit) => boxBelow(program, step, boxOf(unit)).every(([from, to], axis) => at[axis] >= from && at[axis] < to));
}
