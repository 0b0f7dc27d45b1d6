// @ts-check
/**
 * Go back through programs and write all gradients: `node run_backward.js FOLDER`.
 *
 * For each `name.json` (steps, arrays, labels) and `name.bin` (the bytes of the arrays) the answer
 * for every picture stands in `name.out`: its loss, its gradients by step and by array, and for a
 * number of each array and of each input the terms of its gradient.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backward } from "../../../book/lenet_book/widgets/stage/backward/gradients.js";
import { termsOf } from "../../../book/lenet_book/widgets/stage/backward/products.js";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { partOf, readArrays } from "../../../book/lenet_book/widgets/shared/arrays.js";

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

const folder = process.argv[2];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const meta = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const bytes = readFileSync(join(folder, file.replace(".json", ".bin")));
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const arrays = readArrays({ get: (/** @type {string} */ key) => ({ meta, data })[key] });
  const engine = new Engine(meta.steps, arrays);
  const found = meta.labels.map((/** @type {number} */ label, /** @type {number} */ sample) => {
    engine.run(partOf(arrays.pictures, sample), sample);
    const gradients = backward(engine, label);
    return { ...gradients, picked: gradients.blockedAt ? [] : pickedTerms(engine, gradients) };
  });
  const plain = (/** @type {string} */ _, /** @type {unknown} */ value) => (value instanceof Float32Array ? Array.from(value) : value);
  writeFileSync(join(folder, file.replace(".json", ".out")), JSON.stringify(found, plain));
}
