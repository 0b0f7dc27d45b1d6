// @ts-check
/**
 * Go back through programs and write all gradients: `node run_backward.js FOLDER`.
 *
 * For each `name.json` (steps, arrays, labels) and `name.bin` (the bytes of the arrays) the answer
 * for every picture stands in `name.out.json`: its loss, and its gradients by step and by array.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backward } from "../../../book/lenet_book/widgets/stage/backward/gradients.js";
import { Engine } from "../../../book/lenet_book/widgets/stage/engine.js";
import { partOf, readArrays } from "../../../book/lenet_book/widgets/shared/arrays.js";

const folder = process.argv[2];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const meta = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const bytes = readFileSync(join(folder, file.replace(".json", ".bin")));
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const arrays = readArrays({ get: (/** @type {string} */ key) => ({ meta, data })[key] });
  const engine = new Engine(meta.steps, arrays);
  const found = meta.labels.map((/** @type {number} */ label, /** @type {number} */ sample) => {
    engine.run(partOf(arrays.pictures, sample), sample);
    return backward(engine, label);
  });
  const plain = (/** @type {string} */ _, /** @type {unknown} */ value) => (value instanceof Float32Array ? Array.from(value) : value);
  writeFileSync(join(folder, file.replace(".json", ".out")), JSON.stringify(found, plain));
}
