// @ts-check
/**
 * Go back through programs: for every picture its loss, its gradients by step and by array, and for a
 * number of each array and of each input the terms of its gradient. `node run_backward.js FOLDER`
 */
import { answerCases } from "./cases.js";
import { Backward, termsOf } from "../../../book/lenet_book/widgets/stage/backward/gradients.js";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { unitAt } from "../../../book/lenet_book/widgets/stage/explanation.js";
import { partOf } from "../../../book/lenet_book/widgets/shared/arrays.js";

/** @param {Engine} engine @param {Backward} walk @param {Backward} probe */
function pickedTerms(engine, walk, probe) {
  const someOf = (/** @type {number} */ length, /** @type {number} */ salt) => (7919 * (salt + 1)) % length;
  return engine.program.flatMap((instruction, step) => {
    if (!step || !walk.isReached[step]) return [];
    const own = /** @type {const} */ (["weight", "bias"]).filter((role) => instruction[role]).map((role) => {
      const of = /** @type {string} */ (instruction[role]);
      return { role, step, of, at: someOf(engine.arrays[of].data.length, step), shape: engine.arrays[of].shape };
    });
    const below = instruction.inputs.map((of) => ({ role: "unit", step, of, at: someOf(engine.values[of].length, of), shape: engine.program[of].shape }));
    return [...own, ...below].map((picked) => {
      const look = { role: picked.role, at: unitAt(picked.at, picked.shape) };
      return { ...picked, terms: termsOf(engine, walk, probe, step, look, picked.of) };
    });
  });
}

answerCases((meta, arrays) => {
  const engine = new Engine(meta.steps, arrays);
  const [walk, probe] = [new Backward([engine]), new Backward([engine])];
  return meta.labels.map((/** @type {number} */ label, /** @type {number} */ sample) => {
    engine.run(partOf(arrays.pictures, sample), sample);
    const [answer] = structuredClone(walk.run([label]));
    const { blockedAt, isReached } = walk;
    const values = answer.values.map((gradients, step) => (isReached[step] ? gradients : null));
    return { ...answer, values, blockedAt, picked: blockedAt ? [] : pickedTerms(engine, walk, probe) };
  });
});
