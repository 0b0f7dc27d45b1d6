// @ts-check
/**
 * Go back through programs: for every picture its loss, its gradients by step and by array, and for a
 * number of each array and of each input the terms of its gradient. `node run_backward.js FOLDER`
 */
import { answerCases } from "./cases.js";
import { backward } from "../../../book/lenet_book/widgets/stage/backward/gradients.js";
import { termsOf } from "../../../book/lenet_book/widgets/stage/backward/products.js";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { partOf } from "../../../book/lenet_book/widgets/shared/arrays.js";

/** @param {Engine} engine @param {Gradients} gradients */
function pickedTerms(engine, gradients) {
  const someOf = (/** @type {number} */ length, /** @type {number} */ salt) => (7919 * (salt + 1)) % length;
  return engine.program.flatMap((instruction, step) => {
    if (!step || !gradients.values[step]) return [];
    const own = /** @type {const} */ (["weight", "bias"]).filter((role) => instruction[role]).map((role) => {
      const name = /** @type {string} */ (instruction[role]);
      return { role, step, of: name, at: someOf(engine.arrays[name].data.length, step) };
    });
    const below = instruction.inputs.map((value, input) => ({ role: "unit", step, input, of: value, at: someOf(engine.values[value].length, value) }));
    return [...own, ...below].map((picked) => ({ ...picked, ...termsOf(engine, gradients, step, picked) }));
  });
}

answerCases((meta, arrays) => {
  const engine = new Engine(meta.steps, arrays);
  return meta.labels.map((/** @type {number} */ label, /** @type {number} */ sample) => {
    engine.run(partOf(arrays.pictures, sample), sample);
    const gradients = backward(engine, label);
    return { ...gradients, picked: gradients.blockedAt ? [] : pickedTerms(engine, gradients) };
  });
});
